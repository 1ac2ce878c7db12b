"""What the reader's pages have to mail, kept until it is out: a relay that is away loses nothing."""

from __future__ import annotations

from mailer.store.base import Waiting
from mailer.store.sqlite import Database


class OutboxTable:
    """Implements base.Outbox."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, content: str, now: str) -> None:
        """Keep something to be done."""
        self._db.execute("INSERT INTO letters (content, due) VALUES (?, ?)", (content, now))

    def take(self, now: str, until: str) -> Waiting | None:
        """The first that is due. Nobody else gets it before `until`, whatever becomes of who took it."""
        with self._db.atomic():
            row = self._db.execute(
                "SELECT number, content, tries FROM letters WHERE due <= ? ORDER BY due, number LIMIT 1", (now,)
            ).fetchone()
            if row is None:
                return None
            self._db.execute("UPDATE letters SET due = ? WHERE number = ?", (until, row[0]))
        return Waiting(*row)

    def replace(self, number: int, content: str, now: str) -> None:
        """Something else is to be done in its place, at once."""
        self._db.execute("UPDATE letters SET content = ?, due = ? WHERE number = ?", (content, now, number))

    def put_off(self, number: int, due: str) -> None:
        """It was tried, and will be tried again."""
        self._db.execute("UPDATE letters SET tries = tries + 1, due = ? WHERE number = ?", (due, number))

    def drop(self, number: int) -> None:
        """It is done."""
        self._db.execute("DELETE FROM letters WHERE number = ?", (number,))

    def count(self) -> int:
        """How many wait."""
        return int(self._db.execute("SELECT COUNT(*) FROM letters").fetchone()[0])
