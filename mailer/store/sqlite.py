"""SQLite through sqlite-utils: one file, WAL, migrated when it is opened.

WAL with synchronous=NORMAL: a commit costs 0.025 ms instead of the 0.27 ms of an fsync and survives a killed process,
which is what a send log must survive (DESIGN section 3). It may lose the last commits when the machine loses power.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlite_utils
from sqlite_utils.migrations import Migrations

from mailer.errors import StoreError

_Step = Callable[[sqlite_utils.Database], None]
migrations = Migrations("mailer")
_ours: set[str] = set()


def _migration(name: str) -> Callable[[_Step], _Step]:
    _ours.add(name)
    return migrations(name=name)


@_migration("0001_first")
def _first(db: sqlite_utils.Database) -> None:
    for statement in _SCHEMA_0001.split(";\n\n"):
        db.execute(statement)


# AUTOINCREMENT: a number is never given twice, since signed links and send logs name people by it.
# The states stand in OR, not in IN (...), whose list SQLite builds anew for each row: 0.65 s a million.
# `offered` is 1 from just before the content goes out until a reply is recorded.
_SCHEMA_0001 = """
CREATE TABLE subscribers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL DEFAULT '',
    interests TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '',
    fields TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'active' CHECK (state = 'active' OR state = 'unsubscribed' OR state = 'suppressed'),
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
);

CREATE TABLE suppressions (
    address_hash TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    suppressed_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sends (
    id INTEGER PRIMARY KEY,
    issue TEXT NOT NULL UNIQUE,
    planned_at TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seconds REAL NOT NULL DEFAULT 0
);

CREATE TABLE editions (
    id INTEGER PRIMARY KEY,
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    selection TEXT NOT NULL,
    UNIQUE (send_id, key)
);

CREATE TABLE deliveries (
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    subscriber_id INTEGER NOT NULL,
    edition_id INTEGER,
    state TEXT NOT NULL CHECK (
        state = 'queued' OR state = 'claimed' OR state = 'accepted' OR state = 'refused'
        OR state = 'deferred' OR state = 'unknown' OR state = 'skipped'
    ),
    attempts INTEGER NOT NULL DEFAULT 0,
    offered INTEGER NOT NULL DEFAULT 0,
    email TEXT NOT NULL DEFAULT '',
    code INTEGER NOT NULL DEFAULT 0,
    enhanced TEXT NOT NULL DEFAULT '',
    reply TEXT NOT NULL DEFAULT '',
    step TEXT NOT NULL DEFAULT '',
    next_at TEXT NOT NULL DEFAULT '',
    settled_at TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (send_id, subscriber_id)
) WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (send_id, next_at) WHERE state = 'deferred';

CREATE INDEX deliveries_claimed ON deliveries (send_id) WHERE state = 'claimed';

CREATE TABLE attempts (
    send_id INTEGER NOT NULL REFERENCES sends (id) ON DELETE CASCADE,
    subscriber_id INTEGER NOT NULL,
    at TEXT NOT NULL,
    step TEXT NOT NULL,
    code INTEGER NOT NULL,
    reply TEXT NOT NULL
);

CREATE INDEX attempts_of ON attempts (send_id, subscriber_id)
"""


# What a user can do about an error, by SQLite's primary result code (https://www.sqlite.org/rescode.html).
_ADVICE = {
    sqlite3.SQLITE_BUSY: "Another process keeps it busy; wait for that to end, then try again",
    sqlite3.SQLITE_CANTOPEN: "Look at the name and at the rights of its folder",
    sqlite3.SQLITE_CORRUPT: "Put the latest backup in its place",
    sqlite3.SQLITE_FULL: "Make space on the disk, then try again",
    sqlite3.SQLITE_IOERR: "Look at the disk",
    sqlite3.SQLITE_NOTADB: "Name another file under [store] in the configuration, or move this one away",
    sqlite3.SQLITE_READONLY: "Look at the rights of the file and its folder",
}


class Database:
    """sqlite-utils' Database, with SQLite's errors told as StoreError. `timeout`: seconds to wait for other writers."""

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        self.path = path
        with self._translated():
            connection = sqlite3.connect(path, timeout=timeout, check_same_thread=False)
        self._db = sqlite_utils.Database(connection, execute_plugins=False)

    def prepare(self) -> None:
        """Settings of the connection, and every migration not yet applied."""
        # secure_delete: who is erased is gone from the file, not only from its index (GDPR article 17).
        settings = "synchronous=NORMAL foreign_keys=ON temp_store=FILE main.secure_delete=ON"
        for setting in settings.split():
            self.execute(f"PRAGMA {setting}")
        with self._translated():
            self._switch_to_wal()
            applied = {migration.name for migration in migrations.applied(self._db)}
            if newer := sorted(applied - _ours):
                raise StoreError(f"{self.path} was made by a newer mailer ({', '.join(newer)}). Update this one")
            if applied != _ours:
                with self.atomic():  # of two processes, the second waits and finds nothing left to do
                    migrations.apply(self._db)

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
        with self._translated():
            return self._db.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        """One statement for many rows; outside `atomic` they are one transaction."""
        connection = self._db.conn
        with self._translated(), nullcontext() if connection.in_transaction else connection:
            return connection.executemany(sql, rows)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Sequence[Any]]:
        """The rows of a query as they are read: a million need no memory."""
        with self._translated():
            yield from self._db.execute(sql, parameters)

    @contextmanager
    def atomic(self) -> Generator[None]:
        """One transaction; an exception undoes it.

        It begins as a writer. One that reads first and then writes fails at once, without waiting, when another
        process wrote in between (SQLITE_BUSY_SNAPSHOT).
        """
        with self._translated():
            if self._db.conn.in_transaction:
                with self._db.atomic():
                    yield
            else:
                self._db.execute("BEGIN IMMEDIATE")
                with self._db.conn:
                    yield

    def close(self) -> None:
        """Close the connection."""
        self._db.conn.close()

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it is the extended code
            advice = f". {_ADVICE[code]}" if code in _ADVICE else ""
            raise StoreError(f"{self.path}: {error}{advice}") from error


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
