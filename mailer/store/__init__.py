"""Storage: base.py says what the house needs, sqlite.py and its tables do it."""

from __future__ import annotations

from pathlib import Path

from mailer.store import base
from mailer.store.sendlog import SendLogTable
from mailer.store.sqlite import Database, open_database
from mailer.store.subscribers import SubscriberTable


class SqliteStore:
    """The default store: one SQLite file."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self.audience: base.Audience = SubscriberTable(database)
        self.sendlog: base.SendLog = SendLogTable(database, path)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def open_store(url: str, root: Path) -> SqliteStore:
    """Open `sqlite:FILE`, a path relative to the newsroom. Raises StoreError."""
    path = root / url.removeprefix("sqlite:")
    return SqliteStore(open_database(path), path)
