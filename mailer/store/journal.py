"""The consent journal: append-only rows in a keyed chain, whose personal parts can be taken out without breaking it.

    row      number, time, subscriber, event, channel, details (JSON), trace (JSON: network address and user agent)
    seal     of a part: BLAKE2b keyed with that part's own random salt. Taking a part out removes text and salt and
             leaves the seal, which tells nothing about the text without the salt
    hash     BLAKE2b (RFC 7693), keyed with the newsroom's secret, of the hash before and of this row with its seals
    head     number and hash of the last row, sealed with the same key

Who has the database alone can neither mend the chain after an edit nor seal another head. What cannot be found from
within: a whole database put back to an older copy of itself, or to a state before it had a journal. Against that, keep
the number and hash that `verify` gives somewhere else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b, sha256
from hmac import compare_digest
from itertools import groupby
from typing import Any, NamedTuple

from mailer.models import Channel, Event, Evidence, JournalRow, Subscriber, SubscriberState
from mailer.store.base import Verified
from mailer.store.sqlite import Database

_SIZE = 16  # octets of a hash, a seal and a salt
_READ = (
    "SELECT number, at, subscriber_id, event, channel, details, COALESCE(trace ->> '$.network', ''),"
    " COALESCE(trace ->> '$.agent', ''), hash FROM journal"
)
_ORIGIN = bytes(_SIZE)


class Entry(NamedTuple):
    """What is to be appended. `details` and `trace` are JSON; an empty trace is none."""

    at: str
    subscriber_id: int
    event: str
    channel: str
    details: str
    trace: str = ""


class JournalTable:
    """Implements base.Journal. `key` is asked for when something is written or verified, not before."""

    def __init__(self, database: Database, key: Callable[[], bytes]) -> None:
        self._db = database
        self._key = key

    def begin(self) -> None:
        """Give everybody of a database without a journal a first row, which says that they came before it."""
        if self._has_begun():
            return
        with self._db.atomic():
            if self._has_begun():  # another process was faster
                return
            people = self._db.rows(
                "SELECT changed_at, id, interests, language, state FROM subscribers WHERE true ORDER BY id"
            )
            self.append_people(people, "imported before the journal was kept")

    def append_people(self, people: Iterable[Any], source: str) -> None:
        """A row for each `(at, number, interests, language, state)`, as stored, of people who came by an import."""
        known: dict[tuple[str, str, str], str] = {}

        def details(interests: str, language: str, state: str) -> str:
            key = interests, language, state
            if key not in known:
                person = Subscriber("", "", _words(interests), language, state=SubscriberState(state))
                known[key] = _json(settings(person) | {"source": source})
            return known[key]

        event, channel = str(Event.IMPORTED), str(Channel.IMPORT)
        self.append(Entry(at, id_, event, channel, details(*rest)) for at, id_, *rest in people)

    def write(self, subscriber_id: int, event: Event, evidence: Evidence, details: Mapping[str, object]) -> None:
        """Append one row, with what the evidence says."""
        stated = {key: getattr(evidence, key) for key in ("source", "wording", "token") if getattr(evidence, key)}
        if evidence.language:
            stated["shown_in"] = evidence.language
        trace = {key: getattr(evidence, key) for key in ("network", "agent") if getattr(evidence, key)}
        self.append(
            [
                Entry(
                    *(evidence.at, subscriber_id, str(event), str(evidence.channel)),
                    *(_json({**details, **stated}), _json(trace) if trace else ""),
                )
            ]
        )

    def append(self, entries: Iterable[Entry]) -> None:
        """Append rows, and move the head."""
        with self._db.atomic():
            key = self._key()
            number, before = self._end(key)

            def rows() -> Iterator[tuple[Any, ...]]:
                nonlocal number, before
                for at, subscriber_id, event, channel, details, trace in entries:
                    number += 1
                    salt, trace_salt = os.urandom(_SIZE), os.urandom(_SIZE) if trace else None
                    seals = _seal(details, salt), _seal(trace, trace_salt) if trace_salt else b""
                    before = _hash(key, before, (number, at, subscriber_id, event, channel), *seals)
                    yield (number, at, subscriber_id, event, channel, details, salt, trace or None, trace_salt, before)

            self._db.executemany(
                "INSERT INTO journal (number, at, subscriber_id, event, channel, details, details_salt, trace,"
                " trace_salt, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows(),
            )
            self._db.execute(
                "INSERT OR REPLACE INTO journal_head VALUES (1, ?, ?, ?)", (number, before, _crown(key, number, before))
            )

    def rows(self, subscriber_id: int) -> list[JournalRow]:
        """What happened to one subscription, in order."""
        found = self._db.execute(f"{_READ} WHERE subscriber_id = ? ORDER BY number", (subscriber_id,))
        return [_row(row) for row in found.fetchall()]

    def row(self, number: int) -> JournalRow | None:
        """One row."""
        row = self._db.execute(f"{_READ} WHERE number = ?", (number,)).fetchone()
        return _row(row) if row else None

    def people(self) -> Iterator[tuple[int, list[JournalRow]]]:
        """Each subscriber's number with their rows, in the order of the numbers."""
        rows = map(_row, self._db.rows(f"{_READ} ORDER BY subscriber_id, number"))
        for subscriber_id, own in groupby(rows, lambda row: row.subscriber_id):
            yield subscriber_id, list(own)

    def last(self, subscriber_id: int, event: Event) -> JournalRow | None:
        """The last row of this event."""
        row = self._db.execute(
            f"{_READ} WHERE subscriber_id = ? AND event = ? ORDER BY number DESC LIMIT 1", (subscriber_id, event)
        ).fetchone()
        return _row(row) if row else None

    def keep_wording(self, kind: str, language: str, text: str) -> str:
        """Keep a text once; returns its id."""
        id_ = _wording_id(kind, language, text)
        if self.wording(id_) is None:
            self._db.execute("INSERT OR IGNORE INTO wordings VALUES (?, ?, ?, ?)", (id_, kind, language, text))
        return id_

    def wording(self, id_: str) -> str | None:
        """The text with this id."""
        row = self._db.execute("SELECT text FROM wordings WHERE id = ?", (id_,)).fetchone()
        return row[0] if row else None

    def traces(self, before: str) -> int:
        """How many rows from before this time hold a network address or a user agent."""
        sql = "SELECT COUNT(*) FROM journal WHERE trace IS NOT NULL AND at < ?"
        return int(self._db.execute(sql, (before,)).fetchone()[0])

    def drop_traces(self, before: str) -> None:
        """Take network addresses and user agents out of the rows from before this time."""
        with self._db.atomic():
            rows = self._db.execute("SELECT number FROM journal WHERE trace IS NOT NULL AND at < ?", (before,))
            self._take_out("trace", [number for (number,) in rows.fetchall()])

    def drop_person(self, subscriber_id: int) -> None:
        """Take everything personal out of one subscriber's rows."""
        with self._db.atomic():
            for part in ("details", "trace"):
                rows = self._db.execute(
                    f"SELECT number FROM journal WHERE subscriber_id = ? AND {part} IS NOT NULL", (subscriber_id,)
                )
                self._take_out(part, [number for (number,) in rows.fetchall()])

    def _take_out(self, part: str, numbers: list[int]) -> None:
        for number in numbers:
            text, salt = self._db.execute(
                f"SELECT {part}, {part}_salt FROM journal WHERE number = ?", (number,)
            ).fetchone()
            self._db.execute(
                f"UPDATE journal SET {part} = NULL, {part}_salt = NULL, {part}_seal = ? WHERE number = ?",
                (_seal(text, salt or b""), number),
            )

    def verify(self) -> Verified:
        """Compare every row, the head and every wording with their hashes."""
        key, problems, number, before = self._key(), list[str](), 0, _ORIGIN
        rows = self._db.rows(
            "SELECT number, at, subscriber_id, event, channel, details, details_salt, details_seal, trace, trace_salt,"
            " trace_seal, hash FROM journal ORDER BY number"
        )
        count = 0
        for number_now, at, subscriber_id, event, channel, *parts, hash_ in rows:
            count += 1
            whole = number_now == number + 1
            if not whole:
                problems.append(_missing(number + 1, number_now - 1))
            try:
                seals = _found_seal(*parts[:3]), _found_seal(*parts[3:])
                found = _hash(key, before, (number_now, at, subscriber_id, event, channel), *seals)
                genuine = compare_digest(found, hash_)
            except (TypeError, ValueError, AttributeError):  # another type than was written
                genuine = False
            if whole and not genuine:
                problems.append(f"row {number_now} was edited, or stands in another's place")
            number, before = number_now, hash_ if isinstance(hash_, bytes) else _ORIGIN
        problems += self._verify_head(key, number, before)
        problems += [
            f"wording {id_} was edited"
            for id_, kind, language, text in self._db.rows("SELECT id, kind, language, text FROM wordings")
            if id_ != _wording_id(kind, language, text)
        ]
        return Verified(count, before.hex(), tuple(problems))

    def _verify_head(self, key: bytes, number: int, before: bytes) -> list[str]:
        row = self._db.execute("SELECT number, hash, seal FROM journal_head").fetchone()
        if row is None:
            return ["the head is missing, so that nobody can say where the journal ended"] if number else []
        last, hash_, seal = row
        if not isinstance(hash_, bytes) or not isinstance(seal, bytes) or seal != _crown(key, last, hash_):
            return ["the head was edited, or another secret key wrote it"]
        if last > number:
            return [_missing(number + 1, last)]
        return [] if (last, hash_) == (number, before) else [f"the journal ends at row {last}; what follows was put in"]

    def _has_begun(self) -> bool:
        (begun,) = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM journal_head) OR EXISTS (SELECT 1 FROM journal)"
            " OR NOT EXISTS (SELECT 1 FROM subscribers)"
        ).fetchone()
        return bool(begun)

    def _end(self, key: bytes) -> tuple[int, bytes]:
        """Where the next row goes on. After a head that is not ours a number is left out, so that it shows for ever."""
        head = self._db.execute("SELECT number, hash, seal FROM journal_head").fetchone()
        if head and head[2] == _crown(key, head[0], head[1]):
            return head[0], head[1]
        last = self._db.execute("SELECT number, hash FROM journal ORDER BY number DESC LIMIT 1").fetchone()
        if last is None and head is None:
            return 0, _ORIGIN
        number, hash_ = last or (0, _ORIGIN)
        return max(number, head[0] if head else 0) + 1, hash_


