"""How fast: an even rate of messages a second over all connections."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Pace:
    """Gives each message its moment. A rate of 0 means at once."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    def ready(self) -> bool:
        """Whether a message may go out now."""
        return not self._gap or asyncio.get_running_loop().time() >= self._next

    async def turn(self, stop: asyncio.Event) -> None:
        """Wait until the next message may go out, or for `stop`."""
        if not self._gap:
            return
        now = asyncio.get_running_loop().time()
        moment = max(now, self._next)
        self._next = moment + self._gap
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), moment - now)
