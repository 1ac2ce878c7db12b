"""What issues left behind on the web when they went out."""

from __future__ import annotations

from mailer.models import Publication
from mailer.store.sqlite import Database

# Something was tried, or nothing is open: a plan that nobody began is nobody's to read. A plan begun ends the first
# search within a few rows.
_WENT_OUT = (
    "(EXISTS (SELECT 1 FROM deliveries d WHERE d.send_id = s.id AND (d.attempts > 0 OR d.offered = 1))"
    " OR (EXISTS (SELECT 1 FROM deliveries d WHERE d.send_id = s.id)"
    " AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.send_id = s.id"
    " AND (d.state = 'queued' OR d.state = 'claimed' OR d.state = 'deferred'))))"
)


class ArchiveTable:
    """Implements base.Archive."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def issues(self) -> list[str]:
        """The slugs of those that went out, the latest planned first."""
        rows = self._db.execute(
            "SELECT s.issue FROM sends s JOIN snapshots x ON x.send_id = s.id"
            f" WHERE {_WENT_OUT} ORDER BY s.planned_at DESC, s.id DESC"
        )
        return [issue for (issue,) in rows]

    def facts(self, issue: str) -> tuple[str, bytes] | None:
        """When an issue was planned, and its facts."""
        row: tuple[str, bytes] | None = self._db.execute(
            "SELECT s.planned_at, x.facts FROM sends s JOIN snapshots x ON x.send_id = s.id"
            f" WHERE s.issue = ? AND {_WENT_OUT}",
            (issue,),
        ).fetchone()
        return row

    def pages(self, issue: str) -> bytes | None:
        """The marked pages of an issue."""
        row = self._db.execute(
            f"SELECT x.pages FROM sends s JOIN snapshots x ON x.send_id = s.id WHERE s.issue = ? AND {_WENT_OUT}",
            (issue,),
        ).fetchone()
        return row[0] if row else None

    def file(self, issue: str, name: str) -> bytes | None:
        """A file below an issue's address."""
        row = self._db.execute(
            "SELECT f.content FROM sends s JOIN published_files f ON f.send_id = s.id"
            f" WHERE s.issue = ? AND f.name = ? AND {_WENT_OUT}",
            (issue, name),
        ).fetchone()
        return row[0] if row else None

    def files(self, issue: str) -> list[str]:
        """The names of these files."""
        rows = self._db.execute(
            "SELECT f.name FROM sends s JOIN published_files f ON f.send_id = s.id"
            f" WHERE s.issue = ? AND {_WENT_OUT} ORDER BY f.name",
            (issue,),
        )
        return [name for (name,) in rows]


def write(database: Database, send: int | None, publication: Publication) -> None:
    """Keep it with its plan, in the transaction that is open."""
    database.execute("INSERT INTO snapshots VALUES (?, ?, ?)", (send, publication.facts, publication.pages))
    database.executemany(
        "INSERT INTO published_files VALUES (?, ?, ?)",
        ((send, name, content) for name, content in publication.files.items()),
    )
