"""consent show, consent verify: what the consent journal holds, and whether it is whole."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Any

import typer
from rich.markup import escape

from mailer.audience import mydata, replay
from mailer.audience import subscribers as people
from mailer.cli import views
from mailer.cli.app import Json, newsroom, out, print_json, say
from mailer.models import Event, JournalRow

app = typer.Typer(no_args_is_help=True, help="The consent journal: show, verify.")
_SHOWN_PROBLEMS = 20


@app.command()
def show(context: typer.Context, email: Annotated[str, typer.Argument(metavar="EMAIL")], as_json: Json = False) -> None:
    """What the journal holds of one person; with --json, everything that is held about them."""
    registry = newsroom(context).registry
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
    registry = newsroom(context).registry
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
