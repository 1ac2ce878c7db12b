"""A relay that is far away: each reply takes its time. A process of its own, which this file is too.

python benchmarks/distant.py SECONDS
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from types import TracebackType
from urllib.parse import urlsplit

from mailer.cli import loop
from mailer.deliver.world import CLEAR, World


class Distant:
    """Takes every message, and answers `latency` seconds later."""

    def __init__(self, latency: float) -> None:
        command = [sys.executable, __file__, str(latency)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._answer())

    @property
    def messages(self) -> int:
        """How many it has taken since it was started."""
        assert self._process.stdin
        print("how many?", file=self._process.stdin, flush=True)
        return int(self._answer())

    def __enter__(self) -> Distant:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


async def answer(latency: float) -> None:
    """Say the port, then the count each time somebody asks."""
    async with World(replace(CLEAR, latency=latency)) as world:
        print(urlsplit(world.url).port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(world.taken.total(), flush=True)


if __name__ == "__main__":
    loop.run(answer(float(sys.argv[1])))
