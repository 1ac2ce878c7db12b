"""How sending grows with connections, with the size of a mail, with the audience, and over a distance.

    python benchmarks/growth.py [--rounds N] [--million] [--plot FILE] [--quick]

Each number is one whole send by a process of its own: claim, fill, send, log. The sink is Postfix's smtp-sink; over a
distance it is a relay whose replies take 50 ms, so that a connection carries one message in 50 ms at the best.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import measure
from distant import Distant
from measure import checked, judged, machine
from outbox import Desk, Sent
from plot import Panel, Points, svg
from sink import NoSink, Sink, postfix

_LATENCY = 0.05  # seconds


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
        print(f"with      {versions}; medians of {options.rounds} rounds{measure.QUICK * options.quick}")
        desks = {
            "short": Desk.make(scratch / "short", options.few, short=True),
            "real": Desk.make(scratch / "real", options.few),
            "embedded": Desk.make(scratch / "embedded", options.few, embed=True),
        }
        by_connections, by_size = connections_and_size(desks, sink, options)
        by_audience = audience(scratch, sink, options)
        distance(desks["short"], options)
        if options.plot:
            panels = [
                Panel("Messages a second", "connections", by_connections),
                Panel("Microseconds a message", "bytes of a mail", {"4 connections": by_size}),
                Panel("Seconds for an audience", "people", {"short mail": by_audience}),
            ]
            what = "Messages a second by connections, time a message by its size, and time of a send by its audience"
            options.plot.write_text(svg(panels, what), "utf-8")
            print(f"\nplotted in {options.plot}")


def connections_and_size(
    desks: dict[str, Desk], sink: Sink, options: argparse.Namespace
) -> tuple[dict[str, Points], Points]:
    """The rate by connections for each size of a mail; and the time a message by size, over 4 connections."""
    print(f"\nMessages a second to {options.few:,}, by size of a mail and connections")
    print(f"  {'':>10}" + "".join(f"{number:>10}" for number in options.connections))
    rates: dict[str, Points] = {}
    sizes = []
    for desk in desks.values():
        line = []
        for number in options.connections:
            seconds = statistics.median(desk.send(sink, number).seconds for _ in range(options.rounds))
            line.append((float(number), options.few / seconds))
            if number == 4:
                sizes.append((float(desk.size), seconds / options.few * 1e6))
        rates[f"{desk.size / 1000:,.0f} kB"] = line
        print(f"  {desk.size / 1000:>7,.0f} kB" + "".join(f"{rate:>10,.0f}" for _, rate in line))
    return rates, sizes


def audience(scratch: Path, sink: Sink, options: argparse.Namespace) -> Points:
    """Time and memory by audience, with a short mail, so that a million is not mostly the loopback's bytes."""
    print(f"\n  {'people':>10}{'seconds':>10}{'a second':>10}{'CPU us each':>13}{'peak MB':>9}")
    points = []
    sent: list[Sent] = []
    for number, people in enumerate(options.audiences):
        desk = Desk.make(scratch / f"audience-{number}", people, short=True)
        one = desk.send(sink, 4)
        rate, cpu = people / one.seconds, one.cpu / people * 1e6
        print(f"  {people:>10,}{one.seconds:>10.1f}{rate:>10,.0f}{cpu:>13.0f}{one.memory:>9.0f}")
        points.append((float(people), one.seconds))
        sent.append(one)
    print(judged("the most memory is", max(one.memory for one in sent), 150, "MB", at_most=True))
    checked(all(one.open == 0 and one.accepted == one.audience for one in sent), "everybody got it, nothing is open")
    return points


def distance(desk: Desk, options: argparse.Namespace) -> None:
    """50 connections to a relay whose replies take 50 ms."""
    count, number = options.few, options.far
    ideal = number / _LATENCY
    with Distant(_LATENCY) as far:
        seconds = statistics.median(desk.send(far, number).seconds for _ in range(options.rounds))
    print(f"\n{count:,} messages over {number} connections, replies after 50 ms: {count / seconds:,.0f}/s")
    # A connection is set up in four round trips: greeting, EHLO, and the first envelope, before any content.
    bound = number * ((seconds / _LATENCY) - 4)
    print(f"     one message a round trip on each would be {ideal:,.0f}/s")
    print(judged("of the round trips after the set-up, messages fill", 100 * count / bound, 80, "%"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement")
    parser.add_argument("--million", action="store_true", help="a million people, too: some five minutes")
    parser.add_argument("--plot", type=Path, help="draw it into this SVG file")
    parser.add_argument("--quick", action="store_true", help="60 people, one round, to see that it works")
    options = parser.parse_args()
    options.few, options.connections, options.far = 5_000, [1, 2, 4, 8, 16, 50], 50
    options.audiences = [2_000, 20_000, 200_000] + [1_000_000] * options.million
    if options.quick:
        options.rounds, options.few, options.connections, options.audiences, options.far = 1, 60, [2, 4], [60], 5
    return options


if __name__ == "__main__":
    main()
