"""The send log: one delivery row a person (DESIGN section 7).

    queued -> claimed -> accepted | refused | deferred -> (due) -> claimed ... | unknown
    skipped: never offered

`offer` is durable before the content of a message goes out, `record` before the next content on that connection.
So a row that is claimed but not offered after a crash was certainly not sent, and one that is offered is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from mailer.models import (
    Balance,
    Claim,
    Delivery,
    DeliveryState,
    Outcome,
    Reply,
    Step,
    Subscriber,
)
from mailer.store.base import QUEUED_AGAIN, SETTLED, PaceLog
from mailer.store.pacelog import PaceLogTable
from mailer.store.plans import PlanTable
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
_GIVE_BACK = "SET state = CASE WHEN next_at <> '' THEN 'deferred' ELSE 'queued' END, offered = 0"
_STANDING = "CASE WHEN s.paused_until > ? THEN 'paused' ELSE COALESCE(s.state, 'erased') END"
_GONE = {"unsubscribed": "unsubscribed since the send was planned", "suppressed": "suppressed since it was planned"}


class SendLogTable(PlanTable):
    """Implements base.SendLog."""

    def __init__(self, database: Database, path: Path) -> None:
        super().__init__(database, path)
        self.pace: PaceLog = PaceLogTable(database)
        # By send and domain, "" for all: no queued row of theirs has a smaller subscriber_id.
        self._reached: dict[tuple[int, str], int] = {}

    def forget(self, issue: str) -> None:
        """Drop a plan of which nothing was tried."""
        super().forget(issue)
        self._reached.clear()

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
        """Decide an unknown delivery; any other is left alone. What was known stays, and the decision."""
        with self._db.atomic():
            self._decide((self._send(issue), subscriber_id), DeliveryState.UNKNOWN, SETTLED, outcome, now)

    def prove(self, issue: str, subscriber_id: int, outcome: Outcome, now: str) -> None:
        """Write what became of a delivery that seems queued or deferred; any other is left alone."""
        reply = outcome.reply
        self._db.execute(
            "UPDATE deliveries SET state = ?, code = ?, enhanced = ?, step = ?, next_at = '', settled_at = ?,"
            f" email = COALESCE((SELECT email FROM subscribers WHERE id = subscriber_id), ''), reply = {_UNLESS_ERASED}"
            " WHERE send_id = ? AND subscriber_id = ? AND (state = 'queued' OR state = 'deferred')",
            (
                *(outcome.state, reply.code, reply.enhanced, reply.step, now, reply.text),
                self._send(issue),
                subscriber_id,
            ),
        )

    def queue_again(self, issue: str, subscriber_id: int, why: str, now: str) -> None:
        """Queue a refused delivery again; any other is left alone. What was said stays, and the decision."""
        outcome = Outcome(DeliveryState.QUEUED, Reply(0, why, Step.CONTENT))
        with self._db.atomic():
            self._decide((self._send(issue), subscriber_id), DeliveryState.REFUSED, QUEUED_AGAIN, outcome, now)

    def _decide(self, key: tuple[int, int], was: DeliveryState, step: str, outcome: Outcome, now: str) -> None:
        """Another state than it was, with what was known and the decision among what came before."""
        reply = outcome.reply
        self._db.execute(
            "INSERT INTO attempts SELECT send_id, subscriber_id, settled_at, step, code, reply FROM deliveries"
            " WHERE send_id = ? AND subscriber_id = ? AND state = ?",
            (*key, was),
        )
        self._db.execute(
            f"INSERT INTO attempts SELECT send_id, subscriber_id, ?, ?, 0, {_UNLESS_ERASED} FROM deliveries"
            " WHERE send_id = ? AND subscriber_id = ? AND state = ?",
            (now, step, reply.text, *key, was),
        )
        settled = "" if outcome.state is DeliveryState.QUEUED else now
        self._db.execute(
            f"UPDATE deliveries SET state = ?, code = ?, enhanced = ?, settled_at = ?, reply = {_UNLESS_ERASED}"
            " WHERE send_id = ? AND subscriber_id = ? AND state = ?",
            (outcome.state, reply.code, reply.enhanced, settled, reply.text, *key, was),
        )
        self._reached.clear()  # it may be queued before where the queue was read to

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
        """Earlier attempts that were put off, unknown or refused, and the decisions after the last two."""
        return self._db.execute(
            "SELECT at, step, code, reply FROM attempts WHERE send_id = ? AND subscriber_id = ? ORDER BY at, rowid",
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
