"""The send log: plans, and one delivery row a person (DESIGN section 7).

    queued -> claimed -> accepted | refused | deferred -> (due) -> claimed ... | unknown
    skipped: never offered

`offer` is durable before the content of a message goes out, `record` before the next content on that connection.
So a row that is claimed but not offered after a crash was certainly not sent, and one that is offered is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from mailer.errors import NotFound
from mailer.models import (
    Balance,
    Claim,
    Delivery,
    DeliveryState,
    Edition,
    Outcome,
    Publication,
    Segment,
    Selection,
    Step,
    Subscriber,
)
from mailer.store import archive
from mailer.store.base import PaceLog, Plan
from mailer.store.lock import SendLocks
from mailer.store.pacelog import PaceLogTable
from mailer.store.sqlite import Database

_DOMAIN = "COALESCE(LOWER(SUBSTR(s.email, INSTR(s.email, '@') + 1)), '')"
_ROW = (
    "d.subscriber_id, COALESCE(NULLIF(d.email, ''), s.email, ''), d.state, d.attempts, d.code, d.enhanced, d.reply,"
    " d.step, COALESCE(e.key, ''), d.next_at, d.settled_at"
)
_ROWS = "deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber_id LEFT JOIN editions e ON e.id = d.edition_id"
_HOLDING = (
    "WHERE send_id IN (SELECT id FROM sends WHERE planned_at < ?) AND settled_at <> '' AND state <> 'unknown'"
    " AND (email <> '' OR reply <> '')"
)
# Erased while the message was on its way: what became of it stays, who it was does not.
_UNLESS_ERASED = "CASE WHEN EXISTS (SELECT 1 FROM subscribers WHERE id = subscriber_id) THEN ? ELSE '' END"
_CUT_SHORT = "the process ended after the content went out and before the reply was read"
_GIVE_BACK = "SET state = CASE WHEN attempts > 0 THEN 'deferred' ELSE 'queued' END, offered = 0"
_STANDING = "CASE WHEN s.paused_until > ? THEN 'paused' ELSE COALESCE(s.state, 'erased') END"
_GONE = {"unsubscribed": "unsubscribed since the send was planned", "suppressed": "suppressed since it was planned"}


class SendLogTable:
    """Implements base.SendLog."""

    def __init__(self, database: Database, path: Path) -> None:
        self._db = database
        self.pace: PaceLog = PaceLogTable(database)
        self._locks = SendLocks(path)
        self._ids: dict[str, int] = {}
        # By send and domain, "" for all: no queued row of theirs has a smaller subscriber_id.
        self._reached: dict[tuple[int, str], int] = {}

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
        self._reached.clear()

    def editions(self, issue: str) -> dict[str, Selection]:
        """The editions of a plan by key."""
        rows = self._db.execute("SELECT key, selection FROM editions WHERE send_id = ?", (self._send(issue),))
        return {key: tuple(json.loads(selection)) for key, selection in rows}

    def recover(self, issue: str, now: str) -> int:
        """Settle what a killed run left claimed."""
        send = self._send(issue)
        with self._db.atomic():
            unknown = self._db.execute(
                "UPDATE deliveries SET state = 'unknown', offered = 0, attempts = attempts + 1, reply = ?, step = ?,"
                " code = 0, enhanced = '', settled_at = ?,"
                " email = COALESCE((SELECT email FROM subscribers WHERE id = subscriber_id), '')"
                " WHERE send_id = ? AND state = 'claimed' AND offered = 1",
                (_CUT_SHORT, Step.CONTENT, now, send),
            ).rowcount
            self._db.execute(f"UPDATE deliveries {_GIVE_BACK} WHERE send_id = ? AND state = 'claimed'", (send,))
        self._reached.clear()
        return unknown

    def claim(self, issue: str, limit: int, now: str, domain: str = "", without: Sequence[str] = ()) -> list[Claim]:
        """Hold up to `limit` deliveries: those due again first, then the next in the queue. Empty at the end only."""
        send = self._send(issue)
        claims: list[Claim] = []
        with self._db.atomic():
            # Again, as people who left may have taken all the places.
            while len(claims) < limit and (numbers := self._next(send, limit - len(claims), now, domain, without)):
                self._db.executemany(
                    "UPDATE deliveries SET state = 'claimed' WHERE send_id = ? AND subscriber_id = ?",
                    ((send, number) for number in numbers),
                )
                claims += self._claims(send, numbers, now)
        return claims

    def _next(self, send: int, limit: int, now: str, domain: str, without: Sequence[str]) -> list[int]:
        table, condition, values = "deliveries d", "", tuple[str, ...]()
        if domain or without:
            # A person erased meanwhile has no domain any more: they stand in everybody's line, to be skipped there.
            table = "deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber_id"
            condition = f" AND {_DOMAIN} = ?" if domain else f" AND {_DOMAIN} NOT IN ({', '.join('?' * len(without))})"
            values = (domain,) if domain else tuple(without)
        rows = self._db.execute(
            f"SELECT d.subscriber_id FROM {table} WHERE d.send_id = ? AND d.state = 'deferred' AND d.next_at <= ?"
            f"{condition} ORDER BY d.next_at LIMIT ?",
            (send, now, *values, limit),
        ).fetchall()
        if len(rows) < limit:
            fresh = self._db.execute(
                f"SELECT d.subscriber_id FROM {table} WHERE d.send_id = ? AND d.subscriber_id >= ?"
                f" AND d.state = 'queued'{condition} ORDER BY d.subscriber_id LIMIT ?",
                (send, self._reached.get((send, domain), 0), *values, limit - len(rows)),
            ).fetchall()
            if fresh:
                self._reached[send, domain] = fresh[-1][0] + 1
            rows += fresh
        return [number for (number,) in rows]

    def _claims(self, send: int, numbers: Sequence[int], now: str) -> list[Claim]:
        marks = ", ".join("?" * len(numbers))
        rows = self._db.execute(
            "SELECT d.subscriber_id, s.email, s.name, s.interests, s.language,"
            f" {_STANDING}, e.key, d.attempts FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber_id"
            f" JOIN editions e ON e.id = d.edition_id WHERE d.send_id = ? AND d.subscriber_id IN ({marks})",
            (now[:10], send, *numbers),
        ).fetchall()
        claims = []
        for number, email, name, interests, language, state, edition, attempts in rows:
            if state != "active":
                self._skip(send, number, now)
                continue
            person = Subscriber(email, name, tuple(interests.split(";")) if interests else (), language, id=number)
            claims.append(Claim(person, edition, attempts))
        return claims

    def offer(self, issue: str, subscriber_id: int, now: str) -> bool:
        """Mark a claim just before its content goes out; False, and skipped, when the person left meanwhile."""
        send = self._send(issue)
        offered = self._db.execute(
            "UPDATE deliveries SET offered = 1 WHERE send_id = ? AND subscriber_id = ? AND state = 'claimed' AND EXISTS"
            " (SELECT 1 FROM subscribers s WHERE s.id = subscriber_id AND s.state = 'active' AND s.paused_until <= ?)",
            (send, subscriber_id, now[:10]),
        ).rowcount
        if not offered:
            self._skip(send, subscriber_id, now)
        return bool(offered)

    def record(self, issue: str, claim: Claim, outcome: Outcome, now: str, next_at: str = "") -> None:
        """Write the end of an attempt."""
        send, number, reply = self._send(issue), claim.subscriber.id, outcome.reply
        settled = "" if outcome.state is DeliveryState.DEFERRED else now
        deferred = outcome.state is DeliveryState.DEFERRED
        with self._db.atomic() if deferred else nullcontext():  # a savepoint costs 8 us
            self._db.execute(
                "UPDATE deliveries SET state = ?, offered = 0, attempts = attempts + 1, code = ?, enhanced = ?,"
                f" step = ?, next_at = ?, settled_at = ?, email = {_UNLESS_ERASED}, reply = {_UNLESS_ERASED}"
                " WHERE send_id = ? AND subscriber_id = ? AND state = 'claimed'",
                (
                    *(outcome.state, reply.code, reply.enhanced, reply.step, next_at, settled),
                    *(claim.subscriber.email, reply.text, send, number),
                ),
            )
            if deferred:
                self._db.execute(
                    "INSERT INTO attempts SELECT send_id, subscriber_id, ?, step, code, reply FROM deliveries"
                    " WHERE send_id = ? AND subscriber_id = ?",
                    (now, send, number),
                )

    def settle(self, issue: str, subscriber_id: int, outcome: Outcome, now: str) -> None:
        """Decide an unknown delivery; any other is left alone. What was known of it stays among its attempts."""
        send, reply = self._send(issue), outcome.reply
        key = (send, subscriber_id)
        with self._db.atomic():
            self._db.execute(
                "INSERT INTO attempts SELECT send_id, subscriber_id, settled_at, step, code, reply FROM deliveries"
                " WHERE send_id = ? AND subscriber_id = ? AND state = 'unknown'",
                key,
            )
            settled = "" if outcome.state is DeliveryState.QUEUED else now
            self._db.execute(
                "UPDATE deliveries SET state = ?, reply = ?, enhanced = ?, settled_at = ?"
                " WHERE send_id = ? AND subscriber_id = ? AND state = 'unknown'",
                (outcome.state, reply.text, reply.enhanced, settled, *key),
            )

    def release(self, issue: str, claims: Iterable[Claim]) -> None:
        """Give claims back untried."""
        send = self._send(issue)
        with self._db.atomic():
            self._db.executemany(
                f"UPDATE deliveries {_GIVE_BACK} WHERE send_id = ? AND subscriber_id = ? AND state = 'claimed'",
                ((send, claim.subscriber.id) for claim in claims),
            )
        self._reached.clear()

    def domains(self, issue: str) -> dict[str, int]:
        """How many deliveries are open by recipient domain."""
        return dict(
            self._db.execute(
                f"SELECT {_DOMAIN}, COUNT(*) FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber_id"
                " WHERE d.send_id = ? AND d.state IN ('queued', 'claimed', 'deferred') GROUP BY 1",
                (self._send(issue),),
            ).fetchall()
        )

    def begin_at(self, issue: str) -> str:
        """When the send is to begin; empty when it may at once."""
        row = self._db.execute("SELECT begin_at FROM sends WHERE id = ?", (self._send(issue),)).fetchone()
        return str(row[0])

    def set_begin_at(self, issue: str, moment: str) -> None:
        """Put it off until then."""
        self._db.execute("UPDATE sends SET begin_at = ? WHERE id = ?", (moment, self._send(issue)))

    def next_due(self, issue: str) -> str:
        """When the next deferred delivery is due; empty when there is none."""
        row = self._db.execute(
            "SELECT MIN(next_at) FROM deliveries WHERE send_id = ? AND state = 'deferred'", (self._send(issue),)
        ).fetchone()
        return row[0] or ""

    def add_seconds(self, issue: str, seconds: float) -> None:
        """Add the time a run took."""
        self._db.execute("UPDATE sends SET seconds = seconds + ? WHERE issue = ?", (seconds, issue))

    def balance(self, issue: str) -> Balance:
        """The count by state."""
        send = self._send(issue)
        seconds, editions = self._db.execute(
            "SELECT seconds, (SELECT COUNT(*) FROM editions e WHERE e.send_id = sends.id) FROM sends WHERE id = ?",
            (send,),
        ).fetchone()
        counts = dict(
            self._db.execute("SELECT state, COUNT(*) FROM deliveries WHERE send_id = ? GROUP BY state", (send,))
        )
        empty = Balance(issue, editions=editions, seconds=round(seconds, 3))
        return replace(empty, audience=sum(counts.values()), **counts)

    def deliveries(self, issue: str, state: DeliveryState | None = None) -> Iterator[Delivery]:
        """The send log, a row a person."""
        send, planned_at = self._send(issue), self._planned_at(issue)
        where, values = (" AND d.state = ?", [state]) if state else ("", [])
        rows = self._db.execute(
            f"SELECT {_ROW} FROM {_ROWS} WHERE d.send_id = ?{where} ORDER BY d.subscriber_id", (send, *values)
        )
        return (_delivery(row, planned_at) for row in rows)

    def delivery(self, issue: str, subscriber_id: int) -> Delivery | None:
        """One person's row."""
        row = self._db.execute(
            f"SELECT {_ROW} FROM {_ROWS} WHERE d.send_id = ? AND d.subscriber_id = ?",
            (self._send(issue), subscriber_id),
        ).fetchone()
        return _delivery(row, self._planned_at(issue)) if row else None

    def attempts(self, issue: str, subscriber_id: int) -> list[tuple[str, str, int, str]]:
        """Earlier attempts that were put off."""
        return self._db.execute(
            "SELECT at, step, code, reply FROM attempts WHERE send_id = ? AND subscriber_id = ? ORDER BY at",
            (self._send(issue), subscriber_id),
        ).fetchall()

    def details(self, before: str) -> int:
        """How many decided deliveries of issues planned before this time still hold an address or a reply."""
        return int(self._db.execute(f"SELECT COUNT(*) FROM deliveries {_HOLDING}", (before,)).fetchone()[0])

    def drop_details(self, before: str) -> None:
        """Take those out; states, codes and totals stay."""
        with self._db.atomic():
            self._db.execute(
                "UPDATE attempts SET reply = '' WHERE send_id IN (SELECT id FROM sends WHERE planned_at < ?)", (before,)
            )
            self._db.execute(f"UPDATE deliveries SET email = '', reply = '' {_HOLDING}", (before,))

    def _skip(self, send: int, subscriber_id: int, now: str) -> None:
        row = self._db.execute("SELECT state, paused_until FROM subscribers WHERE id = ?", (subscriber_id,)).fetchone()
        why = _GONE.get(row[0], f"paused until {row[1]}") if row else "erased since the send was planned"
        self._db.execute(
            "UPDATE deliveries SET state = 'skipped', offered = 0, reply = ?, settled_at = ?"
            " WHERE send_id = ? AND subscriber_id = ? AND state = 'claimed'",
            (why, now, send, subscriber_id),
        )

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


def _delivery(row: Sequence[Any], planned_at: str) -> Delivery:
    number, email, state, attempts, code, enhanced, reply, step, edition, next_at, settled_at = row
    return Delivery(
        subscriber_id=number,
        email=email,
        state=DeliveryState(state),
        attempts=attempts,
        code=code,
        enhanced=enhanced,
        reply=reply,
        step=step,
        edition=edition,
        queued_at=planned_at,
        next_at=next_at,
        settled_at=settled_at,
    )
