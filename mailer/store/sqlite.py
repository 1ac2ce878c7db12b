"""SQLite through sqlite-utils: one file, WAL, migrated when it is opened.

WAL with synchronous=NORMAL: a commit costs 0.025 ms instead of the 0.27 ms of an fsync and survives a killed process,
which is what a send log must survive (DESIGN section 3). It may lose the last commits when the machine loses power.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlite_utils
from sqlite_utils.migrations import Migrations

from mailer.errors import StoreError

migrations = Migrations("mailer")


@migrations(name="0001_first")
def _first(db: sqlite_utils.Database) -> None:
    for statement in _SCHEMA_0001.split(";\n\n"):
        db.execute(statement)


# AUTOINCREMENT: a number is never given twice, since signed links and send logs name people by it.
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
    state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'unsubscribed', 'suppressed')),
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
        state IN ('queued', 'claimed', 'accepted', 'refused', 'deferred', 'unknown', 'skipped')
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


class Database:
    """sqlite-utils' Database, with SQLite's errors told as StoreError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite_utils.Database(
            sqlite3.connect(path, timeout=30, check_same_thread=False), execute_plugins=False
        )

    def prepare(self) -> None:
        """Settings of the connection, and every migration not yet applied."""
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "temp_store=FILE"):
            self.execute(f"PRAGMA {pragma}")
        with self._translated():
            migrations.apply(self._db)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """One statement; a write outside `atomic` is committed at once."""
        with self._translated():
            return self._db.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        """One statement for many rows; only inside `atomic`."""
        with self._translated():
            return self._db.conn.executemany(sql, rows)

    @contextmanager
    def atomic(self) -> Generator[None]:
        """One transaction; an exception undoes it."""
        with self._translated(), self._db.atomic():
            yield

    def close(self) -> None:
        """Close the connection."""
        self._db.conn.close()

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}. Look at the disk space and the rights of its folder") from error


def open_database(path: Path) -> Database:
    """Open the file, making it when absent. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = Database(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: cannot be opened: {error}") from error
    database.prepare()
    return database
