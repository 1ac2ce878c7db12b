"""SQLite through sqlite-utils: one file, WAL, migrated when it is opened.

WAL with synchronous=NORMAL: a commit costs 0.025 ms instead of the 0.27 ms of an fsync and survives a killed process,
which is what a send log must survive (DESIGN section 3). It may lose the last commits when the machine loses power.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlite_utils

from mailer.errors import StoreError
from mailer.store import schema

# What a user can do about an error, by SQLite's primary result code (https://www.sqlite.org/rescode.html).
_ADVICE = {
    sqlite3.SQLITE_BUSY: "Another process keeps it busy; wait for that to end, then try again",
    sqlite3.SQLITE_CANTOPEN: "Look at the name and at the rights of its folder",
    sqlite3.SQLITE_CORRUPT: "Put the latest backup in its place",
    sqlite3.SQLITE_FULL: "Make space on the disk, then try again",
    sqlite3.SQLITE_IOERR: "Look at the disk: it may be full, or damaged",
    sqlite3.SQLITE_NOTADB: "Name another file under [store] in the configuration, or move this one away",
    sqlite3.SQLITE_READONLY: "Look at the rights of the file and its folder",
}


class Database:
    """sqlite-utils' Database, with SQLite's errors told as StoreError. `timeout`: seconds to wait for other writers."""

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        self.path = path
        with _translated(path):
            connection = sqlite3.connect(path, timeout=timeout, check_same_thread=False)
        self._db = sqlite_utils.Database(connection, execute_plugins=False)

    def prepare(self) -> None:
        """Settings of the connection, and every migration not yet applied."""
        # secure_delete: who is erased is gone from the file, not only from its index (GDPR article 17).
        settings = "synchronous=NORMAL foreign_keys=ON temp_store=FILE main.secure_delete=ON"
        for setting in settings.split():
            self.execute(f"PRAGMA {setting}")
        with _translated(self.path):
            self._switch_to_wal()
            applied = {migration.name for migration in schema.migrations.applied(self._db)}
            if newer := sorted(applied - schema.names):
                raise StoreError(f"{self.path} was made by a newer mailer ({', '.join(newer)}). Update this one")
            if applied != schema.names:
                with self.atomic():  # of two processes, the second waits and finds nothing left to do
                    schema.migrations.apply(self._db)

    def _switch_to_wal(self) -> None:
        """SQLite does not wait for others here: of two processes that make a file at once, one may be refused."""
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
            with self.atomic():  # waits for the other, and gives up in the end
                pass

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """One statement; a write outside `atomic` is committed at once."""
        try:
            return self._db.execute(sql, parameters)
        except sqlite3.Error as error:
            raise _told(self.path, error) from error

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        """One statement for many rows; outside `atomic` they are one transaction."""
        connection = self._db.conn
        with _translated(self.path), nullcontext() if connection.in_transaction else connection:
            return connection.executemany(sql, rows)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Sequence[Any]]:
        """The rows of a query as they are read: a million need no memory."""
        with _translated(self.path):
            for row in self._db.execute(sql, parameters):  # noqa: UP028 - it would close the cursor of a closed database
                yield row

    def atomic(self) -> AbstractContextManager[None]:
        """One transaction; an exception undoes it.

        One inside another can be undone by itself. It begins as a writer: one that reads first and then writes fails
        at once, without waiting, when another process wrote in between (SQLITE_BUSY_SNAPSHOT).
        """
        return self._savepoint() if self._db.conn.in_transaction else _Transaction(self.path, self._db.conn)

    @contextmanager
    def _savepoint(self) -> Generator[None]:
        with _translated(self.path), self._db.atomic():
            yield

    def close(self) -> None:
        """Close the connection."""
        self._db.conn.close()

    def copy(self, path: Path) -> None:
        """Everything as it is now, into a new file, whoever writes meanwhile (SQLite's online backup)."""
        with _translated(path), closing(sqlite3.connect(path)) as target:
            self._db.conn.backup(target)


class _Transaction:
    """A class, as a generator would cost each message of a send 3 us more."""

    __slots__ = ("_connection", "_path")

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def __enter__(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise _told(self._path, error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._connection.__exit__(kind, error, at)
        except sqlite3.Error as failed:
            raise _told(self._path, failed) from failed
        if isinstance(error, sqlite3.Error):
            raise _told(self._path, error) from error


@contextmanager
def _translated(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _told(path, error) from error


def _told(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it is the extended code
    advice = f". {_ADVICE[code]}" if code in _ADVICE else ""
    return StoreError(f"{path}: {error}{advice}")


def open_database(path: Path, timeout: float = 30.0) -> Database:
    """Open the file, making it when absent. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot be made: {error.strerror}") from error
    database = Database(path, timeout)
    try:
        database.prepare()
    except BaseException:
        database.close()
        raise
    return database
