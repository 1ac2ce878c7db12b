"""A bell that wakes a task of the event loop from any thread."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Bell:
    """One task waits; whoever rings does not. Rung while nobody waits, it is heard at the next wait."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the task, if there is one."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._rung.set)

    def hang(self) -> None:
        """Let the running loop hear it from now on."""
        self._loop = asyncio.get_running_loop()

    def take_down(self) -> None:
        """Nobody hears it any more."""
        self._loop = None

    async def wait(self, seconds: float) -> None:
        """Until it rings, but no longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()
