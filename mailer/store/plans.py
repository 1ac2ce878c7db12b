"""Plans: an issue's audience, frozen into its send log (DESIGN section 7), and who sends it now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from mailer.errors import NotFound
from mailer.models import Edition, Publication, Segment, Selection
from mailer.store import archive
from mailer.store.base import Plan
from mailer.store.lock import SendLocks
from mailer.store.sqlite import Database


class PlanTable:
    """The part of base.SendLog that is about plans."""

    def __init__(self, database: Database, path: Path) -> None:
        self._db = database
        self._locks = SendLocks(path)
        self._ids: dict[str, int] = {}

    def together(self) -> AbstractContextManager[None]:
        """What is written inside is one transaction."""
        return self._db.atomic()

    def lock(self, issue: str) -> AbstractContextManager[None]:
        """Held while an issue is sent, by one process only."""
        return self._locks.hold(issue)

    def holder(self, issue: str) -> int | None:
        """The process that sends an issue now."""
        return self._locks.holder(issue)

    def plan(self, issue: str) -> Plan | None:
        """The plan of an issue, if there is one."""
        row = self._db.execute("SELECT id, planned_at, fingerprint FROM sends WHERE issue = ?", (issue,)).fetchone()
        if row is None:
            return None
        touched = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE send_id = ? AND (attempts > 0 OR offered = 1))", (row[0],)
        ).fetchone()[0]
        return Plan(issue, row[1], json.loads(row[2]), bool(touched))

    def plans(self) -> list[Plan]:
        """Every plan, the newest first."""
        issues = self._db.execute("SELECT issue FROM sends ORDER BY planned_at DESC, id DESC").fetchall()
        return [plan for (issue,) in issues if (plan := self.plan(issue))]

    def freeze(
        self,
        issue: str,
        fingerprint: Mapping[str, str],
        editions: Sequence[Edition],
        nothing_left: Sequence[Segment],
        now: str,
        publication: Publication | None = None,
    ) -> None:
        """Write one row a person: a single INSERT ... SELECT through a table of interests -> edition."""
        with self._db.atomic():
            send = self._db.execute(
                "INSERT INTO sends (issue, planned_at, fingerprint) VALUES (?, ?, ?)",
                (issue, now, json.dumps(dict(fingerprint))),
            ).lastrowid
            self._db.execute("CREATE TEMP TABLE shares (interests TEXT PRIMARY KEY, edition_id INTEGER) WITHOUT ROWID")
            for edition in editions:
                number = self._db.execute(
                    "INSERT INTO editions (send_id, key, selection) VALUES (?, ?, ?)",
                    (send, edition.key, json.dumps(edition.selection)),
                ).lastrowid
                self._db.executemany(
                    "INSERT INTO shares VALUES (?, ?)",
                    ((";".join(segment.interests), number) for segment in edition.segments),
                )
            # CROSS JOIN keeps SQLite from turning the tables round: rows come in the order of the key, so appended.
            self._db.execute(
                "INSERT INTO deliveries (send_id, subscriber_id, edition_id, state)"
                " SELECT ?, s.id, x.edition_id, 'queued' FROM subscribers s CROSS JOIN shares x"
                " WHERE x.interests = s.interests AND s.state = 'active' AND s.paused_until <= ?",
                (send, now[:10]),
            )
            self._db.executemany(
                "INSERT INTO deliveries (send_id, subscriber_id, state, reply, settled_at)"
                " SELECT ?, id, 'skipped', 'no story matches the interests chosen', ? FROM subscribers"
                " WHERE interests = ? AND state = 'active' AND paused_until <= ?",
                ((send, now, ";".join(segment.interests), now[:10]) for segment in nothing_left),
            )
            self._db.execute(
                "INSERT INTO deliveries (send_id, subscriber_id, state, reply, settled_at)"
                " SELECT ?, id, 'skipped', 'paused until ' || paused_until, ? FROM subscribers"
                " WHERE state = 'active' AND paused_until > ?",
                (send, now, now[:10]),
            )
            self._db.execute("DROP TABLE temp.shares")
            if publication:
                archive.write(self._db, send, publication)

    def forget(self, issue: str) -> None:
        """Drop a plan of which nothing was tried."""
        with self._db.atomic():
            self._db.execute("DELETE FROM deliveries WHERE send_id = ?", (self._send(issue),))
            self._db.execute("DELETE FROM sends WHERE issue = ?", (issue,))
        self._ids.pop(issue)

    def editions(self, issue: str) -> dict[str, Selection]:
        """The editions of a plan by key."""
        rows = self._db.execute("SELECT key, selection FROM editions WHERE send_id = ?", (self._send(issue),))
        return {key: tuple(json.loads(selection)) for key, selection in rows}

    def begin_at(self, issue: str) -> str:
        """When the send is to begin; empty when it may at once."""
        row = self._db.execute("SELECT begin_at FROM sends WHERE id = ?", (self._send(issue),)).fetchone()
        return str(row[0])

    def set_begin_at(self, issue: str, moment: str) -> None:
        """Put it off until then."""
        self._db.execute("UPDATE sends SET begin_at = ? WHERE id = ?", (moment, self._send(issue)))

    def _send(self, issue: str) -> int:
        if issue not in self._ids:
            row = self._db.execute("SELECT id FROM sends WHERE issue = ?", (issue,)).fetchone()
            if row is None:
                raise NotFound(f"issue {issue} has not been planned yet. Begin with: mailer send {issue}")
            self._ids[issue] = int(row[0])
        return self._ids[issue]

    def _planned_at(self, issue: str) -> str:
        row = self._db.execute("SELECT planned_at FROM sends WHERE issue = ?", (issue,)).fetchone()
        return str(row[0])
