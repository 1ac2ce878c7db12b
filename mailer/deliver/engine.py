"""Drain the send log: claim, fill, send, record.

A few workers share one queue of claims, each with one connection that it keeps. A worker records a reply before it
takes the next claim, so whatever ends the process, at most one delivery a connection is left undecided.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from mailer.compose import headers
from mailer.compose.message import MessageTemplate
from mailer.compose.personal import Personaliser
from mailer.config import Relay
from mailer.deliver.pace import Pace
from mailer.deliver.smtp import Connection, Envelope, Unreachable
from mailer.errors import RelayError
from mailer.models import Claim, DeliveryState, Outcome, Reply, Step
from mailer.store.base import SendLog

_BATCH = 100  # claims read in one transaction
_PATIENCE = (0.2, 1.0, 3.0)  # seconds between attempts to reach the relay, before it counts as unusable

Clock = Callable[[], datetime]


def timestamp(moment: datetime) -> str:
    """As the store keeps it: `2018-12-14T08:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Job:
    """What to send, to where, how."""

    issue: str
    templates: Mapping[str, MessageTemplate]  # by edition key
    personaliser: Personaliser
    sender: str  # the envelope's, ASCII
    relay: Relay
    connections: int
    retry: tuple[timedelta, ...]
    timeout: float  # seconds to wait for the reply to the final dot
    rate: float = 0.0  # messages a second, 0 for as fast as it goes
    limit: int = 0  # attempts in this run, 0 for all


@dataclass(slots=True)
class Tally:
    """How far a run is. Read by whoever shows it."""

    states: Counter[DeliveryState] = field(default_factory=Counter)

    @property
    def attempts(self) -> int:
        """Transactions tried in this run."""
        return sum(self.states.values())


class Engine:
    """One run over one issue. `stop` ends it after what is in flight."""

    def __init__(self, job: Job, log: SendLog, clock: Clock, tally: Tally) -> None:
        self.tally = tally
        self.stopping = False
        self._job = job
        self._log = log
        self._clock = clock
        self._claims: deque[Claim] = deque()
        self._left = job.limit or -1
        self._trouble: Exception | None = None

    def stop(self) -> None:
        """Finish what is in flight, then end."""
        self.stopping = True

    async def run(self) -> None:
        """Until nothing is queued or due, the limit is reached, or it is stopped.

        Raises RelayError when the relay could not be used, with everything untried queued again; StoreError when a
        reply could not be recorded. After that, or a cancellation, `recover` says what is undecided.
        """
        pace = Pace(self._job.rate)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._job.connections):
                    group.create_task(self._work(pace))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        undone = bool(self._claims)
        self._log.release(self._job.issue, self._claims)
        self._claims.clear()
        if self._trouble and undone:
            raise self._trouble

    async def _work(self, pace: Pace) -> None:
        connection: Connection | None = None
        try:
            while claim := self._next_claim():
                try:
                    await pace.turn()
                    if connection is None or not connection.usable:
                        connection = await self._connect()
                    await self._deliver(claim, connection)
                except (RelayError, Unreachable) as error:
                    # Untried: another worker may have a connection, else run() gives it back.
                    self._claims.append(claim)
                    self._trouble = RelayError(f"{error}. Nothing is lost; go on with: mailer send {self._job.issue}")
                    # What cannot work for one cannot work for all; they finish the message they are at.
                    self.stopping |= isinstance(error, RelayError)
                    return
        except BaseException:
            if connection is not None:
                connection.abort()
            raise
        if connection is not None:
            await connection.close()

    def _next_claim(self) -> Claim | None:
        if self.stopping or self._left == 0:
            return None
        if not self._claims:
            wanted = _BATCH if self._left < 0 else min(_BATCH, self._left)
            self._claims.extend(self._log.claim(self._job.issue, wanted, timestamp(self._clock())))
        if not self._claims:
            return None
        self._left -= 1
        return self._claims.popleft()

    async def _connect(self) -> Connection:
        for pause in (*_PATIENCE, None):
            try:
                return await Connection.open(self._job.relay, self._job.timeout)
            except Unreachable:
                if pause is None or self.stopping:
                    raise
                await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last pause is None")

    async def _deliver(self, claim: Claim, connection: Connection) -> None:
        job, person = self._job, claim.subscriber
        recipient = headers.ascii_address(person.email)
        utf8 = not recipient.isascii()
        content = job.templates[claim.edition].fill(
            job.personaliser.personal(person), format_datetime(self._clock()), utf8
        )
        envelope = Envelope(job.sender, recipient, utf8)
        outcome = await connection.send(
            envelope, content, lambda: self._log.offer(job.issue, person.id, timestamp(self._clock()))
        )
        if outcome is None:
            self.tally.states[DeliveryState.SKIPPED] += 1
        elif connection.sent and _hung_up(outcome):
            self._claims.appendleft(claim)
        elif _sender_refused(outcome) and not utf8:
            raise RelayError(f"{job.relay} refuses the sender {job.sender}: {outcome.reply.code} {outcome.reply.text}")
        else:
            self._settle(claim, outcome)

    def _settle(self, claim: Claim, outcome: Outcome) -> None:
        """Durable before this returns, and so before the next message on the connection."""
        now = self._clock()
        next_at = ""
        if outcome.state is DeliveryState.DEFERRED:
            if claim.attempts < len(self._job.retry):
                next_at = timestamp(now + self._job.retry[claim.attempts])
            else:
                reply = outcome.reply
                text = f"gave up after {claim.attempts + 1} attempts: {reply.text}"
                outcome = Outcome(DeliveryState.REFUSED, Reply(reply.code, text, reply.step, reply.enhanced))
        self._log.record(self._job.issue, claim, outcome, timestamp(now), next_at)
        self.tally.states[outcome.state] += 1


def _hung_up(outcome: Outcome) -> bool:
    """The server ended a connection that had served its number of messages: reconnect, it is no one's fault (G3)."""
    before_content = outcome.state is DeliveryState.DEFERRED and outcome.reply.step is Step.MAIL
    return before_content and outcome.reply.code in (0, 421)


def _sender_refused(outcome: Outcome) -> bool:
    """MAIL refused for good concerns the sender, so everybody; 552 is this message's size (RFC 1870 section 6)."""
    refused = outcome.state is DeliveryState.REFUSED and outcome.reply.step is Step.MAIL
    return refused and outcome.reply.code not in (0, 552)
