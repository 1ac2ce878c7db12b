"""The table of subscribers, and the suppressions beside it."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from mailer.models import Channel, Event, Evidence, Segment, Subscriber, SubscriberState
from mailer.store.base import Intake, Newcomer
from mailer.store.journal import JournalTable, settings
from mailer.store.sqlite import Database

_COLUMNS = "id, email, name, interests, language, fields, state, changed_at, paused_until"
_EVENTS = {
    SubscriberState.PENDING: Event.ASKED,
    SubscriberState.ACTIVE: Event.CONFIRMED,
    SubscriberState.UNSUBSCRIBED: Event.LEFT,
    SubscriberState.SUPPRESSED: Event.SUPPRESSED,
}
# Asks stand in the order in which they came: the first few are looked at each time, without searching for old ones.
_FORGET = (
    "DELETE FROM asks WHERE rowid IN (SELECT rowid FROM asks ORDER BY rowid LIMIT 10)"
    " AND at < strftime('%Y-%m-%dT%H:%M:%SZ', ?, '-1 day')"
)


class SubscriberTable:
    """Implements base.Audience."""

    def __init__(self, database: Database, journal: JournalTable) -> None:
        self._db = database
        self._journal = journal

    def transaction(self) -> AbstractContextManager[None]:
        """One write transaction around several calls."""
        return self._db.atomic()

    @contextmanager
    def importing(self) -> Generator[ImportTable]:
        """A temporary table, which no other process sees or waits for; without `finish` it leaves nothing."""
        self._db.execute(
            "CREATE TEMP TABLE newcomers (line INTEGER, email_key TEXT PRIMARY KEY, address_hash TEXT, email TEXT,"
            " name TEXT, interests TEXT, language TEXT, fields TEXT, state TEXT) WITHOUT ROWID"
        )
        try:
            yield ImportTable(self._db, self._journal)
        finally:
            self._db.execute("DROP TABLE temp.newcomers")

    def find(self, key: str) -> Subscriber | None:
        """The subscriber with this canonical address."""
        return self._one("email_key = ?", key)

    def get(self, subscriber_id: int) -> Subscriber | None:
        """The subscriber with this number."""
        return self._one("id = ?", subscriber_id)

    def search(self, words: str, limit: int) -> list[Subscriber]:
        """Active subscribers whose address or name holds these words, in the order of their addresses."""
        rows = self._db.rows(
            f"SELECT {_COLUMNS} FROM subscribers WHERE state = 'active'"
            " AND (instr(lower(email), lower(?1)) OR instr(lower(name), lower(?1))) ORDER BY email LIMIT ?2",
            (words, limit),
        )
        return [_subscriber(row) for row in rows]

    def insert(
        self, subscriber: Subscriber, key: str, now: str, event: Event = Event.ADDED, evidence: Evidence | None = None
    ) -> int:
        """Add one; returns the number."""
        with self._db.atomic():
            number = self._db.execute(
                "INSERT INTO subscribers"
                " (email, email_key, name, interests, language, fields, state, paused_until, created_at, changed_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (subscriber.email, key, *_values(subscriber), subscriber.state, subscriber.paused_until, now, now),
            ).lastrowid
            assert number  # an INSERT of one row has one
            self.note(number, event, evidence or _operator(now), settings(subscriber))
        return number

    def set_state(
        self,
        subscriber_id: int,
        state: SubscriberState,
        now: str,
        event: Event | None = None,
        evidence: Evidence | None = None,
        why: str = "",
    ) -> None:
        """Move a subscription to another state."""
        with self._db.atomic():
            self._db.execute(
                "UPDATE subscribers SET state = ?, changed_at = ? WHERE id = ?", (state, now, subscriber_id)
            )
            if person := self.get(subscriber_id):
                details = settings(person) | ({"why": why} if why else {})
                self.note(subscriber_id, event or _EVENTS[state], evidence or _operator(now), details)

    def update(
        self,
        subscriber: Subscriber,
        now: str,
        event: Event = Event.CHANGED,
        evidence: Evidence | None = None,
        changed: Sequence[str] = (),
    ) -> None:
        """Write name, interests, language, fields, state and pause."""
        with self._db.atomic():
            self._db.execute(
                "UPDATE subscribers SET name = ?, interests = ?, language = ?, fields = ?, state = ?, paused_until = ?,"
                " changed_at = ? WHERE id = ?",
                (*_values(subscriber), subscriber.state, subscriber.paused_until, now, subscriber.id),
            )
            details = settings(subscriber) | ({"changed": list(changed)} if changed else {})
            self.note(subscriber.id, event, evidence or _operator(now), details)

    def set_address(self, subscriber_id: int, email: str, key: str, evidence: Evidence) -> None:
        """Write another address."""
        with self._db.atomic():
            self._db.execute(
                "UPDATE subscribers SET email = ?, email_key = ?, changed_at = ? WHERE id = ?",
                (email, key, evidence.at, subscriber_id),
            )
            self.note(subscriber_id, Event.ADDRESS_CHANGED, evidence, {"address": email})

    def note(self, subscriber_id: int, event: Event, evidence: Evidence, details: Mapping[str, object]) -> None:
        """Write a row of the journal that changes nothing."""
        self._journal.write(subscriber_id, event, evidence, details)

    def erase(
        self, subscriber_id: int, now: str, event: Event = Event.ERASED, evidence: Evidence | None = None
    ) -> None:
        """Delete the person; deliveries keep their number and state, so that totals stay right."""
        with self._db.atomic():
            self._db.execute("DELETE FROM subscribers WHERE id = ?", (subscriber_id,))
            self._db.execute("UPDATE deliveries SET email = '', reply = '' WHERE subscriber_id = ?", (subscriber_id,))
            self._db.execute("UPDATE attempts SET reply = '' WHERE subscriber_id = ?", (subscriber_id,))
            self.note(subscriber_id, event, evidence or _operator(now), {})
            self._journal.drop_person(subscriber_id)

    def suppress(self, address_hash: str, reason: str, now: str) -> None:
        """Keep an address, known only by its keyed hash, from ever coming back."""
        self._db.execute("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?)", (address_hash, reason, now))

    def lift(self, address_hash: str) -> None:
        """Let an address come back."""
        self._db.execute("DELETE FROM suppressions WHERE address_hash = ?", (address_hash,))

    def is_suppressed(self, address_hash: str) -> bool:
        """Whether an address was suppressed."""
        return bool(self.suppressed_for(address_hash))

    def suppressed_for(self, address_hash: str) -> str:
        """Why an address was suppressed; empty when it was not."""
        row = self._db.execute("SELECT reason FROM suppressions WHERE address_hash = ?", (address_hash,)).fetchone()
        return row[0] if row else ""

    def asks(self, key: str, since: str) -> int:
        """How many asks were counted for a key since a time."""
        count: int = self._db.execute("SELECT COUNT(*) FROM asks WHERE key = ? AND at > ?", (key, since)).fetchone()[0]
        return count

    def count_ask(self, limits: Sequence[tuple[str, str, int]], now: str) -> bool:
        """Count an ask unless one of `(key, since, most)` is used up; returns whether it was counted."""
        with self._db.atomic():
            for key, since, most in limits:
                if self.asks(key, since) >= most:
                    return False
                self._db.execute("DELETE FROM asks WHERE key = ? AND at <= ?", (key, since))
            self._db.executemany("INSERT INTO asks VALUES (?, ?)", ((key, now) for key, _, _ in limits))
            self._db.execute(_FORGET, (now,))
        return True

    def settled(self, state: SubscriberState, before: str) -> list[int]:
        """The numbers of those who are in this state since before this time."""
        rows = self._db.execute(
            "SELECT id FROM subscribers WHERE state = ? AND changed_at < ? ORDER BY id", (state, before)
        )
        return [number for (number,) in rows]

    def all(self, state: SubscriberState | None = None) -> Iterator[Subscriber]:
        """Every subscriber, in the order they came."""
        where, values = ("WHERE state = ?", [state]) if state else ("", [])
        return map(_subscriber, self._db.rows(f"SELECT {_COLUMNS} FROM subscribers {where} ORDER BY id", values))

    def counts(self) -> dict[SubscriberState, int]:
        """How many there are in each state."""
        rows = self._db.execute("SELECT state, COUNT(*) FROM subscribers GROUP BY state")
        return {SubscriberState(state): count for state, count in rows}

    def domains(self) -> dict[str, int]:
        """How many active subscribers there are by recipient domain."""
        return dict(
            self._db.execute(
                "SELECT LOWER(SUBSTR(email, INSTR(email, '@') + 1)), COUNT(*) FROM subscribers WHERE state = 'active'"
                " GROUP BY 1"
            ).fetchall()
        )

    def segments(self, today: str = "") -> list[Segment]:
        """Active subscribers by the interests they chose, without those who paused beyond this day."""
        rows = self._db.execute(
            "SELECT interests, COUNT(*) FROM subscribers WHERE state = 'active' AND paused_until <= ?"
            " GROUP BY interests ORDER BY interests",
            (today,),
        )
        return [Segment(_interests(text), count) for text, count in rows]

    def paused(self, today: str = "") -> int:
        """How many active subscribers paused beyond this day."""
        sql = "SELECT COUNT(*) FROM subscribers WHERE state = 'active' AND paused_until > ?"
        return int(self._db.execute(sql, (today,)).fetchone()[0])

    def _one(self, where: str, value: object) -> Subscriber | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM subscribers WHERE {where}", (value,)).fetchone()
        return _subscriber(row) if row else None


class ImportTable:
    """Implements base.Import: a temporary table whose key finds duplicates as they come."""

    def __init__(self, database: Database, journal: JournalTable) -> None:
        self._db = database
        self._journal = journal

    def add(self, newcomers: Sequence[Newcomer]) -> dict[int, int]:
        """Take a batch; the lines whose address came before in this import, each with its first line."""
        cursor = self._db.executemany(
            "INSERT OR IGNORE INTO newcomers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (n.line, n.key, n.address_hash, n.subscriber.email, *_values(n.subscriber), n.subscriber.state)
                for n in newcomers
            ),
        )
        if cursor.rowcount == len(newcomers):
            return {}
        first: dict[str, int] = {}
        for start in range(0, len(newcomers), 500):
            keys = [n.key for n in newcomers[start : start + 500]]
            marks = ", ".join("?" * len(keys))
            first |= dict(self._db.execute(f"SELECT email_key, line FROM newcomers WHERE email_key IN ({marks})", keys))
        return {n.line: first[n.key] for n in newcomers if first[n.key] != n.line}

    def finish(self, now: str, source: str = "") -> Intake:
        """Move them, in the order of the file."""
        with self._db.atomic():
            known, kept_out = self._db.execute(
                "SELECT COUNT(*) FILTER (WHERE x.address_hash IS NULL AND (s.state = 'active' OR s.state = 'pending')),"
                " COUNT(*) FILTER (WHERE x.address_hash IS NOT NULL"
                " OR s.state = 'unsubscribed' OR s.state = 'suppressed')"
                " FROM newcomers n LEFT JOIN subscribers s USING (email_key)"
                " LEFT JOIN suppressions x USING (address_hash)"
            ).fetchone()
            (last,) = self._db.execute("SELECT COALESCE(MAX(id), 0) FROM subscribers").fetchone()
            added = self._db.execute(
                "INSERT INTO subscribers"
                " (email, email_key, name, interests, language, fields, state, created_at, changed_at)"
                " SELECT email, email_key, name, interests, language, fields, state, ?, ? FROM newcomers n"
                " WHERE NOT EXISTS (SELECT 1 FROM subscribers s WHERE s.email_key = n.email_key)"
                " AND NOT EXISTS (SELECT 1 FROM suppressions x WHERE x.address_hash = n.address_hash) ORDER BY line",
                (now, now),
            ).rowcount
            (everything,) = self._db.execute(
                "SELECT COUNT(*) FROM subscribers WHERE id > ? AND interests = '' AND state = 'active'", (last,)
            ).fetchone()
            people = self._db.rows(
                "SELECT created_at, id, interests, language, state FROM subscribers WHERE id > ? ORDER BY id", (last,)
            )
            self._journal.append_people(people, source)
        return Intake(added, known, kept_out, everything)


def _values(subscriber: Subscriber) -> tuple[str, str, str, str]:
    fields = json.dumps(dict(subscriber.fields), ensure_ascii=False) if subscriber.fields else ""
    return subscriber.name, ";".join(subscriber.interests), subscriber.language, fields


def _interests(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


def _subscriber(row: Sequence[Any]) -> Subscriber:
    id_, email, name, interests, language, fields, state, changed_at, paused_until = row
    return Subscriber(
        id=id_,
        email=email,
        name=name,
        interests=_interests(interests),
        language=language,
        fields=json.loads(fields) if fields else {},
        state=SubscriberState(state),
        changed_at=changed_at,
        paused_until=paused_until,
    )


def _operator(now: str) -> Evidence:
    return Evidence(now, Channel.OPERATOR)
