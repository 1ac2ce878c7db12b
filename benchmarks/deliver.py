"""Sending, measured: the real issue to thousands, against Postfix's smtp-source and a pool of npm nodemailer.

    python benchmarks/deliver.py [--recipients N] [--rounds N] [--no-peer] [--quick]

All send to one smtp-sink on this machine. Ours is `send` in a process of its own: claim, fill, send, log, a durable row
a reply. smtp-source sends the same bytes over and over and logs nothing. nodemailer gets the same pages and links
ready-made, fills and sends them. Each has the number of connections that suits it best. Rates are of the sending alone;
ours and nodemailer's start, and our reading and rendering the issue, come before (what they cost us is shown).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import measure
import peer
from audience import SEED
from measure import Timing, checked, in_turn, judged, machine
from nodemailer import Pool
from outbox import Desk, Sent
from sink import NoSink, Sink, Used, postfix

Cost = TypeVar("Cost", Sent, Used)


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            versions = postfix()
            sink = stack.enter_context(Sink(scratch))
        except NoSink as reason:
            sys.exit(f"not measured: {reason}")
        print(machine("uvloop", "aiosmtplib"))
        print(f"against   {versions}")
        print(f"times     medians of rounds in turn (fastest to slowest){measure.QUICK * options.quick}")
        few = Desk.make(scratch / "few", options.few)
        desks = [few]
        if not options.quick:
            desks.insert(0, Desk.make(scratch / "short", options.few, short=True))
            desks.append(Desk.make(scratch / "embedded", options.few, embed=True))
        ours, theirs = table(desks, few, sink, options.connections, options.sweeps)
        many = Desk.make(scratch / "many", options.recipients)
        against_smtp_source(many, sink, options.rounds, ours, theirs)
        try:
            if options.no_peer:
                raise peer.NoPeer("--no-peer was given")
            pool = Pool.make(few, sink, scratch / "job.json")
            against_nodemailer(few, sink, pool, options.rounds, ours, options.connections)
        except peer.NoPeer as reason:
            print(f"\nnodemailer was not measured: {reason}")


def table(desks: list[Desk], real: Desk, sink: Sink, connections: list[int], rounds: int) -> tuple[int, int]:
    """The rate by connections and size of a mail. Returns the best numbers for the real issue, ours and theirs."""
    count = real.recipients
    print(f"\nMessages a second to {count:,}, by connections and size: mailer / smtp-source ({rounds} rounds)")
    print(f"  {'connections':>11}" + "".join(f"{number:>17}" for number in connections))
    best = (0, 0)
    for desk in desks:
        ways: dict[str, Callable[[], float]] = {}
        for number in connections:
            ways[f"ours {number}"] = lambda desk=desk, number=number: desk.send(sink, number).seconds
            ways[f"theirs {number}"] = lambda desk=desk, number=number: sink.source(count, number, desk.size).seconds
        rates = [count / timing.median for timing in in_turn(rounds, 0, ways)]
        ours, theirs = rates[::2], rates[1::2]
        cells = [f"{mine:,.0f} / {other:,.0f}" for mine, other in zip(ours, theirs, strict=True)]
        print(f"  {desk.size / 1000:>8.0f} kB" + "".join(f"{cell:>17}" for cell in cells))
        if desk is real:
            best = connections[ours.index(max(ours))], connections[theirs.index(max(theirs))]
    return best


def against_smtp_source(desk: Desk, sink: Sink, rounds: int, connections: int, sessions: int) -> None:
    """The whole path, against a C program that sends ready bytes."""
    count = desk.recipients
    print(f"\n{count:,} messages of {desk.size / 1000:.0f} kB (seed {SEED}), {rounds} rounds")
    ours: Kept[Sent] = Kept(partial(desk.send, sink, connections))
    theirs: Kept[Used] = Kept(partial(sink.source, count, sessions, desk.size))
    taken = sink.messages
    first, second = in_turn(
        rounds,
        0,
        {
            f"mailer, {connections} connections: claim, fill, send, log": ours,
            f"smtp-source, {sessions} sessions: the same bytes over and over": theirs,
        },
    )
    _rates(count, first, second)
    print(f"     for information: {ours.cpu(count):.0f} us of CPU a message, smtp-source {theirs.cpu(count):.0f}")
    before = statistics.median(one.cpu_before for one in ours.kept)
    whole = statistics.median(one.whole for one in ours.kept)
    memory = max(one.memory for one in ours.kept)
    print(f"     start, reading and rendering before that: {before:.2f} s of CPU; {memory:.0f} MB at the most")
    print(f"     with these, from start to end of the process: {second.median / whole:.2f} times as fast")
    print(judged("mailer sends", second.median / first.median, 1, "times as fast as smtp-source"))
    logged = all((one.accepted, one.open) == (count, 0) for one in ours.kept)
    checked(
        logged and sink.messages - taken == 2 * rounds * count,
        f"each log says {count:,} accepted, nothing open; the sink took as many of each send",
    )


def against_nodemailer(desk: Desk, sink: Sink, pool: Pool, rounds: int, connections: int, choices: list[int]) -> None:
    """A warm pool with the same pages and links."""
    count = desk.recipients
    print(f"\n{count:,} messages of {desk.size / 1000:.0f} kB, {rounds} rounds; {peer.versions('nodemailer')}")
    best = min(choices, key=lambda number: pool.send(max(1, count // 4), number).seconds)
    ours: Kept[Sent] = Kept(partial(desk.send, sink, connections))
    theirs: Kept[Used] = Kept(partial(pool.send, count, best))
    first, second = in_turn(
        rounds,
        0,
        {f"mailer, {connections} connections": ours, f"nodemailer, a warm pool of {best} connections": theirs},
    )
    _rates(count, first, second)
    print(f"     for information: {ours.cpu(count):.0f} us of CPU a message, nodemailer {theirs.cpu(count):,.0f}")
    print(judged("mailer sends", second.median / first.median, 6, "times as fast as nodemailer"))
    print(judged("a message takes nodemailer", theirs.cpu(count) / ours.cpu(count), 20, "times the CPU"))
    checked(pool.alike, "the last pages nodemailer filled in each run are ours, character for character")


@dataclass(slots=True)
class Kept(Generic[Cost]):
    """A way of sending that keeps what each round took."""

    run: Callable[[], Cost]
    kept: list[Cost] = field(default_factory=list)

    def __call__(self) -> float:
        self.kept.append(self.run())
        return self.kept[-1].seconds

    def cpu(self, count: int) -> float:
        """Microseconds of CPU time a message, the median."""
        return statistics.median(one.cpu for one in self.kept) * 1e6 / count


def _rates(count: int, *timings: Timing) -> None:
    for timing in timings:
        print(f"{timing.row()}   {count / timing.median:,.0f}/s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--recipients", type=int, default=20_000, help="people the issue is sent to")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each measurement")
    parser.add_argument("--no-peer", action="store_true", help="leave nodemailer out; nothing is installed")
    parser.add_argument("--quick", action="store_true", help="60 people, one round, to see that it works")
    options = parser.parse_args()
    options.few, options.sweeps, options.connections = 2_000, 3, [1, 2, 4, 8]
    if options.quick:
        options.recipients = options.few = 60
        options.rounds = options.sweeps = 1
        options.connections = [1, 4]
    return options


if __name__ == "__main__":
    main()
