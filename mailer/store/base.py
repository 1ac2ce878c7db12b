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
    Outcome,
    Segment,
    Selection,
    Subscriber,
    SubscriberState,
)


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

    def finish(self, now: str) -> Intake:
        """Move them, in one transaction, but for those who are known, who left, and who are suppressed."""


class Audience(Protocol):
    """Subscribers and suppressions."""

    def importing(self) -> AbstractContextManager[Import]:
        """An import; without `finish` it leaves nothing."""

    def find(self, key: str) -> Subscriber | None:
        """The subscriber with this canonical address."""

    def get(self, subscriber_id: int) -> Subscriber | None:
        """The subscriber with this number."""

    def insert(self, subscriber: Subscriber, key: str, now: str) -> int:
        """Add one; returns the number."""

    def set_state(self, subscriber_id: int, state: SubscriberState, now: str) -> None:
        """Move a subscription to another state."""

    def update(self, subscriber: Subscriber, now: str) -> None:
        """Write name, interests, language and fields."""

    def erase(self, subscriber_id: int) -> None:
        """Delete the person, here and in the send logs; totals stay."""

    def suppress(self, address_hash: str, reason: str, now: str) -> None:
        """Keep an address, known only by its keyed hash, from ever coming back."""

    def is_suppressed(self, address_hash: str) -> bool:
        """Whether an address was suppressed."""

    def all(self, state: SubscriberState | None = None) -> Iterator[Subscriber]:
        """Every subscriber, in the order they came."""

    def counts(self) -> dict[SubscriberState, int]:
        """How many there are in each state."""

    def segments(self) -> list[Segment]:
        """Active subscribers by the interests they chose."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned send: when, from what, and whether anything was tried."""

    issue: str
    planned_at: str
    fingerprint: Mapping[str, str]
    touched: bool


class SendLog(Protocol):
    """Plans and deliveries."""

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
    ) -> None:
        """Write one row a person, in one transaction."""

    def forget(self, issue: str) -> None:
        """Drop a plan of which nothing was tried."""

    def editions(self, issue: str) -> dict[str, Selection]:
        """The editions of a plan by key."""

    def recover(self, issue: str, now: str) -> int:
        """After a killed run: claims never offered are queued again, offered ones become unknown. Returns those."""

    def claim(self, issue: str, limit: int, now: str) -> list[Claim]:
        """Hold up to `limit` deliveries that are queued or due again; people who left meanwhile are skipped."""

    def offer(self, issue: str, subscriber_id: int, now: str) -> bool:
        """Durable before the content goes out. False when the person left: the delivery is skipped."""

    def record(self, issue: str, claim: Claim, outcome: Outcome, now: str, next_at: str = "") -> None:
        """Durable before the next content goes out on that connection."""

    def settle(self, issue: str, subscriber_id: int, outcome: Outcome, now: str) -> None:
        """Decide an unknown delivery; any other is left alone."""

    def release(self, issue: str, claims: Iterable[Claim]) -> None:
        """Give claims back untried."""

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
        """Earlier attempts that were put off: time, step, code, reply."""


class Store(Protocol):
    """Both, and a way to close them."""

    audience: Audience
    sendlog: SendLog

    def close(self) -> None:
        """Close the database."""
