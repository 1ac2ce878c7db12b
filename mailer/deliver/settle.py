"""Decide deliveries whose outcome is unknown: by the operator's word, or by what the relay's log proves.

And queue again what was refused while a setting was wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

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


def queue_again(log: SendLog, issue: str, now: str, subscriber_id: int | None = None) -> int:
    """Queue every refused delivery again, or one person's; whoever is erased is left alone. Returns how many."""
    numbers = [row.subscriber_id for row in refused(log, issue) if subscriber_id in (None, row.subscriber_id)]
    with log.together():
        for number in numbers:
            log.queue_again(issue, number, "queued again by the operator", now)
    return len(numbers)


def refused(log: SendLog, issue: str) -> Iterator[Delivery]:
    """The refused deliveries of people who are not erased."""
    return (row for row in log.deliveries(issue, DeliveryState.REFUSED) if row.email)


def by_log(log: SendLog, issue: str, lines: Iterable[str], message_id: Callable[[Delivery], str], now: str) -> int:
    """Settle what a Postfix log proves. Returns how many.

    Also deliveries that seem to wait still: a store put back from a backup knows nothing of what went out since.
    """
    waiting = {
        message_id(row): (row.subscriber_id, state)
        for state in (DeliveryState.UNKNOWN, DeliveryState.QUEUED, DeliveryState.DEFERRED)
        for row in log.deliveries(issue, state)
    }
    found = proofs(lines, waiting.keys())
    with log.together():
        for id_, proof in found.items():
            number, state = waiting[id_]
            decide = log.settle if state is DeliveryState.UNKNOWN else log.prove
            decide(issue, number, _outcome(proof), now)
    return len(found)


def _unknown(log: SendLog, issue: str) -> list[Delivery]:
    return list(log.deliveries(issue, DeliveryState.UNKNOWN))


def _outcome(proof: Proof) -> Outcome:
    """Sent and deferred mean the relay had taken the message; bounced and expired that it gave it up."""
    taken = proof.status in ("sent", "deferred")
    state = DeliveryState.ACCEPTED if taken else DeliveryState.REFUSED
    text = f"the relay's log says {proof.status}: {proof.text}"
    return Outcome(state, Reply(0, text[:1_000], Step.CONTENT, proof.enhanced))
