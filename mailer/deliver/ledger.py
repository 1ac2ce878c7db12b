"""What became of messages, on its way into the send log.

A commit costs 15 of the 150 microseconds of a message, so replies are written with the next offer, of whatever
connection, or when the loop turns. Either comes before the next content on their own connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from mailer.deliver.moments import Now
from mailer.errors import StoreError
from mailer.models import Claim, DeliveryState, Outcome, Reply
from mailer.store.base import SendLog
from mailer.times import timestamp


class Ledger:
    """The send log of one issue, written by one run. `on_failure` is called when it can't be written any more."""

    def __init__(
        self, issue: str, log: SendLog, retry: tuple[timedelta, ...], on_failure: Callable[[StoreError], None]
    ) -> None:
        self._issue = issue
        self._log = log
        self._retry = retry
        self._on_failure = on_failure
        self._failure: StoreError | None = None
        self._settled: list[tuple[Claim, Outcome, str, str]] = []

    def settle(self, claim: Claim, outcome: Outcome, now: Now) -> DeliveryState:
        """Put down how an attempt ended. Returns the state: retries that are used up make a refusal."""
        next_at = ""
        if outcome.state is DeliveryState.DEFERRED:
            if claim.attempts < len(self._retry):
                next_at = timestamp(now.moment + self._retry[claim.attempts])
            else:
                reply = outcome.reply
                text = f"gave up after {claim.attempts + 1} attempts: {reply.text}"
                outcome = Outcome(DeliveryState.REFUSED, Reply(reply.code, text, reply.step, reply.enhanced))
        if not self._settled:
            asyncio.get_running_loop().call_soon(self.write)
        self._settled.append((claim, outcome, now.stamp, next_at))
        return outcome.state

    def offer(self, claim: Claim, now: Now, sent: Callable[[], None]) -> bool:
        """Durable when it returns, as is all that was settled before; False when the person left meanwhile.

        `sent` is called within the transaction when the content may go out. Raises StoreError.
        """
        if self._failure is not None:
            raise self._failure
        with self._log.together():
            self._record()
            offered = self._log.offer(self._issue, claim.subscriber.id, now.stamp)
            if offered:
                sent()
        self._settled.clear()
        return offered

    def write(self) -> None:
        """Make durable what was settled. What can't be written is told once, and nothing is written after it."""
        if not self._settled or self._failure is not None:
            return
        try:
            with self._log.together():
                self._record()
        except StoreError as error:
            self._failure = error
            self._on_failure(error)
        else:
            self._settled.clear()

    def _record(self) -> None:
        for claim, outcome, stamp, next_at in self._settled:
            self._log.record(self._issue, claim, outcome, stamp, next_at)
