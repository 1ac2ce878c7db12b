"""What a run is to do, and how far it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from mailer.compose.personal import Personal, Personaliser
from mailer.config import Relay
from mailer.deliver.gates import Gates
from mailer.models import DeliveryState, Limit
from mailer.store.base import PaceLog


class Template(Protocol):
    """Makes a person's message: compose.message.MessageTemplate, or one that signs it as well (dkim.py)."""

    def fill(self, personal: Personal, date: str, utf8: bool = False) -> bytes:
        """The whole message, ready for DATA."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to send, to where, how."""

    issue: str
    templates: Mapping[str, Template]  # by edition key
    personaliser: Personaliser
    sender: str  # the envelope's, ASCII
    relays: tuple[Relay, ...]
    retry: tuple[timedelta, ...]
    timeout: float  # seconds to wait for the reply to the final dot
    domains: Mapping[str, Sequence[Limit]] = field(default_factory=dict)  # by recipient domain
    warmup: tuple[int, ...] = ()  # messages on each of the sender's first days
    rate: float = 0.0  # messages a second, 0 for as fast as it goes
    limit: int = 0  # attempts in this run, 0 for all
    keep_going: bool = False  # whatever the share of refusals

    @property
    def connections(self) -> int:
        """To all relays together."""
        return sum(relay.connections for relay in self.relays)

    def gates(self, log: PaceLog, minute: int) -> Gates:
        """What its messages pass."""
        return Gates(self.sender, self.relays, self.domains, self.rate, self.warmup, log, minute)


@dataclass(slots=True)
class Tally:
    """How far a run is. Read by whoever shows it."""

    states: Counter[DeliveryState] = field(default_factory=Counter)
    skipped: int = 0  # people who left between the claim and the content
    slowed: dict[str, float] = field(default_factory=dict)  # what goes slower than configured, in messages a second
    away: dict[str, str] = field(default_factory=dict)  # relays whose work others do, and why

    @property
    def attempts(self) -> int:
        """Transactions tried in this run."""
        return sum(self.states.values())
