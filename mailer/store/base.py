"""What the rest of the house asks of a store. Narrow on purpose: another database need only do this.

Times are ISO 8601 in UTC with a Z, as `2018-12-14T08:00:00Z`: they sort as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from mailer.models import (
    Balance,
    Claim,
    Delivery,
    DeliveryState,
    Edition,
    Event,
    Evidence,
    JournalRow,
    Outcome,
    Publication,
    Segment,
    Selection,
    Slowdown,
    Subscriber,
    SubscriberState,
)

SETTLED = "settled"  # the step of a decision among what came before, of one that was unknown
QUEUED_AGAIN = "queued again"  # and of one that was refused


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A checked line of an import: `key` is the canonical address that makes two of them the same."""

    line: int
    key: str
    address_hash: str  # as suppressions have it
    subscriber: Subscriber


@dataclass(frozen=True, slots=True)
class Intake:
    """What an import did: lines added, known already, and kept out because they left or are suppressed.

    `without_interests` are those added who chose none and are active, so that they get everything.
    """

    added: int
    known: int
    kept_out: int
    without_interests: int = 0


class Import(Protocol):
    """People taken aside, until `finish` moves them into the audience at once."""

    def add(self, newcomers: Sequence[Newcomer]) -> dict[int, int]:
        """Take a batch; the lines whose address came before in this import, each with its first line."""

    def finish(self, now: str, source: str = "") -> Intake:
        """Move them, in one transaction, but for those who are known, who left, and who are suppressed."""


class Audience(Protocol):
    """Subscribers and suppressions. Each change of a subscription writes its row of the journal with it.

    Without `evidence` a change is an operator's, at `now`.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """One write transaction around several calls."""

    def importing(self) -> AbstractContextManager[Import]:
        """An import; without `finish` it leaves nothing."""

    def find(self, key: str) -> Subscriber | None:
        """The subscriber with this canonical address."""

    def get(self, subscriber_id: int) -> Subscriber | None:
        """The subscriber with this number."""

    def search(self, words: str, limit: int) -> list[Subscriber]:
        """Active subscribers whose address or name holds these words, in the order of their addresses."""

    def insert(
        self, subscriber: Subscriber, key: str, now: str, event: Event = Event.ADDED, evidence: Evidence | None = None
    ) -> int:
        """Add one; returns the number."""

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

    def update(
        self,
        subscriber: Subscriber,
        now: str,
        event: Event = Event.CHANGED,
        evidence: Evidence | None = None,
        changed: Sequence[str] = (),
    ) -> None:
        """Write name, interests, language, fields, state and pause; `changed` names those for the journal."""

    def set_address(self, subscriber_id: int, email: str, key: str, evidence: Evidence) -> None:
        """Write another address."""

    def note(self, subscriber_id: int, event: Event, evidence: Evidence, details: Mapping[str, object]) -> None:
        """Write a row of the journal that changes nothing."""

    def erase(
        self, subscriber_id: int, now: str, event: Event = Event.ERASED, evidence: Evidence | None = None
    ) -> None:
        """Delete the person, here, in the journal and in the send logs; totals stay."""

    def suppress(self, address_hash: str, reason: str, now: str) -> None:
        """Keep an address, known only by its keyed hash, from ever coming back."""

    def lift(self, address_hash: str) -> None:
        """Let an address come back."""

    def is_suppressed(self, address_hash: str) -> bool:
        """Whether an address was suppressed."""

    def suppressed_for(self, address_hash: str) -> str:
        """Why an address was suppressed; empty when it was not."""

    def asks(self, key: str, since: str) -> int:
        """How many asks were counted for a key since a time."""

    def count_ask(self, limits: Sequence[tuple[str, str, int]], now: str) -> bool:
        """Count an ask unless one of `(key, since, most)` is used up; returns whether it was counted.

        No limit may look back further than a day: what is older is forgotten.
        """

    def settled(self, state: SubscriberState, before: str) -> list[int]:
        """The numbers of those who are in this state since before this time."""

    def all(self, state: SubscriberState | None = None) -> Iterator[Subscriber]:
        """Every subscriber, in the order they came."""

    def counts(self) -> dict[SubscriberState, int]:
        """How many there are in each state."""

    def domains(self) -> dict[str, int]:
        """How many active subscribers there are by recipient domain."""

    def segments(self, today: str = "") -> list[Segment]:
        """Active subscribers by the interests they chose, without those who paused beyond this day."""

    def paused(self, today: str = "") -> int:
        """How many active subscribers paused beyond this day."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of checking the journal: its rows, the hash of the last, and what is wrong, a sentence each."""

    rows: int
    hash: str  # hexadecimal
    problems: tuple[str, ...]


