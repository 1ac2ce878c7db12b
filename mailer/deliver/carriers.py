"""The relays of a run: each gets its share of the mail, and another's share while that one can't be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailer.config import Relay
from mailer.deliver.gates import Gates
from mailer.deliver.pace import Gate

_IDLE = 5.0  # seconds without taking a message, after which nobody waits for a relay any more
_SLACK = 8.0  # messages a relay of weight 1 may be ahead of the others


@dataclass(eq=False, slots=True)
class Carrier:
    """One relay in a run."""

    relay: Relay
    gate: Gate
    reached: bool = False  # there was a session with it in this run
    trouble: str = ""  # why it can't be used now
    dead: bool = False  # and never can in this run
    share: float = 0.0  # messages taken by weight
    took_at: float = float("-inf")  # the loop's time


class Carriers:
    """All of them."""

    def __init__(self, relays: Sequence[Relay], gates: Gates) -> None:
        self._all = [Carrier(relay, gate) for relay, gate in zip(relays, gates.relays, strict=True)]
        self._gates = gates

    def __iter__(self) -> Iterator[Carrier]:
        return iter(self._all)

    def ahead(self, carrier: Carrier, now: float, minute: int) -> bool:
        """Whether it has had more than its share, and another one can take the next message."""
        return any(
            other is not carrier
            and carrier.share > other.share + _SLACK
            and now - other.took_at < _IDLE
            and not other.trouble
            and not self._gates.wait(other.gate, now, minute)
            for other in self._all
        )

    def take(self, carrier: Carrier, now: float) -> None:
        """It takes a message. One that was away does not make up for what went by."""
        if now - carrier.took_at >= _IDLE:
            busy = [other.share for other in self._all if now - other.took_at < _IDLE]
            carrier.share = max(carrier.share, min(busy, default=0.0))
        carrier.share += 1 / carrier.relay.weight
        carrier.took_at = now

    def others_work(self, carrier: Carrier) -> bool:
        """Whether another relay can be used."""
        return any(other is not carrier and not other.trouble for other in self._all)
