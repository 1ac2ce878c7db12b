"""The table of subscribers, and the suppressions beside it."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mailer.models import Segment, Subscriber, SubscriberState
from mailer.store.base import Intake, Newcomer
from mailer.store.sqlite import Database

_COLUMNS = "id, email, name, interests, language, fields, state, changed_at"


class SubscriberTable:
    """Implements base.Audience."""

    def __init__(self, database: Database) -> None:
        self._db = database

    @contextmanager
    def importing(self) -> Generator[ImportTable]:
        """A temporary table, which no other process sees or waits for; without `finish` it leaves nothing."""
        self._db.execute(
            "CREATE TEMP TABLE newcomers (line INTEGER, email_key TEXT PRIMARY KEY, address_hash TEXT, email TEXT,"
            " name TEXT, interests TEXT, language TEXT, fields TEXT, state TEXT) WITHOUT ROWID"
        )
        try:
            yield ImportTable(self._db)
        finally:
            self._db.execute("DROP TABLE temp.newcomers")

    def find(self, key: str) -> Subscriber | None:
        """The subscriber with this canonical address."""
        return self._one("email_key = ?", key)

    def get(self, subscriber_id: int) -> Subscriber | None:
        """The subscriber with this number."""
        return self._one("id = ?", subscriber_id)

    def insert(self, subscriber: Subscriber, key: str, now: str) -> int:
        """Add one; returns the number."""
        cursor = self._db.execute(
            "INSERT INTO subscribers"
            " (email, email_key, name, interests, language, fields, state, created_at, changed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (subscriber.email, key, *_values(subscriber), subscriber.state, now, now),
        )
        assert cursor.lastrowid  # an INSERT of one row has one
        return cursor.lastrowid

    def set_state(self, subscriber_id: int, state: SubscriberState, now: str) -> None:
        """Move a subscription to another state."""
        self._db.execute("UPDATE subscribers SET state = ?, changed_at = ? WHERE id = ?", (state, now, subscriber_id))

    def update(self, subscriber: Subscriber, now: str) -> None:
        """Write name, interests, language and fields."""
        self._db.execute(
            "UPDATE subscribers SET name = ?, interests = ?, language = ?, fields = ?, changed_at = ? WHERE id = ?",
            (*_values(subscriber), now, subscriber.id),
        )

    def erase(self, subscriber_id: int) -> None:
        """Delete the person; deliveries keep their number and state, so that totals stay right."""
        with self._db.atomic():
            self._db.execute("DELETE FROM subscribers WHERE id = ?", (subscriber_id,))
            self._db.execute("UPDATE deliveries SET email = '', reply = '' WHERE subscriber_id = ?", (subscriber_id,))
            self._db.execute("UPDATE attempts SET reply = '' WHERE subscriber_id = ?", (subscriber_id,))

    def suppress(self, address_hash: str, reason: str, now: str) -> None:
        """Keep an address, known only by its keyed hash, from ever coming back."""
        self._db.execute("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?)", (address_hash, reason, now))

    def is_suppressed(self, address_hash: str) -> bool:
        """Whether an address was suppressed."""
        found = self._db.execute("SELECT 1 FROM suppressions WHERE address_hash = ?", (address_hash,)).fetchone()
        return found is not None

    def all(self, state: SubscriberState | None = None) -> Iterator[Subscriber]:
        """Every subscriber, in the order they came."""
        where, values = ("WHERE state = ?", [state]) if state else ("", [])
        return map(_subscriber, self._db.rows(f"SELECT {_COLUMNS} FROM subscribers {where} ORDER BY id", values))

    def counts(self) -> dict[SubscriberState, int]:
        """How many there are in each state."""
        rows = self._db.execute("SELECT state, COUNT(*) FROM subscribers GROUP BY state")
        return {SubscriberState(state): count for state, count in rows}

    def segments(self) -> list[Segment]:
        """Active subscribers by the interests they chose."""
        rows = self._db.execute(
            "SELECT interests, COUNT(*) FROM subscribers WHERE state = 'active' GROUP BY interests ORDER BY interests"
        )
        return [Segment(_interests(text), count) for text, count in rows]

    def _one(self, where: str, value: object) -> Subscriber | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM subscribers WHERE {where}", (value,)).fetchone()
        return _subscriber(row) if row else None


class ImportTable:
    """Implements base.Import: a temporary table whose key finds duplicates as they come."""

    def __init__(self, database: Database) -> None:
        self._db = database

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

    def finish(self, now: str) -> Intake:
        """Move them, in the order of the file."""
        with self._db.atomic():
            known, kept_out = self._db.execute(
                "SELECT COUNT(*) FILTER (WHERE x.address_hash IS NULL AND s.state = 'active'),"
                " COUNT(*) FILTER (WHERE x.address_hash IS NOT NULL OR s.state <> 'active')"
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
        return Intake(added, known, kept_out, everything)


def _values(subscriber: Subscriber) -> tuple[str, str, str, str]:
    fields = json.dumps(dict(subscriber.fields), ensure_ascii=False) if subscriber.fields else ""
    return subscriber.name, ";".join(subscriber.interests), subscriber.language, fields


def _interests(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


def _subscriber(row: Sequence[Any]) -> Subscriber:
    id_, email, name, interests, language, fields, state, changed_at = row
    return Subscriber(
        id=id_,
        email=email,
        name=name,
        interests=_interests(interests),
        language=language,
        fields=json.loads(fields) if fields else {},
        state=SubscriberState(state),
        changed_at=changed_at,
    )
