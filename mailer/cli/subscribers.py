"""subscribers import, export, list, show, add, change, remove, erase: the audience."""

from __future__ import annotations

import csv
import getpass
import os
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from mailer.audience import subscribers as people
from mailer.audience.columns import OWN
from mailer.audience.intake import Report, import_csv
from mailer.cli import views
from mailer.cli.app import Json, confirmed, data, err, newsroom, out, print_json, print_json_list, say
from mailer.models import Problem, SubscriberState
from mailer.newsroom import clock
from mailer.times import timestamp

app = typer.Typer(no_args_is_help=True, help="The audience: import, export, list, show, add, change, remove, erase.")
Email = Annotated[str, typer.Argument(metavar="EMAIL")]
Interests = Annotated[
    str | None, typer.Option("--interests", metavar="A,B", help="By id or label, separated by , or ;")
]


@app.command(name="import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A header, then: email,name,interests,language")],
    source: Annotated[
        str | None,
        typer.Option(
            "--source", metavar="TEXT", help="Where these people consented: kept in the journal. Default: asks."
        ),
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the rest, write bad lines to a file.")] = False,
    as_json: Json = False,
) -> None:
    """Import a CSV file in one transaction: with any bad line, nothing."""
    room = newsroom(context)
    if source is None:
        source = _ask_source() if file.is_file() else ""  # one that is not there is told below
    problems: list[dict[str, Any]] = []

    def on_bad(problem: Problem) -> None:
        if as_json:
            problems.append({"line": problem.line, "text": problem.text})
        else:
            err.print(escape(str(problem)))

    with _bar(file) as on_progress:
        report = import_csv(
            *(file, str(file), room.store.audience, room.config, room.tokens, timestamp(clock())),
            source=source,
            skip_bad=skip_bad,
            on_bad=on_bad,
            on_progress=on_progress,
        )
    if as_json:
        rejects = str(report.rejects) if report.rejects else None
        print_json({"file": str(file)} | asdict(report) | {"rejects": rejects, "problems": problems})
    else:
        _say_report(report, skip_bad)
    if report.added and not source.strip() and not as_json:
        say("[warn]The journal says nothing of where these people consented.[/]")
    raise typer.Exit(1 if report.bad and not skip_bad else 0)


def _ask_source() -> str:
    """Before anything is read: the journal is only added to, so it cannot be said later. Enter leaves it open."""
    say("Where did these people consent? The journal keeps it; it cannot be said later.")
    err.print("Source, such as “sign-up sheet, fair of May 2019”: ", end="", markup=False)
    typed = sys.stdin.readline()
    if not typed:
        say("no answer")
        raise typer.BadParameter("is missing, and there is nobody to ask. Nothing was imported", param_hint="--source")
    return typed.strip()


def _say_report(report: Report, skip_bad: bool) -> None:
    if report.bad and not skip_bad:
        verb = "is" if report.bad == 1 else "are"
        say(f"[bad]{report.bad:,} of {views.count_of(report.lines, 'line')} {verb} bad, so nothing was imported.[/] "
            "Mend them, or import the good ones with --skip-bad.")  # fmt: skip
        return
    parts = [f"{report.added:,} added"]
    if report.known:
        parts.append(f"{report.known:,} known already and left as they are")
    if report.kept_out:
        parts.append(f"{report.kept_out:,} kept out, because they left or were erased")
    if report.bad:
        parts.append(f"{report.bad:,} rejected and written to {report.rejects}")
    if report.unused_columns:
        parts.append(f"kept but not used in mails: {', '.join(report.unused_columns)}")
    told = ["; ".join(parts) + "."]
    if report.without_interests:
        verb = "gets" if report.without_interests == 1 else "get"
        told.append(f"{report.without_interests:,} of {report.added:,} chose no interests and {verb} the whole issue.")
    out.print("\n".join(told), soft_wrap=True, markup=False)


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
    """Write everybody as CSV to standard output. It can be imported into another newsroom."""
    audience = newsroom(context).store.audience
    if as_json:
        print_json_list(map(views.subscriber_data, audience.all()))
        return
    columns = list(dict.fromkeys(name for person in audience.all() for name in person.fields))
    writer = csv.writer(data(), lineterminator="\n")
    writer.writerow([*OWN, *columns])
    for person in audience.all():
        own = (person.email, person.name, ";".join(person.interests), person.language, person.state)
        writer.writerow([*own, *(person.fields.get(name, "") for name in columns)])


@app.command(name="list")
def list_(
    context: typer.Context,
    state: Annotated[SubscriberState | None, typer.Option("--state", help="Only these.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many the table shows.")] = 100,
    as_json: Json = False,
) -> None:
    """The first hundred, in the order they came, and how many there are; with --json, everybody."""
    room = newsroom(context)
    found = room.store.audience.all(state)
    if as_json:
        print_json_list(map(views.subscriber_data, found))
        return
    counts = room.store.audience.counts()
    total = counts.get(state, 0) if state else sum(counts.values())
    if not total:
        say(f"Nobody is {state}." if state else "Nobody yet. Begin with: mailer subscribers import FILE.csv")
        return
    out.print(views.subscribers_table(islice(found, limit), room.config.interests))
    if total > limit:
        say(f"These are {limit:,} of {total:,}. More with --limit N.\nAll of them with: mailer subscribers export")
    out.print(", ".join(f"{count:,} {state}" for state, count in counts.items()) + ".")


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
    interests: Interests = "",
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="Such as fr.")] = "",
    as_json: Json = False,
) -> None:
    """Subscribe somebody."""
    room = newsroom(context)
    chosen, now = _words(interests), timestamp(clock())
    person = people.add(room.store.audience, room.config, room.tokens, email, name, chosen, now, language, operator())
    _confirm(person.email, "added", as_json)


@app.command()
def change(
    context: typer.Context,
    email: Email,
    name: Annotated[str | None, typer.Option("--name")] = None,
    interests: Interests = None,
    language: Annotated[str | None, typer.Option("--language", metavar="CODE", help="Such as fr.")] = None,
    as_json: Json = False,
) -> None:
    """Change what is given; an empty value takes it away."""
    if name is None and interests is None and language is None:
        raise typer.BadParameter("say what to change: --name, --interests or --language")
    room = newsroom(context)
    chosen = None if interests is None else _words(interests)
    person = people.change(
        *(room.store.audience, room.config, email, timestamp(clock())),
        name=name,
        interests=chosen,
        language=language,
        by=operator(),
    )
    _confirm(person.email, "changed", as_json)


@app.command()
def remove(context: typer.Context, email: Email, as_json: Json = False) -> None:
    """Take somebody off the list. No import brings them back."""
    room = newsroom(context)
    person = people.remove(room.store.audience, email, timestamp(clock()), operator())
    _confirm(person.email, person.state, as_json)


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
    if not yes and not confirmed(f"Erase {person.email}? This cannot be undone."):
        raise typer.Exit(1)
    people.erase(room.store.audience, room.tokens, email, timestamp(clock()), operator())
    _confirm(person.email, "erased", as_json)


def operator() -> str:
    """The login name of whoever runs this command, for the consent journal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"user {os.getuid()}"


def _words(given: str | None) -> list[str]:
    return re.split("[,;]", given or "")


def _confirm(email: str, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"email": email, "state": what})
    else:
        out.print(f"{email}: {what}.", soft_wrap=True, markup=False)
