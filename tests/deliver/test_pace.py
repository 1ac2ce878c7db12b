"""The rate, on an event loop whose clock only moves when everybody waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

from mailer.deliver.pace import Pace


class Leap(selectors.DefaultSelector):
    """Instead of waiting it moves the loop's time on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now += timeout or 0.0
        return super().select(0)


def run(main: Callable[[], Any]) -> Any:
    leap = Leap()
    loop = asyncio.SelectorEventLoop(leap)
    loop.time = lambda: leap.now  # type: ignore[method-assign]
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())


def moments(rate: float, workers: int, messages: int) -> list[float]:
    """When each message goes out, over all workers."""
    taken: list[float] = []

    async def work(pace: Pace) -> None:
        while len(taken) < messages:
            await pace.turn(asyncio.Event())
            taken.append(round(asyncio.get_running_loop().time(), 6))

    async def main() -> None:
        pace = Pace(rate)
        await asyncio.gather(*(work(pace) for _ in range(workers)))

    run(main)
    return taken[:messages]


def test_messages_of_all_connections_together_are_evenly_spaced():
    assert moments(rate=10, workers=3, messages=7) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_less_than_one_a_second():
    assert moments(rate=0.5, workers=2, messages=3) == [0.0, 2.0, 4.0]


def test_no_rate_is_no_waiting():
    assert moments(rate=0, workers=2, messages=50) == [0.0] * 50


def test_time_lost_is_not_caught_up_with_a_burst():
    async def main() -> list[float]:
        pace, loop = Pace(1), asyncio.get_running_loop()
        taken = []
        for pause in (0, 30, 0, 0):
            await asyncio.sleep(pause)
            await pace.turn(asyncio.Event())
            taken.append(round(loop.time(), 6))
        return taken

    assert run(main) == [0.0, 30.0, 31.0, 32.0]


def test_ready_says_whether_a_turn_would_wait():
    async def main() -> list[bool]:
        pace = Pace(2)
        seen = [pace.ready()]
        await pace.turn(asyncio.Event())
        seen.append(pace.ready())
        await asyncio.sleep(0.5)
        return [*seen, pace.ready(), Pace(0).ready()]

    assert run(main) == [True, False, True, True]
