"""Decide deliveries whose outcome is unknown: by the operator's word, or by what the relay's log proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailer.deliver.postfixlog import Proof, proofs
from mailer.models import Delivery, DeliveryState, Outcome, Reply, Step
from mailer.store.base import SendLog


def by_word(log: SendLog, issue: str, sent: bool, now: str, subscriber_id: int | None = None) -> int:
    """Settle every unknown delivery, or one person's. Unsent ones are queued again. Returns how many."""
    state = DeliveryState.ACCEPTED if sent else DeliveryState.QUEUED
    text = f"settled as {'sent' if sent else 'unsent'} by the operator"
    settled = 0
    for row in _unknown(log, issue):
        if subscriber_id in (None, row.subscriber_id):
            log.settle(issue, row.subscriber_id, Outcome(state, Reply(0, text, Step.CONTENT)), now)
            settled += 1
    return settled


def by_log(log: SendLog, issue: str, lines: Iterable[str], message_id: Callable[[Delivery], str], now: str) -> int:
    """Settle what a Postfix log proves. Returns how many."""
    waiting = {message_id(row): row for row in _unknown(log, issue)}
    found = proofs(lines, set(waiting))
    for id_, proof in found.items():
        log.settle(issue, waiting[id_].subscriber_id, _outcome(proof), now)
    return len(found)


def _unknown(log: SendLog, issue: str) -> list[Delivery]:
    return list(log.deliveries(issue, DeliveryState.UNKNOWN))


def _outcome(proof: Proof) -> Outcome:
    """Sent and deferred mean the relay had taken the message; bounced and expired that it gave it up."""
    taken = proof.status in ("sent", "deferred")
    state = DeliveryState.ACCEPTED if taken else DeliveryState.REFUSED
    text = f"the relay's log says {proof.status}: {proof.text}"
    return Outcome(state, Reply(0, text[:1_000], Step.CONTENT, proof.enhanced))
