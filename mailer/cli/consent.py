"""consent show and verify, retention, keys rotate: what can be shown, how long it is kept, which keys sign."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from itertools import chain
from typing import Annotated, Any

import typer
from rich.markup import escape

from mailer import config as configuration
from mailer.audience import mydata, replay, retention
from mailer.audience import subscribers as people
from mailer.audience.registry import Registry
from mailer.cli import signing, views
from mailer.cli.app import Json, newsroom, out, print_json, say
from mailer.cli.subscribers import confirmed
from mailer.deliver.job import timestamp
from mailer.models import Event, JournalRow
from mailer.newsroom import Newsroom, clock
from mailer.tokens import mark_of

app = typer.Typer(no_args_is_help=True, help="The consent journal: show, verify.")
keys = typer.Typer(no_args_is_help=True, help="The keys that sign readers' links, and mail: rotate, dkim.")
keys.command("dkim")(signing.dkim)
_SHOWN_PROBLEMS = 20


@app.command()
def show(context: typer.Context, email: Annotated[str, typer.Argument(metavar="EMAIL")], as_json: Json = False) -> None:
    """What the journal holds of one person; with --json, everything that is held about them."""
    room = newsroom(context)
    registry = _registry(room)
    person = people.find(registry.audience, email)
    if as_json:
        print_json(mydata.of(registry, person.id))
        return
    rows = registry.journal.rows(person.id)
    told = [(row.at, row.event, row.channel, escape(_told(row))) for row in rows]
    out.print(f"{person.email}: {person.state}, subscriber {person.id}.", soft_wrap=True, markup=False)
    out.print(views.in_whole_words(views.table("time", "what", "how", "details"), told))
    for id_, text in mydata.wordings(registry, rows).items():
        out.print(f"Wording {id_}: {text or 'missing'}", markup=False)


@app.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Check that no row was edited, moved or lost, and that the subscribers are what the journal says."""
    room = newsroom(context)
    registry = _registry(room)
    checked = registry.journal.verify()
    problems = list(chain(checked.problems, replay.differences(registry.audience, registry.journal)))
    if as_json:
        print_json({"rows": checked.rows, "hash": checked.hash, "problems": problems})
    elif problems:
        for problem in problems[:_SHOWN_PROBLEMS]:
            out.print(problem, markup=False, soft_wrap=True)
        if len(problems) > _SHOWN_PROBLEMS:
            say(f"And {len(problems) - _SHOWN_PROBLEMS:,} more; all of them with --json.")
        say(f"[bad]{views.count_of(len(problems), 'problem')} in {views.count_of(checked.rows, 'row')}.[/] "
            "Compare with your latest backup.")  # fmt: skip
    else:
        out.print(f"{views.count_of(checked.rows, 'row')}, whole and unchanged; subscribers are what they say.")
        say(f"Keep this elsewhere, to recognise an older copy:\n  row {checked.rows}, {checked.hash}")
    raise typer.Exit(1 if problems else 0)


def remove_overdue(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what was kept as long as [retention] says; shows first what that is, and asks."""
    registry = _registry(newsroom(context))
    now = timestamp(clock())
    found = retention.overdue(registry, now)
    anything = any(each.count for each in found)
    if not as_json:
        table = views.table("kept for", "what is older", "count")
        for each in found:
            table.add_row(_span(each.period), each.what, f"{each.count:,}")
        out.print(table)
        if not anything:
            say("Nothing is older than its period.")
    removed = anything and (yes or (not as_json and confirmed("Remove it? This cannot be undone.")))
    if removed:
        retention.remove(registry, now)
    if as_json:
        overdue = [asdict(each) | {"period": int(each.period.total_seconds())} for each in found]
        print_json({"removed": removed, "overdue": overdue})
    elif removed:
        out.print("Removed.")
    raise typer.Exit(1 if anything and not removed and not as_json else 0)


@keys.command()
def rotate(context: typer.Context, as_json: Json = False) -> None:
    """Sign with a new key from now on. Links signed with the others go on working."""
    room = newsroom(context)
    ring = configuration.key_ring(room.root, room.env)
    taken = {mark_of(key) for key in ring[1:]}
    new = configuration.new_key()
    while mark_of(new) in taken and len(taken) < 26:
        new = configuration.new_key()
    path = configuration.add_key(room.root, new, room.env)
    count = len(ring) + 1
    if as_json:
        print_json({"file": str(path), "keys": count})
        return
    out.print(f"A new key signs from now on; {count} verify. Keep a copy of {path}.", soft_wrap=True, markup=False)
    say("Restart mailer serve, and send no issue meanwhile: a program that runs keeps the keys it began with.")


def _registry(room: Newsroom) -> Registry:
    return Registry(room.store, room.config, room.tokens)


def _told(row: JournalRow) -> str:
    if row.details is None:
        return "taken out"
    if row.event is Event.IMPORTED and not row.details.get("source"):
        return "source: not stated"
    parts = [f"{key.replace('_', ' ')}: {_value(value)}" for key, value in row.details.items() if value not in ("", [])]
    parts += [f"{label}: {value}" for label, value in (("network", row.network), ("agent", row.agent)) if value]
    return "; ".join(parts)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _span(period: timedelta) -> str:
    if period.days and period.days % 365 == 0:
        return views.count_of(period.days // 365, "year")
    if period.days:
        return f"{period.days:,} day{'s' if period.days > 1 else ''}"
    return views.count_of(period.seconds // 60, "minute")
