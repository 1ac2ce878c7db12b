"""Drain the send log: claim, fill, send, record.

A few workers share one queue of claims, each with one connection that it keeps. A worker records a reply before it
takes the next claim, so whatever ends the process, at most one delivery a connection is left undecided.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

from mailer.compose import headers
from mailer.compose.message import MessageTemplate
from mailer.compose.personal import Personaliser
from mailer.config import Relay
from mailer.deliver.pace import Pace
from mailer.deliver.session import Unreachable
from mailer.deliver.smtp import Connection, Parcel
from mailer.errors import RelayError, TooManyRefusals
from mailer.models import Claim, DeliveryState, Outcome, Reply, Step
from mailer.store.base import SendLog

_BATCH = 100  # claims read in one transaction
_WINDOW = 200  # the deliveries the circuit breaker looks back on
_REFUSED = 20  # of them, and the issue is paused: a bad setting would burn the list
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
    keep_going: bool = False  # whatever the share of refusals


@dataclass(slots=True)
class Tally:
    """How far a run is. Read by whoever shows it."""

    states: Counter[DeliveryState] = field(default_factory=Counter)
    skipped: int = 0  # people who left between the claim and the content

    @property
    def attempts(self) -> int:
        """Transactions tried in this run."""
        return sum(self.states.values())


class Now(NamedTuple):
    """A moment as the log writes it and as a mail's Date does."""

    moment: datetime
    stamp: str
    date: str