def settings(person: Subscriber) -> dict[str, object]:
    """What a row says of a subscription after its event; a state only where it is no matter of course."""
    said: dict[str, object] = {"interests": list(person.interests), "language": person.language}
    if person.state is not SubscriberState.ACTIVE:
        said["state"] = str(person.state)
    if person.paused_until:
        said["paused_until"] = person.paused_until
    return said


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


def _seal(text: str, salt: bytes) -> bytes:
    return blake2b(text.encode(), key=salt, digest_size=_SIZE).digest()


def _found_seal(text: str | None, salt: bytes | None, seal: bytes | None) -> bytes:
    return (seal or b"") if text is None else _seal(text, salt or b"")


def _hash(key: bytes, before: bytes, row: tuple[object, ...], details: bytes, trace: bytes) -> bytes:
    # A NUL within a part would only add one: six separators divide the rest in one way.
    line = "\0".join((*map(str, row), details.hex(), trace.hex()))
    return blake2b(before + line.encode(), key=key, digest_size=_SIZE).digest()


def _crown(key: bytes, number: int, hash_: bytes) -> bytes:
    return blake2b(b"head\0%d\0" % number + hash_, key=key, digest_size=_SIZE).digest()


def _wording_id(kind: str, language: str, text: str) -> str:
    return sha256("\0".join((kind, language, text)).encode()).hexdigest()[:16]


def _missing(first: int, last: int) -> str:
    return f"row {first} is missing" if first == last else f"rows {first} to {last} are missing"


def _row(row: Any) -> JournalRow:
    number, at, subscriber_id, event, channel, details, network, agent, hash_ = row
    told = None if details is None else json.loads(details)
    return JournalRow(
        *(number, at, subscriber_id, Event(event), Channel(channel), told, network, agent),
        hash=hash_.hex(),
    )
