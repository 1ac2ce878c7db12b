"""Storage: base.py says what the house needs, sqlite.py and its tables do it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mailer.store import base
from mailer.store.archive import ArchiveTable
from mailer.store.journal import JournalTable
from mailer.store.outbox import OutboxTable
from mailer.store.sendlog import SendLogTable
from mailer.store.sqlite import Database, open_database
from mailer.store.subscribers import SubscriberTable


class SqliteStore:
    """The default store: one SQLite file. `key` seals the consent journal and is asked for when that is written."""

    def __init__(self, database: Database, path: Path, key: Callable[[], bytes]) -> None:
        self._database = database
        journal = JournalTable(database, key)
        journal.begin()
        self.journal: base.Journal = journal
        self.audience: base.Audience = SubscriberTable(database, journal)
        self.sendlog: base.SendLog = SendLogTable(database, path)
        self.archive: base.Archive = ArchiveTable(database)
        self.outbox: base.Outbox = OutboxTable(database)

    def only_read(self) -> None:
        """Refuse to write from now on, and wait for nobody: whatever is kept busy raises StoreError at once."""
        self._database.execute("PRAGMA query_only=ON")
        self._database.execute("PRAGMA busy_timeout=0")

    def copy(self, path: Path) -> None:
        """Everything, into a new file. Raises StoreError."""
        self._database.copy(path)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def open_store(url: str, root: Path, key: Callable[[], bytes]) -> SqliteStore:
    """Open `sqlite:FILE`, a path relative to the newsroom. Raises StoreError."""
    path = root / url.removeprefix("sqlite:")
    return SqliteStore(open_database(path), path, key)
