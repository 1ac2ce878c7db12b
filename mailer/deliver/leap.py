"""An event loop that leaps over waits: where nothing can happen before a timer, its time goes on to that timer.

Latencies, rates, limits a day and waits of hours then cost no more than the work in them. Only for programs that talk
to nobody but themselves: what comes from outside does not leap.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from mailer.times import Clock

Result = TypeVar("Result")
Event = tuple[selectors.SelectorKey, int]

_LONG = 1.0  # seconds: a leap that is looked at twice, since packets may be under way between two sockets
_LOOK = 0.001  # seconds, really: a wait of 12 hours is 720 leaps (run.py)


class _Selector(selectors.DefaultSelector):
    """Looks, and leaps instead of waiting."""

    leapt = 0.0

    def select(self, timeout: float | None = None) -> list[Event]:
        """What is ready now; when nothing is, the time until the next timer is over. Without one it waits."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or timeout > _LONG:
            ready = super().select(_LOOK if timeout is not None else None)
        if not ready and timeout is not None:
            self.leapt += timeout
        return ready


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its time is the real one and all leaps."""

    def __init__(self) -> None:
        self._selector_ = _Selector()
        super().__init__(self._selector_)

    def time(self) -> float:
        """Seconds."""
        return time.monotonic() + self._selector_.leapt


def clock(start: datetime) -> Clock:
    """A clock that goes with the running loop, from `start`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    return lambda: start + timedelta(seconds=loop.time() - began)


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """asyncio.run, leaping."""
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(main)