class Journal(Protocol):
    """The consent journal. Rows are appended by Audience."""

    def rows(self, subscriber_id: int) -> list[JournalRow]:
        """What happened to one subscription, in order."""

    def row(self, number: int) -> JournalRow | None:
        """One row."""

    def people(self) -> Iterator[tuple[int, list[JournalRow]]]:
        """Each subscriber's number with their rows, in the order of the numbers."""

    def last(self, subscriber_id: int, event: Event) -> JournalRow | None:
        """The last row of this event."""

    def keep_wording(self, kind: str, language: str, text: str) -> str:
        """Keep a text that is shown where somebody consents, once; returns its id."""

    def wording(self, id_: str) -> str | None:
        """The text with this id."""

    def traces(self, before: str) -> int:
        """How many rows from before this time hold a network address or a user agent."""

    def drop_traces(self, before: str) -> None:
        """Take network addresses and user agents out of the rows from before this time."""

    def verify(self) -> Verified:
        """Compare every row, the head and every wording with their hashes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned send: when, from what, and whether anything was tried."""

    issue: str
    planned_at: str
    fingerprint: Mapping[str, str]
    touched: bool


class PaceLog(Protocol):
    """What was sent when, under which name: a relay, a recipient's domain, a sending address."""

    def count(self, name: str, minute: int) -> None:
        """Count one message in a minute of the Unix epoch."""

    def counted(self, name: str, since: int) -> dict[int, int]:
        """How many by minute, from this minute on."""

    def tidy(self, minute: int) -> None:
        """Drop what no limit looks at any more."""

    def warmup(self, sender: str) -> int | None:
        """The minute in which the warm-up of a sending address began; None before it did."""

    def begin_warmup(self, sender: str, minute: int) -> None:
        """Remember it, once."""

    def slowed(self, issue: str, change: Slowdown) -> None:
        """Write a change of pace into the issue's log."""

    def slowdowns(self, issue: str) -> list[Slowdown]:
        """The changes of pace of an issue, in their order."""


class Archive(Protocol):
    """The issues that went out: those of which a delivery was tried, or of which every delivery is settled."""

    def issues(self) -> list[str]:
        """Their slugs, the latest planned first."""

    def facts(self, issue: str) -> tuple[str, bytes] | None:
        """When an issue was planned, and its facts; None unless it went out."""

    def pages(self, issue: str) -> bytes | None:
        """The marked pages of an issue; None unless it went out."""

    def file(self, issue: str, name: str) -> bytes | None:
        """A file below an issue's address; None unless it went out."""

    def files(self, issue: str) -> list[str]:
        """The names of these files."""


