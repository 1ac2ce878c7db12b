"""What the server says: replies read however they are split over packets or arrive together (RFC 5321 section 4.2)."""

from __future__ import annotations

import asyncio
import re
from collections import deque

_LONGEST = 64 * 1024  # bytes of one reply; RFC 5321 section 4.5.3.1.5 asks for lines of 512
_BLOCK_TIMEOUT = 180.0  # seconds; RFC 5321 section 4.5.3.2.5
_LINE = re.compile(r"[0-9]{3}(?:[ -]|$)")


class Lost(Exception):
    """The connection broke, or the server fell silent; the message says which."""


class Replies(asyncio.Protocol):
    """Takes over a transport: writes with back-pressure, reads one reply after another."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._lines: list[str] = []
        self._replies: deque[tuple[int, str]] = deque()
        self._lost = ""
        self._waiter: asyncio.Future[bool] | None = None
        self._paused = False
        # Paused until the socket has taken all but a byte. Not 0: asyncio's TLS pauses at `size >= high`, for ever.
        transport.set_write_buffer_limits(high=1, low=0)

    async def write(self, data: bytes) -> None:
        """Write data and wait until the socket has taken all of it. Raises Lost when it did not."""
        if not self._lost:
            self._transport.write(data)
        while self._paused and not self._lost:
            if not await self._wait(_BLOCK_TIMEOUT):
                self._fail(f"the server took nothing for {_BLOCK_TIMEOUT:.0f} seconds")
        if self._lost and not self._replies:  # what was said before it broke is read first
            raise Lost(self._lost)

    @property
    def lost(self) -> bool:
        """Whether the connection is gone; replies may wait all the same."""
        return bool(self._lost)

    async def reply(self, timeout: float) -> tuple[int, str]:
        """The next reply: its code and its text, lines joined by a blank. Raises Lost."""
        while not self._replies:
            if self._lost:
                raise Lost(self._lost)
            if not await self._wait(timeout):
                raise Lost(f"no reply within {timeout:.0f} seconds")
        return self._replies.popleft()

    def now(self) -> float:
        """The loop's time, in seconds."""
        return self._loop.time()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r").decode("utf-8", "replace"))
        self._check_length(len(self._buffer))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._fail(f"the connection broke: {exc}" if exc else "the server closed the connection")

    def eof_received(self) -> None:
        """asyncio: the server has said its last. Left to itself the transport would first send all that still waits."""
        self._fail("the server closed the connection")

    def pause_writing(self) -> None:
        """asyncio: the socket's buffer is full."""
        self._paused = True

    def resume_writing(self) -> None:
        """asyncio: the socket has taken everything."""
        self._paused = False
        self._wake()

    async def _wait(self, timeout: float) -> bool:
        """Until something happens; False when nothing did in time. asyncio.wait_for would cost a task each time."""
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(timeout, self._wake, False)
        try:
            return await self._waiter
        finally:
            self._waiter = None
            timer.cancel()

    def _wake(self, happened: bool = True) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(happened)

    def _take(self, line: str) -> None:
        if self._lost or not self._check_length(len(line)):
            return
        if not _LINE.match(line):
            self._fail(f"the server said something that is no SMTP reply: {line[:80]!r}")
            return
        self._lines.append(line[4:])
        if line[3:4] != "-":
            self._replies.append((int(line[:3]), " ".join(self._lines)))
            self._lines.clear()

    def _check_length(self, more: int) -> bool:
        if more + sum(map(len, self._lines)) <= _LONGEST if self._lines else more <= _LONGEST:
            return True
        self._fail(f"the reply is longer than {_LONGEST} bytes")
        return False

    def _fail(self, why: str) -> None:
        self._lost = self._lost or why
        self._transport.abort()
        self._wake()
