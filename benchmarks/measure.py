"""Timing for the benchmarks: ways of doing a thing take turns in one run, and ratios of medians are judged.

A claim is a ratio against a peer measured in the same run: the machine and what else runs on it strike both alike.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

QUICK = "; --quick shows that it works, its times and targets say nothing"
_WIDTH = 66  # columns of a row's name


@dataclass(slots=True)
class Timing:
    """What one way took, a value a round, in seconds."""

    name: str
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def row(self) -> str:
        """Median, then the fastest and the slowest round."""
        fast, slow = min(self.seconds), max(self.seconds)
        return f"  {self.name:<{_WIDTH}} {shown(self.median):>9}   ({shown(fast)} to {shown(slow)})"


def in_turn(rounds: int, warm_up: int, ways: Mapping[str, Callable[[], float | None]]) -> list[Timing]:
    """Let every way run once a round. A way that returns seconds has timed itself."""
    timings = [Timing(name) for name in ways]
    for number in range(-warm_up, rounds):
        for timing, run in zip(timings, ways.values(), strict=True):
            began = perf_counter()
            own = run()
            took = perf_counter() - began if own is None else own
            if number >= 0:
                timing.seconds.append(took)
    return timings


def shown(seconds: float) -> str:
    """Seconds with three figures."""
    return f"{seconds:.2f} s" if seconds >= 10 else f"{seconds * 1000:,.{max(0, 2 - _digits(seconds * 1000))}f} ms"


def _digits(value: float) -> int:
    return len(str(int(value))) - 1


def judged(what: str, value: float, bound: float, unit: str, *, at_most: bool = False) -> str:
    """One line: the value, its target, and whether it is met."""
    met = value <= bound if at_most else value >= bound
    word = "at most" if at_most else "at least"
    return f"  => {what} {value:,.1f} {unit}. Target: {word} {bound:g}: {'met' if met else 'FALLS SHORT'}"


def machine(*libraries: str) -> str:
    """What this runs on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    return (
        f"machine   {cores} cores, {_processor()}, {platform.system()} {platform.release()}, "
        f"load {os.getloadavg()[0]:.1f}\n"
        f"python    {platform.python_version()}; {versions}"
    )


def _processor() -> str:
    try:
        rows = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((row.partition(":")[2].strip() for row in rows if row.startswith("model name")), platform.machine())


def checked(holds: bool, what: str) -> None:
    """Print that a result is right, or end the run: a benchmark must not be fast by doing something else."""
    if not holds:
        sys.exit(f"WRONG RESULT: {what}")
    print(f"  checked: {what}")
