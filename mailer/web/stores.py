"""Connections for pages that run in threads: each request borrows a store of its own and gives it back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager

from mailer.store import SqliteStore


class Stores:
    """As many stores as requests run at once. WAL lets all of them read while one writes."""

    def __init__(self, open_: Callable[[], SqliteStore]) -> None:
        self._open = open_
        self._idle: deque[SqliteStore] = deque()

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

    def close(self) -> None:
        """Close all that are idle."""
        while self._idle:
            self._idle.pop().close()