class Engine:
    """One run over one issue, and the dispatcher of its connections. `stop` ends it after what is in flight."""

    def __init__(self, job: Job, log: SendLog, clock: Clock, tally: Tally) -> None:
        self.tally = tally
        self._stop = asyncio.Event()
        self._asked = False  # it was stop(), not trouble, that ended the run
        self._job = job
        self._log = log
        self._clock = clock
        self._pace = Pace(job.rate)
        self._claims: deque[Claim] = deque()
        self._left = job.limit or -1
        self._recent: deque[bool] = deque(maxlen=_WINDOW)  # refused or not
        self._trouble: RelayError | TooManyRefusals | None = None
        self._second = Now(datetime.min, "", "")  # noqa: DTZ901  # never equal to a moment with its offset

    def stop(self) -> None:
        """Finish what is in flight, then end."""
        self._asked = self._asked or not self._stop.is_set()
        self._stop.set()

    async def run(self) -> None:
        """Until nothing is queued or due, the limit is reached, or it is stopped.

        Raises RelayError when the relay could not be used and TooManyRefusals when the circuit breaker opened, with
        everything untried queued again; StoreError when a reply could not be recorded. After that, or a cancellation,
        `recover` says what is undecided.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._job.connections):
                    group.create_task(self._work())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        self._log.release(self._job.issue, self._claims)
        self._claims.clear()
        if self._trouble and not self._asked and self._left != 0 and self._log.balance(self._job.issue).queued:
            raise self._trouble

    async def _work(self) -> None:
        """One worker: a connection, and another one when that is used up."""
        while self._more():
            try:
                connection = await self._connect()
            except (RelayError, Unreachable) as error:
                self._give_up(str(error), fatal=isinstance(error, RelayError))
                return
            try:
                await connection.pump(self)
            except BaseException:
                connection.abort()
                raise
            await connection.close()

    async def _connect(self) -> Connection:
        for pause in _PATIENCE:
            try:
                return await Connection.open(self._job.relay, self._job.timeout)
            except Unreachable:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), pause)
                if self._stop.is_set():
                    raise
        return await Connection.open(self._job.relay, self._job.timeout)

    async def take(self, wait: bool) -> Parcel | None:
        """smtp.Dispatcher: the next parcel."""
        if not self._more() or not (wait or self._pace.ready()):
            return None
        await self._pace.turn(self._stop)
        if not self._more():
            return None
        self._left -= 1
        return self._parcel(self._claims.popleft())

    def give_back(self, parcel: Parcel) -> None:
        """smtp.Dispatcher: a parcel that was never offered; another connection may take it, or run() releases it."""
        self._left += 1
        self._claims.appendleft(parcel.claim)

    def offer(self, parcel: Parcel) -> bool:
        """smtp.Dispatcher: durable when it returns; False when the person left meanwhile."""
        offered = self._log.offer(self._job.issue, parcel.claim.subscriber.id, self._now().stamp)
        if not offered:
            self.tally.skipped += 1
            self._left += 1
        return offered

    def settle(self, parcel: Parcel, outcome: Outcome) -> None:
        """smtp.Dispatcher: durable when it returns, and so before the next content on the connection."""
        if _sender_refused(outcome) and not parcel.utf8:
            self.give_back(parcel)
            reply = outcome.reply
            said = f"{self._job.relay} refuses the sender {self._job.sender}: {reply.code} {reply.text}"
            self._give_up(said, fatal=True)
            return
        claim, now, next_at = parcel.claim, self._now(), ""
        if outcome.state is DeliveryState.DEFERRED:
            if claim.attempts < len(self._job.retry):
                next_at = timestamp(now.moment + self._job.retry[claim.attempts])
            else:
                reply = outcome.reply
                text = f"gave up after {claim.attempts + 1} attempts: {reply.text}"
                outcome = Outcome(DeliveryState.REFUSED, Reply(reply.code, text, reply.step, reply.enhanced))
        self._log.record(self._job.issue, claim, outcome, now.stamp, next_at)
        self.tally.states[outcome.state] += 1
        self._recent.append(outcome.state is DeliveryState.REFUSED)
        if self._recent[-1] and not self._job.keep_going:
            self._break_circuit(outcome.reply)

    def _break_circuit(self, reply: Reply) -> None:
        """Pause the issue when too many of the last deliveries were refused."""
        refused = sum(self._recent)
        if refused < _REFUSED or self._stop.is_set():
            return
        self._trouble = TooManyRefusals(
            f"paused: {refused} of the last {len(self._recent)} were refused, this one at {reply.step} with: "
            f"{reply.code or ''} {reply.text}. Everybody else is queued. Look: mailer log {self._job.issue} "
            f"--state refused; if they are right, go on with: mailer send {self._job.issue} --keep-going"
        )
        self._stop.set()

    def _now(self) -> Now:
        """The moment, written anew only when the second has changed: three times a message it would cost 15 us."""
        moment = self._clock().replace(microsecond=0)
        if moment != self._second.moment:
            self._second = Now(moment, timestamp(moment), format_datetime(moment))
        return self._second

    def _more(self) -> bool:
        """Whether there is a claim to take, claiming some when there is not."""
        if self._stop.is_set() or self._left == 0:
            return False
        if not self._claims:
            wanted = _BATCH if self._left < 0 else min(_BATCH, self._left)
            self._claims.extend(self._log.claim(self._job.issue, wanted, self._now().stamp))
        return bool(self._claims)

    def _parcel(self, claim: Claim) -> Parcel:
        job, person = self._job, claim.subscriber
        recipient = headers.ascii_address(person.email)
        utf8 = not recipient.isascii()
        personal = job.personaliser.personal(person)
        content = job.templates[claim.edition].fill(personal, self._now().date, utf8)
        return Parcel(job.sender, recipient, content, claim, utf8)

    def _give_up(self, why: str, fatal: bool) -> None:
        """This worker ends. What cannot work for one cannot work for all: they finish the message they are at."""
        self._trouble = RelayError(f"{why}. Nothing is lost; go on with: mailer send {self._job.issue}")
        if fatal:
            self._stop.set()


def _sender_refused(outcome: Outcome) -> bool:
    """MAIL refused for good concerns the sender, so everybody; 552 is this message's size (RFC 1870 section 6)."""
    refused = outcome.state is DeliveryState.REFUSED and outcome.reply.step is Step.MAIL
    return refused and outcome.reply.code not in (0, 552)
