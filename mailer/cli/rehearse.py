"""rehearse: send an issue to a built-in server that is not kind, and compare what it took with what the log says."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from mailer.cli import views
from mailer.cli.app import IssueName, Json, err, newsroom, out, print_json, say
from mailer.compose.composition import Composition
from mailer.deliver import leap, plan, rehearsal, world
from mailer.deliver.job import Tally
from mailer.errors import MailerError
from mailer.models import Segment
from mailer.newsroom import Newsroom, clock
from mailer.times import timestamp

_SHOWN = 3  # reasons, and addresses, named in the table


class Faults(StrEnum):
    """How the world treats a sender."""

    MILD = "mild"
    HARSH = "harsh"


_CLIMATES = {Faults.MILD: world.MILD, Faults.HARSH: world.HARSH}


def rehearse(
    context: typer.Context,
    issue: IssueName,
    faults: Annotated[Faults, typer.Option("--faults", help="How the built-in server behaves.")] = Faults.MILD,
    audience: Annotated[
        int, typer.Option("--audience", min=0, metavar="N", help="So many invented people. Default: your subscribers.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Another number, other people in trouble.")] = 1,
    as_json: Json = False,
) -> None:
    """Send to a built-in server that behaves like the world. No mail leaves."""
    room = newsroom(context)
    composition = room.compose(issue)
    real = sum(segment.count for segment in room.store.audience.segments())
    if not real and not audience:
        raise MailerError("nobody is subscribed yet. Invent an audience: --audience 1000")
    with tempfile.TemporaryDirectory(prefix="mailer-rehearsal-") as folder:
        file = Path(folder) / "rehearsal.db"
        if audience:
            with closing(_stage(room, file)) as stage:
                rehearsal.invent(stage.store.audience, audience, _segments(room), seed, timestamp(clock()))
        else:
            room.store.copy(file)
        try:
            report = leap.run(_play(room, composition, file, world.World(_CLIMATES[faults], seed)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            say("Stopped. A rehearsal leaves nothing behind.")
            raise typer.Exit(130) from None
    if as_json:
        print_json(_data(report, faults, seed, real or audience))
    else:
        out.print(_table(report, real or audience))
    raise typer.Exit(0 if report.good else 3)


def _segments(room: Newsroom) -> list[Segment]:
    """How the subscribers share the interests; where there are none yet, one person a topic and one without any."""
    alone = [Segment((topic,), 1) for topic in room.config.interests]
    return room.store.audience.segments() or [Segment((), 1), *alone]


def _stage(room: Newsroom, file: Path, relay: str = "") -> Newsroom:
    """The newsroom with another store, and another relay where one is given."""
    env = dict(room.env) | {"MAILER_STORE_URL": f"sqlite:{file}"}
    return Newsroom.open(room.root, env | ({"MAILER_SMTP_URL": relay} if relay else {}))


async def _play(room: Newsroom, composition: Composition, file: Path, sink: world.World) -> rehearsal.Report:
    """Plan and send with the store in this file."""
    tally, task = Tally(), asyncio.current_task()
    assert task is not None  # it is one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # else the copy would stay
    async with sink:
        with closing(_stage(room, file, sink.url)) as stage:
            plan.freeze(composition, stage.store, timestamp(clock()))
            job = stage.job(composition)
            over = views.count_of(job.connections, "connection")
            say(f"Rehearsing {job.issue} with a server of its own.")
            say(f"It has {over}. No mail leaves; waits are leapt over.")
            with Live(console=err, get_renderable=lambda: _progress(tally), refresh_per_second=4, transient=True):
                return await rehearsal.rehearse(job, stage.store.sendlog, sink, leap.clock(clock()), tally)


def _progress(tally: Tally) -> Text:
    counts = (f"{state} {count:,}" for state, count in sorted(tally.states.items()))
    return Text(f"{tally.attempts:,} messages; {', '.join(counts)}" if tally.attempts else "")


def _few(names: Iterable[str]) -> str:
    everything = list(names)
    more = len(everything) - _SHOWN
    return "; ".join(everything[:_SHOWN]) + (f"; and {more:,} more" if more > 0 else "")


def _reasons(reasons: Counter[str]) -> str:
    return escape(_few(f"{count:,} × {reason}" for reason, count in reasons.most_common()))


def _table(report: rehearsal.Report, real: int) -> RenderableType:
    """What an operator wants to know before the real one."""
    balance = report.balance
    made = views.table("rehearsed", "people", "", right=("people",))
    rows = [
        ("accepted", balance.accepted, f"{report.later:,} of them after being put off" if report.later else "", "good"),
        ("refused", balance.refused, _reasons(report.refusals), ""),
        ("unknown", balance.unknown, _reasons(report.unknowns), ""),
        ("skipped", balance.skipped, "no story for them" if balance.skipped else "", ""),
    ]
    for name, count, meaning, style in rows:
        made.add_row(name, f"[{style}]{count:,}[/]" if style else f"{count:,}", f"[second]{meaning}[/]")
    made.add_section()
    made.add_row("audience", f"{balance.audience:,}", f"[second]{views.count_of(balance.editions, 'edition')}[/]")
    made.add_section()
    for name, found, meaning in (
        ("lost", report.lost, "nobody misses a mail that the log calls accepted"),
        ("doubled", report.doubled, "nobody got it twice"),
        ("wrong", report.wrong, "the log and the server agree on everybody"),
    ):
        style, said = ("bad", escape(_few(found))) if found else ("good", f"[second]{meaning}[/]")
        made.add_row(name, f"[{style}]{len(found):,}[/]", said)
    return Group(made, *(Text.from_markup(line) for line in _lines(report, real)))


def _lines(report: rehearsal.Report, real: int) -> Iterable[str]:
    retries = report.attempts - (report.balance.audience - report.balance.skipped)
    yield (
        f"{report.attempts:,} messages were tried, {max(0, retries):,} of them again; "
        f"{report.rate:,.0f} a second, with latency and limits."
    )
    if report.paused:
        yield f"[warn]A real send would have stopped once. It was {escape(report.paused.partition('. ')[0])}.[/]"
    yield (
        f"Forecast for {views.count_of(real, 'subscriber')} under the limits configured: "
        f"{views.span(report.forecast(real))} of sending; {views.span(report.took)} until the last who were put off."
    )
    if report.good:
        yield "Nothing was lost, nothing was doubled. No mail has left, and the send log is as it was."
    else:
        yield "[bad]The log and the server do not agree. Please report this, with the seed.[/]"


def _data(report: rehearsal.Report, faults: Faults, seed: int, real: int) -> dict[str, Any]:
    """The same as JSON. Seconds; `forecast_seconds` is for the real audience, without the waits."""
    return views.balance_data(report.balance) | {
        "faults": faults,
        "seed": seed,
        "attempts": report.attempts,
        "accepted_later": report.later,
        "per_second": round(report.rate, 1),
        "refusals": dict(report.refusals),
        "unknowns": dict(report.unknowns),
        "paused": report.paused,
        "real_audience": real,
        "seconds_with_waits": round(report.took.total_seconds(), 1),
        "forecast_seconds": round(report.forecast(real).total_seconds(), 1),
        "lost": list(report.lost),
        "doubled": list(report.doubled),
        "wrong": list(report.wrong),
    }
