"""Who sends an issue now: a file lock that the kernel drops when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from mailer.errors import Busy, StoreError


class SendLocks:
    """Two files an issue, beside the database: `.lock` keeps others out, `.pid` says who sends.

    Whoever asks for the holder locks `.pid` for an instant, never `.lock`: a send that begins just then is not refused.
    """

    def __init__(self, database: Path) -> None:
        self._database = database

    @contextmanager
    def hold(self, issue: str) -> Generator[None]:
        """Hold the lock of an issue. Raises Busy, which names the process that does, and StoreError."""
        with self._opened(issue, "lock") as lock, self._opened(issue, "pid") as file:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise Busy(
                    f"issue {issue} is being sent by process {file.read().strip() or 'unknown'}. "
                    f"Wait for it, look with mailer status {issue}, or end it with mailer stop {issue}"
                ) from None
            with _translated(self._path(issue, "pid")):
                fcntl.flock(file, fcntl.LOCK_EX)  # waits for those who look, never for another send
                file.truncate(0)
                file.write(f"{os.getpid()}\n")
                file.flush()
            yield
            file.truncate(0)

    def holder(self, issue: str) -> int | None:
        """The process that sends an issue; None when nobody does."""
        path = self._path(issue, "pid")
        if not path.exists():
            return None
        with path.open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                number = file.read().strip()
                return int(number) if number.isdigit() else None
        return None

    def _opened(self, issue: str, kind: str) -> TextIO:
        path = self._path(issue, kind)
        with _translated(path):
            return path.open("a+", encoding="ascii")

    def _path(self, issue: str, kind: str) -> Path:
        return self._database.with_name(f".{self._database.name}.{issue}.{kind}")


@contextmanager
def _translated(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        advice = "Look at the rights of its folder and the space on the disk"
        raise StoreError(f"{path}: {error.strerror}. {advice}") from error