class SendLog(Protocol):
    """Plans and deliveries."""

    pace: PaceLog

    def together(self) -> AbstractContextManager[None]:
        """What is written inside is one transaction."""

    def lock(self, issue: str) -> AbstractContextManager[None]:
        """Held while an issue is sent, by one process only. Raises Busy, which names the other."""

    def holder(self, issue: str) -> int | None:
        """The process that sends an issue now; None when nobody does."""

    def plan(self, issue: str) -> Plan | None:
        """The plan of an issue, if there is one."""

    def plans(self) -> list[Plan]:
        """Every plan, the newest first."""

    def freeze(
        self,
        issue: str,
        fingerprint: Mapping[str, str],
        editions: Sequence[Edition],
        nothing_left: Sequence[Segment],
        now: str,
        publication: Publication | None = None,
    ) -> None:
        """Write one row a person, and what the archive will show, in one transaction."""

    def forget(self, issue: str) -> None:
        """Drop a plan of which nothing was tried."""

    def editions(self, issue: str) -> dict[str, Selection]:
        """The editions of a plan by key."""

    def recover(self, issue: str, now: str) -> int:
        """After a killed run: claims never offered are queued again, offered ones become unknown. Returns those."""

    def claim(self, issue: str, limit: int, now: str, domain: str = "", without: Sequence[str] = ()) -> list[Claim]:
        """Hold up to `limit` deliveries that are queued or due again, of one recipient domain or of all but some.

        People who left meanwhile are skipped. Empty only when there are none.
        """

    def offer(self, issue: str, subscriber_id: int, now: str) -> bool:
        """Durable before the content goes out. False when the person left: the delivery is skipped."""

    def record(self, issue: str, claim: Claim, outcome: Outcome, now: str, next_at: str = "") -> None:
        """Durable before the next content goes out on that connection."""

    def settle(self, issue: str, subscriber_id: int, outcome: Outcome, now: str) -> None:
        """Decide an unknown delivery; any other is left alone."""

    def prove(self, issue: str, subscriber_id: int, outcome: Outcome, now: str) -> None:
        """Write what became of a delivery that seems queued or deferred; any other is left alone."""

    def queue_again(self, issue: str, subscriber_id: int, why: str, now: str) -> None:
        """Queue a refused delivery again; any other is left alone."""

    def release(self, issue: str, claims: Iterable[Claim]) -> None:
        """Give claims back untried."""

    def domains(self, issue: str) -> dict[str, int]:
        """How many deliveries are open by recipient domain."""

    def begin_at(self, issue: str) -> str:
        """When the send is to begin; empty when it may at once."""

    def set_begin_at(self, issue: str, moment: str) -> None:
        """Put it off until then."""

    def next_due(self, issue: str) -> str:
        """When the next deferred delivery is due; empty when there is none."""

    def add_seconds(self, issue: str, seconds: float) -> None:
        """Add the time a run took."""

    def balance(self, issue: str) -> Balance:
        """The count by state."""

    def deliveries(self, issue: str, state: DeliveryState | None = None) -> Iterator[Delivery]:
        """The send log, a row a person."""

    def delivery(self, issue: str, subscriber_id: int) -> Delivery | None:
        """One person's row."""

    def attempts(self, issue: str, subscriber_id: int) -> list[tuple[str, str, int, str]]:
        """What came before: time, step, code, reply. SETTLED follows one unknown, QUEUED_AGAIN one refused."""

    def details(self, before: str) -> int:
        """How many decided deliveries of issues planned before this time still hold an address or a reply."""

    def drop_details(self, before: str) -> None:
        """Take those out; states, codes and totals stay."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the outbox: its own affair in `content`, and how often it was tried."""

    number: int
    content: str
    tries: int


class Outbox(Protocol):
    """What the reader's pages have to mail, in the order it is due."""

    def put(self, content: str, now: str) -> None:
        """Keep something to be done."""

    def take(self, now: str, until: str) -> Waiting | None:
        """The first that is due. Nobody else gets it before `until`, whatever becomes of who took it."""

    def replace(self, number: int, content: str, now: str) -> None:
        """Something else is to be done in its place, at once."""

    def put_off(self, number: int, due: str) -> None:
        """It was tried, and will be tried again."""

    def drop(self, number: int) -> None:
        """It is done."""

    def count(self) -> int:
        """How many wait."""


class Store(Protocol):
    """All of it, and a way to close it."""

    audience: Audience
    journal: Journal
    sendlog: SendLog
    archive: Archive
    outbox: Outbox

    def close(self) -> None:
        """Close the database."""
