"""The gates of a run: of its sending address, its relays, the recipients' domains; and what they remember."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from mailer.config import Relay
from mailer.deliver.pace import Gate, Meter, Spacing, Warmup
from mailer.models import Claim, DeliveryState, Limit, Outcome, Step
from mailer.store.base import PaceLog

_ASKS_FOR_LESS = (421, 450, 451, 454)
_OF_ONE = re.compile(r"4\.[12]\.|.*gr[ae]y[- ]?list", re.IGNORECASE)  # an address, a mailbox, a first message
_ENOUGH = 3  # replies in the last seconds that ask for less
_SHARE = 0.05  # of the messages in these seconds: each large provider puts off some for other reasons
_RELOAD = 10.0  # seconds: another process may send over the same relay


def domain_of(claim: Claim) -> str:
    """The recipient's domain, in small letters, as the configuration writes it."""
    return claim.subscriber.email.rpartition("@")[2].lower()


class Gates:
    """Says when a message may go, and counts it. One for each run; `relays` are in the order given."""

    def __init__(
        self,
        sender: str,
        relays: Sequence[Relay],
        domains: Mapping[str, Sequence[Limit]],
        rate: float,
        warmup: Sequence[int],
        log: PaceLog,
        minute: int,
    ) -> None:
        self.relays = [Gate(str(relay), relay.limits) for relay in relays]
        self.domains = {name: Gate(name, limits) for name, limits in domains.items()}
        self._log = log
        self._rate = Spacing(rate)
        self._begins = False
        self._sender = Gate(sender, (), self._warmup(sender, warmup, minute))
        self._meter, self._asked = Meter(), Meter()
        self._loaded = 0.0
        self._counted = [gate for gate in (self._sender, *self.relays, *self.domains.values()) if gate.windows]
        if self._counted:
            log.tidy(minute)
            self._load(minute)

    def wait(self, relay: Gate, now: float, minute: int) -> float:
        """Seconds until this relay may get a message; 0 for now."""
        if self._counted and now - self._loaded >= _RELOAD:
            self._loaded = now
            self._load(minute)
        wait = max(self._rate.wait(now), relay.wait(now, minute))
        return max(wait, self._sender.wait(now, minute)) if self._sender.windows else wait

    def take(self, relay: Gate, claim: Claim, now: float) -> None:
        """A message is on its way."""
        domain = domain_of(claim)
        self._rate.take(now)
        self._meter.add(domain, now)
        self._meter.add(relay.name, now)
        for gate in (self._sender, relay, self.domains.get(domain)):
            if gate is not None:
                gate.take(now)

    def drop(self, relay: Gate, claim: Claim) -> None:
        """It was never sent."""
        for gate in self._counting(relay, claim):
            gate.drop()

    def sent(self, relay: Gate, claim: Claim, minute: int) -> None:
        """Its content goes out. Within the transaction that says so in the log."""
        for gate in self._counting(relay, claim):
            gate.sent(minute)
            self._log.count(gate.name, minute)
        if self._begins:
            self._begins = False
            self._log.begin_warmup(self._sender.name, minute)

    def heard(self, relay: Gate, claim: Claim, outcome: Outcome, now: float) -> Gate | None:
        """Slow down when a reply asks for it: what goes slower now, or None."""
        reply = outcome.reply
        if outcome.state is not DeliveryState.DEFERRED or reply.code not in _ASKS_FOR_LESS:
            return None
        if _OF_ONE.match(f"{reply.enhanced} {reply.text}"):
            return None
        of_relay = reply.step is Step.MAIL or reply.code == 421
        name = relay.name if of_relay else domain_of(claim)
        self._asked.add(name, now)
        if self._asked.count(name) < max(_ENOUGH, _SHARE * self._meter.count(name)):
            return None
        gate = relay if of_relay else self.domains.setdefault(name, Gate(name, ()))
        return gate if gate.spacing.slow(now, self._meter.rate(name, now)) else None

    def recovered(self, now: float) -> list[Gate]:
        """What goes faster again by a step, its rate 0 when nothing holds it any more."""
        return [gate for gate in (*self.relays, *self.domains.values()) if gate.spacing.recover(now)]

    def seconds(self, count: int, by_domain: Mapping[str, int], minute: int) -> float:
        """How long so many messages take under the limits; 0 when these say nothing. `by_domain` are some of them."""

        def all_relays(seconds: float) -> float:
            relays = sum(relay.capacity(seconds, minute) for relay in self.relays)
            return min(relays, self._rate.capacity(seconds), self._sender.capacity(seconds, minute))

        times = [_seconds_for(all_relays, count)]
        for domain, gate in self.domains.items():
            times.append(_seconds_for(partial(gate.capacity, minute=minute), by_domain.get(domain, 0)))
        return max(times)

    def _counting(self, relay: Gate, claim: Claim) -> list[Gate]:
        """The gates of a message that count what they let through."""
        if not self._counted:
            return []
        passed = (self._sender, relay, self.domains.get(domain_of(claim)))
        return [gate for gate in passed if gate is not None and gate.windows]

    def _warmup(self, sender: str, daily: Sequence[int], minute: int) -> Warmup | None:
        if not daily:
            return None
        began = self._log.warmup(sender)
        self._begins = began is None  # with the first message
        return Warmup(daily, minute if began is None else began)

    def _load(self, minute: int) -> None:
        for gate in self._counted:
            sent = self._log.counted(gate.name, minute - 1440)
            for window in gate.windows:
                window.load(sent, minute)


def _seconds_for(capacity: Callable[[float], float], count: int) -> float:
    """The first second in which so many have gone, to the minute where it is long; `capacity` never falls."""
    short, long = -1.0, 1.0
    if capacity(0.0) >= count:
        return 0.0
    while capacity(long) < count:
        short, long = long, long * 2
    while long - short > max(1.0, long / 1000):
        middle = (short + long) / 2
        short, long = (short, middle) if capacity(middle) >= count else (middle, long)
    return long
