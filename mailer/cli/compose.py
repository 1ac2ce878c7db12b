"""editions, build, test: what an issue will be, before anything is sent."""

from __future__ import annotations

from email.utils import format_datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from mailer.audience import segments
from mailer.audience import subscribers as people
from mailer.cli import gallery, views
from mailer.cli.app import IssueName, Json, newsroom, out, print_json, say
from mailer.compose.editions import select
from mailer.errors import MailerError, RelayError
from mailer.models import DeliveryState
from mailer.newsroom import clock, today


def editions(context: typer.Context, issue: IssueName, as_json: Json = False) -> None:
    """Each distinct edition: interests, stories, bytes, head count."""
    room = newsroom(context)
    composition = room.compose(issue)
    found, nothing_left = segments.of(composition.issue, room.store.audience, today())
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
        found, _ = segments.of(composition.issue, room.store.audience, today())
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
    from mailer.cli import loop  # with an event loop and SMTP, 40 ms that `check` has no use for
    from mailer.deliver import once

    room = newsroom(context)
    composed = room.compose(issue)
    composition = composed.embedding()  # pictures are published when the issue goes out, and seen nowhere before
    date, audience = format_datetime(clock()), room.store.audience
    try:
        tested = loop.run(once.send_test(composition, audience, room.tokens, room.relay, to, date, room.signer))
    except RelayError as error:
        told = f"{error}. Your mail server stands under [smtp] in the configuration, its password in"
        raise RelayError(f"{told} MAILER_SMTP_PASSWORD") from None
    reply, state = tested.outcome.reply, tested.outcome.state
    if as_json:
        print_json({"issue": composition.issue.slug, "to": tested.reader.email, "state": state, "code": reply.code,
                    "reply": reply.text, "step": reply.step, "stories": len(tested.selection)})  # fmt: skip
    else:
        said = " ".join(str(part) for part in (reply.code or "", reply.text) if part)
        out.print(Text(f"{state}: {said}"))
        if composition.embeds(tested.selection) and not composed.embeds(tested.selection):
            out.print("Pictures travel inside the test mail; they are published with the issue.")
    raise typer.Exit(0 if state is DeliveryState.ACCEPTED else 3)
