"""What was kept long enough: counted first, then removed (standards P3). The periods are the table [retention]."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mailer.audience import life
from mailer.audience.registry import Registry
from mailer.models import Channel, Event, Evidence, SubscriberState
from mailer.times import shifted

_WHAT = {
    "unconfirmed": "people who never confirmed: deleted",
    "unsubscribed": "people who left: erased but for a hash",
    "bounced": "people whose address bounced: erased but for a hash",
    "network_addresses": "journal rows with a network address: taken out",
    "log_details": "send log rows with address and reply: taken out",
}


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many of a kind are older than their period; `kind` is the key in the configuration."""

    kind: str
    what: str
    period: timedelta
    count: int


def overdue(registry: Registry, now: str) -> list[Overdue]:
    """What `remove` would remove, in the order of the configuration."""
    kept = registry.config.retention
    before = {kind: shifted(now, -period) for kind, period in kept}
    counts = {
        "unconfirmed": len(registry.audience.settled(SubscriberState.PENDING, before["unconfirmed"])),
        "unsubscribed": len(registry.audience.settled(SubscriberState.UNSUBSCRIBED, before["unsubscribed"])),
        "bounced": len(_bounced(registry, before["bounced"])),
        "network_addresses": registry.journal.traces(before["network_addresses"]),
        "log_details": registry.store.sendlog.details(before["log_details"]),
    }
    return [Overdue(kind, _WHAT[kind], period, counts[kind]) for kind, period in kept]


def remove(registry: Registry, now: str) -> None:
    """Remove it, in one transaction. Totals and the journal's chain stay, and the hashes of who must not return."""
    before = {kind: shifted(now, -period) for kind, period in registry.config.retention}
    evidence = Evidence(now, Channel.RETENTION)
    with registry.audience.transaction():
        for number in registry.audience.settled(SubscriberState.PENDING, before["unconfirmed"]):
            registry.audience.erase(number, now, Event.EXPIRED, evidence)
        gone = registry.audience.settled(SubscriberState.UNSUBSCRIBED, before["unsubscribed"])
        for number in [*gone, *_bounced(registry, before["bounced"])]:
            life.erase(registry, number, evidence)
        registry.journal.drop_traces(before["network_addresses"])
        registry.store.sendlog.drop_details(before["log_details"])


def _bounced(registry: Registry, before: str) -> list[int]:
    numbers = registry.audience.settled(SubscriberState.SUPPRESSED, before)
    return [
        number
        for number in numbers
        if (row := registry.journal.last(number, Event.SUPPRESSED)) and (row.details or {}).get("why") == "bounced"
    ]
