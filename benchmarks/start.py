"""Starting, measured: `mailer --help` against a Python that imports typer and rich, and what other commands take.

    python benchmarks/start.py [--rounds N] [--quick]

Each is a process of its own, from start to end. The peer is the least that a command made with these two can take: it
draws nothing. The status is of a new newsroom, the check of the December 2018 issue.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter

import measure
from measure import checked, in_turn, judged, machine

ROOT = Path(__file__).parent.parent
SLUG = "2018-12"
MOST = 2.0  # times the peer
WARM_UP = 2  # rounds until the files lie in memory
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}


def main() -> None:
    options = _options()
    print(machine("typer", "rich"))
    print(f"times     medians of rounds in turn (fastest to slowest){measure.QUICK * options.quick}\n")
    with tempfile.TemporaryDirectory() as scratch:
        newsroom = f"{scratch}/newsroom"
        _run("-m", "mailer", "init", "--yes", newsroom)
        commands = {
            'python -c "import typer, rich"': ["-c", "import typer, rich"],
            "mailer --help": ["-m", "mailer", "--help"],
            "mailer status": ["-m", "mailer", "-C", newsroom, "status"],
            f"mailer check {SLUG}": ["-m", "mailer", "-C", str(ROOT), "check", SLUG],
        }
        timings = in_turn(options.rounds, WARM_UP, {name: partial(_timed, *words) for name, words in commands.items()})
    for timing in timings:
        print(timing.row())
    listing = _run("-m", "mailer", "--help")
    checked("╭─ Send ─" in listing and "subscribers" in listing, "the list of commands is drawn")
    print(judged("mailer --help takes", timings[1].median / timings[0].median, MOST, "times the peer", at_most=True))


def _timed(*arguments: str) -> float:
    began = perf_counter()
    _run(*arguments)
    return perf_counter() - began


def _run(*arguments: str) -> str:
    """Python with these arguments, to its end; what it printed."""
    environment = _ENVIRONMENT | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode("utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each measurement")
    parser.add_argument("--quick", action="store_true", help="one round, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    return options


if __name__ == "__main__":
    main()
