"""send, status, log, explain: sending an issue, and proving what happened."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from mailer.audience import subscribers as people
from mailer.cli import loop, views
from mailer.cli.app import IssueName, Json, err, newsroom, out, print_json, say
from mailer.cli.progress import watch
from mailer.compose.composition import Composition
from mailer.compose.editions import select
from mailer.deliver import plan
from mailer.deliver.engine import timestamp
from mailer.deliver.run import Run
from mailer.models import Balance, Delivery, DeliveryState, Subscriber
from mailer.newsroom import Newsroom, clock


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (send, status, log, explain):
        app.command()(command)


def send(
    context: typer.Context,
    issue: IssueName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many messages in this run.")] = 0,
    rate: Annotated[float, typer.Option("--rate", min=0, help="At most so many messages a second.")] = 0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for deferred deliveries.")] = False,
    replan: Annotated[bool, typer.Option("--replan", help="Plan anew; only while nothing was sent.")] = False,
    as_json: Json = False,
) -> None:
    """Plan, ask, send, balance. Run it again to go on after an interruption."""
    room = newsroom(context)
    composition = room.compose(issue)
    slug = composition.issue.slug
    with room.store.sendlog.lock(slug):
        if replan:
            plan.replan(composition, room.store)
        planned = plan.check_unchanged(composition, room.store)
        if planned:
            _say_recovered(room, slug)
        _announce(room, composition, planned, rate, limit)
        if dry_run:
            _finish_dry(room, composition, planned, as_json)
            return
        if not yes and not typer.confirm("Send?", err=True):
            say("Nothing was sent.")
            raise typer.Exit(1)
        if not planned:
            plan.freeze(composition, room.store, timestamp(clock()))
        run = Run(room.job(composition, rate, limit), room.store.sendlog, clock)
        try:
            balance = loop.run(watch(run, room.store.sendlog.balance(slug), wait=not no_wait))
        except asyncio.CancelledError:
            room.store.sendlog.recover(slug, timestamp(clock()))
            raise KeyboardInterrupt from None
    if as_json:
        print_json(views.balance_data(balance))
    else:
        out.print(views.balance_table(balance))
    if run.stopped:
        say(f"Stopped. What was in flight is recorded; go on with: mailer send {slug}")
        raise typer.Exit(130)
    raise typer.Exit(_exit_code(balance, limit))


def _exit_code(balance: Balance, limit: int) -> int:
    if balance.refused or balance.deferred or balance.unknown:
        return 3
    return 0


def _say_recovered(room: Newsroom, slug: str) -> None:
    unknown = room.store.sendlog.recover(slug, timestamp(clock()))
    if unknown:
        say(f"[warn]The last run was cut short: {unknown} went out without a reply being read and are unknown.[/]")


def _announce(room: Newsroom, composition: Composition, planned: bool, rate: float, limit: int) -> None:
    """What will happen: editions, head counts, relay, forecast."""
    if planned:
        balance = room.store.sendlog.balance(composition.issue.slug)
        left = balance.queued + balance.deferred
        say(f"{composition.issue.slug} was planned for {balance.audience:,} people; {left:,} are open.")
    else:
        forecast = plan.forecast(composition, room.store)
        sizes = {edition.key: composition.sizes(edition.selection) for edition in forecast.editions}
        err.print(views.editions_table(composition, forecast.editions, forecast.nothing_left, sizes))
        left = forecast.to_send
    count = min(left, limit) if limit else left
    speed = f", at most {rate:g} a second: about {_span(count / rate)}" if rate else ""
    say(f"Relay {room.relay}, {room.config.smtp.connections} connections; {count:,} to send{speed}.")


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def _finish_dry(room: Newsroom, composition: Composition, planned: bool, as_json: bool) -> None:
    if as_json:
        if planned:
            balance = room.store.sendlog.balance(composition.issue.slug)
        else:
            forecast = plan.forecast(composition, room.store)
            skipped = forecast.audience - forecast.to_send
            balance = Balance(composition.issue.slug, forecast.audience, skipped=skipped, queued=forecast.to_send,
                              editions=len(forecast.editions))  # fmt: skip
        print_json(views.balance_data(balance))
    say("Nothing was sent: this was a dry run.")


def status(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="[ISSUE]", help="Default: all planned issues.")] = "",
    as_json: Json = False,
) -> None:
    """The balance of an issue, or of all."""
    room = newsroom(context)
    log_ = room.store.sendlog
    if issue:
        balance = log_.balance(issue)
        if as_json:
            print_json(views.balance_data(balance))
        else:
            out.print(views.balance_table(balance))
        return
    balances = [log_.balance(planned.issue) for planned in log_.plans()]
    if as_json:
        print_json({"issues": [views.balance_data(balance) for balance in balances]})
        return
    columns = ("audience", "accepted", "refused", "skipped", "unknown", "open")
    made = views.table("issue", *columns, right=columns)
    for one in balances:
        still_open = one.queued + one.claimed + one.deferred
        numbers = (one.audience, one.accepted, one.refused, one.skipped, one.unknown, still_open)
        made.add_row(one.issue, *(f"{number:,}" for number in numbers))
    out.print(made if balances else "No issue was sent yet. Begin with: mailer send ISSUE")


def log(
    context: typer.Context,
    issue: IssueName,
    state: Annotated[DeliveryState | None, typer.Option("--state", help="Only these.")] = None,
    format_: Annotated[str, typer.Option("--format", metavar="table|csv|json")] = "table",
    as_json: Json = False,
) -> None:
    """The send log: a row a person."""
    room = newsroom(context)
    format_ = "json" if as_json else format_
    if format_ not in ("table", "csv", "json"):
        raise typer.BadParameter("must be table, csv or json", param_hint="--format")
    rows = room.store.sendlog.deliveries(issue, state)
    if format_ == "table":
        out.print(views.log_table(rows))
        return
    message_id = room.compose(issue).personaliser(room.tokens).message_id
    data = (views.delivery_data(row, message_id(Subscriber(row.email, id=row.subscriber_id))) for row in rows)
    if format_ == "csv":
        _write_csv(data)
    else:
        _write_json(data)


def _write_csv(rows: Iterable[dict[str, Any]]) -> None:
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)


def _write_json(rows: Iterable[dict[str, Any]]) -> None:
    """A list, written row by row: a million of them need no memory."""
    separator = "[\n  "
    for row in rows:
        sys.stdout.write(separator + json.dumps(row, ensure_ascii=False))
        separator = ",\n  "
    sys.stdout.write("[]\n" if separator.startswith("[") else "\n]\n")


def explain(
    context: typer.Context,
    issue: IssueName,
    email: Annotated[str, typer.Argument(metavar="EMAIL")],
    as_json: Json = False,
) -> None:
    """What this person got or will get, and why."""
    room = newsroom(context)
    composition = room.compose(issue)
    person = people.find(room.store.audience, email)
    planned = room.store.sendlog.plan(composition.issue.slug)
    row = room.store.sendlog.delivery(composition.issue.slug, person.id) if planned else None
    attempts = room.store.sendlog.attempts(composition.issue.slug, person.id) if planned else []
    selection = select(composition.issue, person.interests)
    if row and row.edition:
        selection = room.store.sendlog.editions(composition.issue.slug)[row.edition]
    sentence = _sentence(person, row, planned is not None, bool(selection))
    labels = composition.config.interests
    reasons = [_reason(story.topics, person.interests, labels) for story in composition.issue.stories]
    if as_json:
        stories = [
            {"id": story.id, "title": story.title, "shown": story.id in selection, "why": why}
            for story, why in zip(composition.issue.stories, reasons, strict=True)
        ]
        message_id = composition.personaliser(room.tokens).message_id(person)
        print_json(
            {
                "issue": composition.issue.slug,
                "subscriber": views.subscriber_data(person),
                "sentence": sentence,
                "delivery": views.delivery_data(row, message_id) if row else None,
                "put_off": [dict(zip(("at", "step", "code", "reply"), attempt, strict=True)) for attempt in attempts],
                "stories": stories,
            }
        )
        return
    made = views.table("", "story", "why")
    for story, why in zip(composition.issue.stories, reasons, strict=True):
        shown = story.id in selection
        made.add_row("[good]yes[/]" if shown else "no", story.title, why, style="" if shown else "second")
    history = [Text(f"  {at} put off at {step}: {code or ''} {reply}") for at, step, code, reply in attempts]
    chosen = ", ".join(labels.get(topic, topic) for topic in person.interests) or "none chosen"
    name = f"{person.name}, " if person.name else ""
    out.print(Group(Text(f"{name}{person.email}. Interests: {chosen}."), Text(sentence), *history, made))


def _sentence(person: Subscriber, row: Delivery | None, planned: bool, anything: bool) -> str:
    if row is None:
        if person.state != "active":
            return f"Gets nothing: {person.state} since {person.changed_at}."
        if planned:
            return "Not in this send: subscribed after it was planned."
        return "Would get the stories marked yes." if anything else "Would get no mail: no story matches."
    said = " ".join(str(part) for part in (row.code or "", row.reply) if part)
    tries = f" after {row.attempts} attempt{'s' if row.attempts != 1 else ''}" if row.attempts else ""
    sentences = {
        DeliveryState.QUEUED: "Waits to be sent.",
        DeliveryState.CLAIMED: "Is being sent.",
        DeliveryState.ACCEPTED: f"Accepted by the server at {row.settled_at}{tries}: {said}",
        DeliveryState.REFUSED: f"Refused by the server at {row.settled_at}{tries}, at {row.step}: {said}",
        DeliveryState.DEFERRED: f"Put off{tries}, at {row.step}: {said}. Next attempt at {row.next_at}.",
        DeliveryState.UNKNOWN: f"Unknown since {row.settled_at}: {said}. Not sent again by itself.",
        DeliveryState.SKIPPED: f"Skipped: {said}.",
    }
    return sentences[row.state]


def _reason(topics: tuple[str, ...], interests: tuple[str, ...], labels: Mapping[str, str]) -> str:
    if not topics:
        return "for everybody"
    if not interests:
        return "no interests chosen: the whole issue"
    common = [labels.get(topic, topic) for topic in topics if topic in interests]
    return "chose " + ", ".join(common) if common else "only for " + ", ".join(labels.get(t, t) for t in topics)
