"""check, editions, build, test: what an issue will be, before anything is sent."""

from __future__ import annotations

from dataclasses import asdict
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from mailer.audience import addresses, segments
from mailer.audience import subscribers as people
from mailer.cli import gallery, loop, views
from mailer.cli.app import IssueName, Json, newsroom, out, print_json, say
from mailer.compose import checks, headers
from mailer.compose.checks.material import Material
from mailer.compose.editions import select
from mailer.deliver import once
from mailer.deliver.smtp import Parcel
from mailer.errors import MailerError
from mailer.models import Claim, DeliveryState, Severity, Subscriber
from mailer.newsroom import clock


def check(
    context: typer.Context,
    issue: IssueName,
    as_json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
) -> None:
    """What is wrong with an issue. Exit 1 when something must be mended."""
    room = newsroom(context)
    composition = room.compose(issue)
    findings = checks.run(Material(composition, *segments.of(composition.issue, room.store.audience)))
    grave = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    if as_json:
        print_json({"issue": composition.issue.slug, "findings": [asdict(finding) for finding in findings]})
    else:
        out.print(views.findings(composition.issue, findings))
    raise typer.Exit(1 if any(finding.severity in grave for finding in findings) else 0)


def editions(context: typer.Context, issue: IssueName, as_json: Json = False) -> None:
    """Each distinct edition: interests, stories, bytes, head count."""
    room = newsroom(context)
    composition = room.compose(issue)
    found, nothing_left = segments.of(composition.issue, room.store.audience)
    sizes = {edition.key: composition.sizes(edition.selection) for edition in found}
    if as_json:
        print_json(views.editions_data(composition.issue, found, nothing_left, sizes))
        return
    out.print(views.editions_table(composition, found, nothing_left, sizes))
    if not found:
        say("Nobody is subscribed yet. Begin with: mailer subscribers import FILE.csv")


def build(
    context: typer.Context,
    issue: IssueName,
    to: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Default: build/ISSUE here.")] = None,
    person: Annotated[str, typer.Option("--for", metavar="EMAIL", help="Only this person's message.")] = "",
    as_json: Json = False,
) -> None:
    """Write the finished HTML, text and .eml of each edition, or of one person."""
    room = newsroom(context)
    composition = room.compose(issue)
    folder = to or room.root / "build" / composition.issue.slug
    if person:
        subscriber = people.find(room.store.audience, person)
        selection = select(composition.issue, subscriber.interests)
        if not selection:
            raise MailerError(f"no story of this issue matches the interests of {subscriber.email}: no mail for them")
        gallery.make(folder)
        base = folder / subscriber.email.replace("/", "_")
        written = gallery.write_one(base, room, composition, selection, subscriber, inert=False)
        gallery.copy_pictures(folder, composition)
        first = written[0]
    else:
        found, _ = segments.of(composition.issue, room.store.audience)
        if to is None and folder.is_dir():
            gallery.clear(folder, everything=True)
        first = folder / "index.html"
        written = gallery.write(first, folder, room, composition, found)
    if as_json:
        print_json({"issue": composition.issue.slug, "folder": str(folder), "files": [path.name for path in written]})
    else:
        out.print(Text(f"{len(written)} files in {folder}\nOpen {first}"), soft_wrap=True)


def test(
    context: typer.Context,
    issue: IssueName,
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Where the test mail goes.")],
    as_json: Json = False,
) -> None:
    """Send one test mail, marked as such. It never appears in the send log; its links change nothing."""
    room = newsroom(context)
    composition = room.compose(issue)
    try:
        address = addresses.normalise(to)
    except addresses.AddressError as error:
        raise MailerError(f"“{to}” is no address: {error}") from None
    known = room.store.audience.find(addresses.key(address))
    reader = known or Subscriber(address)
    selection = select(composition.issue, reader.interests) or composition.everything
    personal = composition.personaliser(room.tokens, inert=True).personal(reader)
    recipient = headers.ascii_address(reader.email)
    message = composition.template(selection, f"[Test] {composition.issue.subject}").fill(
        personal, format_datetime(clock()), not recipient.isascii()
    )
    sender = headers.parts_of(room.config.newsletter.sender)[1]
    parcel = Parcel(sender, recipient, message, Claim(reader, "", 0), utf8=not recipient.isascii())
    outcome = loop.run(once.send(room.relay, parcel, room.config.smtp.timeout.total_seconds()))
    reply = outcome.reply
    if as_json:
        print_json({"issue": composition.issue.slug, "to": reader.email, "state": outcome.state, "code": reply.code,
                    "reply": reply.text, "step": reply.step, "stories": len(selection)})  # fmt: skip
    else:
        said = " ".join(str(part) for part in (reply.code or "", reply.text) if part)
        out.print(Text(f"{outcome.state}: {said}"))
    raise typer.Exit(0 if outcome.state is DeliveryState.ACCEPTED else 3)
