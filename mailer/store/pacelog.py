"""What was sent when, by minutes, so that limits roll on over restarts; and what slowed a send down."""

from __future__ import annotations

from mailer.models import Slowdown
from mailer.store.sqlite import Database

_KEPT = 25 * 60  # minutes: the longest period of a limit is a day


class PaceLogTable:
    """Implements base.PaceLog."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def count(self, name: str, minute: int) -> None:
        """Count one message, as part of the transaction that writes its delivery."""
        self._db.execute(
            "INSERT INTO paced VALUES (?, ?, 1) ON CONFLICT (name, minute) DO UPDATE SET count = count + 1",
            (name, minute),
        )

    def counted(self, name: str, since: int) -> dict[int, int]:
        """How many by minute, from this minute on."""
        return dict(
            self._db.execute("SELECT minute, count FROM paced WHERE name = ? AND minute >= ?", (name, since)).fetchall()
        )

    def tidy(self, minute: int) -> None:
        """Drop what no limit looks at any more."""
        self._db.execute("DELETE FROM paced WHERE minute < ?", (minute - _KEPT,))

    def warmup(self, sender: str) -> int | None:
        """The minute in which the warm-up of a sending address began."""
        row = self._db.execute("SELECT began_minute FROM warmups WHERE sender = ?", (sender,)).fetchone()
        return row and int(row[0])

    def begin_warmup(self, sender: str, minute: int) -> None:
        """Remember it, once."""
        self._db.execute("INSERT OR IGNORE INTO warmups VALUES (?, ?)", (sender, minute))

    def slowed(self, issue: str, change: Slowdown) -> None:
        """Write a change of pace into the issue's log."""
        self._db.execute(
            "INSERT INTO slowdowns SELECT id, ?, ?, ?, ? FROM sends WHERE issue = ?",
            (change.at, change.name, change.rate, change.reply, issue),
        )

    def slowdowns(self, issue: str) -> list[Slowdown]:
        """The changes of pace of an issue, in their order."""
        rows = self._db.execute(
            "SELECT at, name, rate, d.reply FROM slowdowns d JOIN sends s ON s.id = d.send_id WHERE s.issue = ?"
            " ORDER BY d.rowid",
            (issue,),
        )
        return [Slowdown(*row) for row in rows]
