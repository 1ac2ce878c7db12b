"""Connections: a page in a thread borrows a store of its own and gives it back; the event loop has one to read with.

What is posted takes turns in one thread. SQLite lets one write at a time, and those who wait for it there only look
again every few milliseconds: eight at once would spend half as much again on each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from mailer.store import SqliteStore


class Stores:
    """As many stores as requests run at once. WAL lets all of them read while one writes."""

    def __init__(self, open_: Callable[[], SqliteStore]) -> None:
        self._open = open_
        self._idle: deque[SqliteStore] = deque()
        self.reading: SqliteStore | None = None  # the event loop's, while the site runs
        self.writer = ThreadPoolExecutor(1, "writer")

    @contextmanager
    def borrow(self) -> Generator[SqliteStore]:
        """A store that no other thread uses meanwhile."""
        try:
            store = self._idle.pop()
        except IndexError:
            store = self._open()
        try:
            yield store
        finally:
            self._idle.append(store)

    def open(self) -> None:
        """Open the event loop's. Raises StoreError."""
        self.reading = self._open()
        self.reading.only_read()

    def close(self) -> None:
        """Close all that are idle, and the event loop's. What waits for its turn to write is given up."""
        self.writer.shutdown(cancel_futures=True)
        if self.reading:
            self.reading.close()
            self.reading = None
        while self._idle:
            self._idle.pop().close()
