"""subscribers import, export, list, show, add, remove, erase: the audience."""

from __future__ import annotations

import csv
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from mailer.audience import subscribers as people
from mailer.audience.intake import Report, import_csv
from mailer.cli import views
from mailer.cli.app import Json, err, newsroom, out, print_json, say
from mailer.deliver.engine import timestamp
from mailer.models import Problem, SubscriberState
from mailer.newsroom import Newsroom, clock

app = typer.Typer(no_args_is_help=True, help="The audience: import, export, list, show, add, remove, erase.")
Email = Annotated[str, typer.Argument(metavar="EMAIL")]


@app.command(name="import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A header, then: email,name,interests,language")],
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the rest, write bad lines to a file.")] = False,
    as_json: Json = False,
) -> None:
    """Import a CSV file in one transaction: with any bad line, nothing."""
    room = newsroom(context)
    problems: list[dict[str, Any]] = []
    with _rejects(file, skip_bad) as write_reject, _bar(file) as on_progress:

        def on_bad(problem: Problem, fields: list[str]) -> None:
            if as_json:
                problems.append({"line": problem.line, "text": problem.text})
            else:
                err.print(escape(str(problem)))
            write_reject([str(problem.line), problem.text, *fields])

        report = import_csv(
            *(file, str(file), room.store.audience, room.config, room.tokens, timestamp(clock())),
            skip_bad=skip_bad,
            on_bad=on_bad,
            on_progress=on_progress,
        )
    nothing = bool(report.bad and not skip_bad)
    if as_json:
        print_json({"file": str(file), "lines": report.lines, "added": report.added, "known": report.known,
                    "kept_out": report.kept_out, "bad": report.bad, "problems": problems})  # fmt: skip
    else:
        _say_report(report, file, nothing, skip_bad)
    raise typer.Exit(1 if nothing else 0)


def _say_report(report: Report, file: Path, nothing: bool, skip_bad: bool) -> None:
    if nothing:
        lines = "line is" if report.bad == 1 else "lines are"
        say(f"[bad]{report.bad:,} of {report.lines:,} {lines} bad, so nothing was imported.[/] "
            "Mend them, or import the good ones with --skip-bad.")  # fmt: skip
        return
    parts = [f"{report.added:,} added"]
    if report.known:
        parts.append(f"{report.known:,} known already and left as they are")
    if report.kept_out:
        parts.append(f"{report.kept_out:,} kept out, because they left or were erased")
    if report.bad and skip_bad:
        parts.append(f"{report.bad:,} bad lines written to {_rejects_path(file)}")
    out.print("; ".join(parts) + ".", soft_wrap=True)


def _rejects_path(file: Path) -> Path:
    return file.with_name(f"{file.stem}.rejected.csv")


@contextmanager
def _rejects(file: Path, wanted: bool) -> Generator[Any]:
    """Writes rejected lines beside the input, each with its line number and what is wrong."""
    if not wanted:
        yield lambda row: None
        return
    with _rejects_path(file).open("w", encoding="utf-8", errors="surrogateescape", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["line", "problem", "fields"])
        yield writer.writerow


@contextmanager
def _bar(file: Path) -> Generator[Any]:
    """A progress bar in a terminal, nothing elsewhere."""
    size = file.stat().st_size if file.is_file() else 0
    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal or size < 1_000_000) as progress:
        task = progress.add_task("", total=size)
        yield lambda position: progress.update(task, completed=position)


@app.command()
def export(context: typer.Context, as_json: Json = False) -> None:
    """Write everybody as CSV to standard output."""
    room = newsroom(context)
    if as_json:
        print_json([views.subscriber_data(person) for person in room.store.audience.all()])
        return
    everybody = list(dict.fromkeys(name for person in room.store.audience.all() for name in person.fields))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["email", "name", "interests", "language", *everybody, "state"])
    for person in room.store.audience.all():
        own = (person.email, person.name, ";".join(person.interests), person.language)
        writer.writerow([*own, *(person.fields.get(name, "") for name in everybody), person.state])


@app.command(name="list")
def list_(
    context: typer.Context,
    state: Annotated[SubscriberState | None, typer.Option("--state", help="Only these.")] = None,
    as_json: Json = False,
) -> None:
    """Everybody, in the order they came."""
    room = newsroom(context)
    found = room.store.audience.all(state)
    if as_json:
        print_json([views.subscriber_data(person) for person in found])
        return
    out.print(views.subscribers_table(found, room.config.interests))
    out.print(_totals(room))


def _totals(room: Newsroom) -> str:
    counts = room.store.audience.counts()
    return ", ".join(f"{count:,} {state}" for state, count in counts.items()) + "." if counts else "Nobody yet."


@app.command()
def show(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """One person, and the issues they got."""
    room = newsroom(context)
    person = people.find(room.store.audience, email)
    log = room.store.sendlog
    rows = [(plan.issue, log.delivery(plan.issue, person.id)) for plan in log.plans()]
    got = [(issue, row) for issue, row in rows if row]
    if as_json:
        issues = [{"issue": issue, "state": row.state, "settled_at": row.settled_at} for issue, row in got]
        print_json(views.subscriber_data(person) | {"issues": issues})
        return
    out.print(views.subscribers_table([person], room.config.interests))
    for issue, row in got:
        out.print(f"  {issue}: {row.state} {row.settled_at}")


@app.command()
def add(
    context: typer.Context,
    email: Email,
    name: Annotated[str, typer.Option("--name")] = "",
    interests: Annotated[str, typer.Option("--interests", metavar="A,B", help="Separated by commas.")] = "",
    as_json: Json = False,
) -> None:
    """Subscribe somebody."""
    room = newsroom(context)
    chosen = [interest.strip() for interest in interests.split(",") if interest.strip()]
    person = people.add(room.store.audience, room.config, room.tokens, email, name, chosen, timestamp(clock()))
    _confirm(person.email, "added", as_json)


@app.command()
def remove(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """Take somebody off the list. No import brings them back."""
    room = newsroom(context)
    person = people.remove(room.store.audience, email, timestamp(clock()))
    _confirm(person.email, "unsubscribed", as_json)


@app.command()
def erase(
    context: typer.Context,
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete everything held about a person but a hash that keeps them from coming back."""
    room = newsroom(context)
    person = people.find(room.store.audience, email)
    if not yes and not typer.confirm(f"Erase {person.email}? This cannot be undone.", err=True):
        say("Nothing was changed.")
        raise typer.Exit(1)
    people.erase(room.store.audience, room.tokens, email, timestamp(clock()))
    _confirm(person.email, "erased", as_json)


def _confirm(email: str, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"email": email, "state": what})
    else:
        out.print(f"{email}: {what}.")
