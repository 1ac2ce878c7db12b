"""Drain the send log: claim, fill, send, record.

Each connection to a relay takes its messages from one queue. A reply is recorded before the next content goes out on
its connection, so whatever ends the process, at most one delivery a connection is left undecided.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple

from mailer.compose import headers
from mailer.compose.message import MessageTemplate
from mailer.compose.personal import Personaliser
from mailer.config import Relay
from mailer.deliver.carriers import Carrier, Carriers
from mailer.deliver.gates import Gates, minute_of
from mailer.deliver.pace import Gate
from mailer.deliver.queue import Queue
from mailer.deliver.session import Unreachable
from mailer.deliver.smtp import Connection, Parcel
from mailer.errors import MailerError, RelayError, StoreError, TooManyRefusals
from mailer.models import Claim, DeliveryState, Limit, Outcome, Reply, Slowdown, Step
from mailer.store.base import PaceLog, SendLog

_BATCH = 100  # claims held ahead
_WINDOW = 200  # the deliveries the circuit breaker looks back on
_REFUSED = 20  # of them, and the issue is paused: a bad setting would burn the list
_FIRST_TRIES = (0.2, 1.0, 3.0)  # seconds between attempts to reach a relay, before it counts as unusable
_LATER_TRIES = (0.2, 1.0, 3.0, 10.0, 30.0, 60.0)  # for one that worked a moment ago: it may just be restarted
_AWAY = 60.0  # seconds between looks at a relay that is away, while others do its work
_KEPT_OPEN = 5.0  # seconds a connection is held for the next message; for longer it is closed
_BRIEF = 60.0  # seconds: what keeps a message back for as long is a limit that is used up
_LOOK = 0.02  # seconds between looks at the clock
_TURN = 0.01  # seconds until a relay that is ahead of its share looks again

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


class Now(NamedTuple):
    """A moment as the log writes it and as a mail's Date does."""

    moment: datetime
    stamp: str
    date: str
    minute: int


class Engine:
    """One run over one issue. `stop` ends it after what is in flight."""

    def __init__(self, job: Job, log: SendLog, clock: Clock, tally: Tally) -> None:
        self.tally = tally
        self.waiting_until: datetime | None = None  # for a limit that is used up
        self._stop = asyncio.Event()
        self._asked = False  # it was stop(), not trouble, that ended the run
        self._patient = True
        self._job = job
        self._log = log
        self._clock = clock
        self._second = Now(datetime.min, "", "", 0)  # noqa: DTZ901  # never equal to a moment with its offset
        self._looked = float("-inf")
        self._gates = job.gates(log.pace, minute_of(clock()))
        self._carriers = Carriers(job.relays, self._gates)
        self._queue = Queue(job.issue, log, self._gates)
        self._left = job.limit or -1
        self._settled: list[tuple[Claim, Outcome, str, str]] = []  # to be recorded with the next offer
        self._recent: deque[bool] = deque(maxlen=_WINDOW)  # refused or not
        self._trouble: MailerError | None = None

    def stop(self) -> None:
        """Finish what is in flight, then end."""
        self._asked = self._asked or not self._stop.is_set()
        self._stop.set()

    async def run(self, patient: bool = True) -> None:
        """Until nothing is queued or due, the limit is reached, or it is stopped.

        Unless it is `patient`, it ends as well when a limit an hour or a day is used up. Raises RelayError when no
        relay could be used and TooManyRefusals when the circuit breaker opened, with everything untried queued again;
        StoreError when a reply could not be recorded. After that, or a cancellation, `recover` says what is undecided.
        """
        self._patient = patient
        try:
            async with asyncio.TaskGroup() as group:
                for carrier in self._carriers:
                    for _ in range(carrier.relay.connections):
                        group.create_task(self._work(carrier))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            if not isinstance(self._trouble, StoreError):
                self._record()
        if isinstance(self._trouble, StoreError):
            raise self._trouble
        self._log.release(self._job.issue, self._queue.drain())
        if self._trouble and not self._asked and self._left != 0 and self._log.balance(self._job.issue).queued:
            raise self._trouble

    async def _work(self, carrier: Carrier) -> None:
        """One worker: a connection, and another one when that is used up."""
        while await self._due(carrier):
            connection = await self._connect(carrier)
            if connection is None:
                return
            try:
                await connection.pump(_Turns(self, carrier))
            except BaseException:
                connection.abort()
                raise
            await connection.close()

    async def _due(self, carrier: Carrier) -> bool:
        """Wait until this relay may get a message; False when there is none for it any more."""
        while self._going(carrier):
            now, second = self._time(), self._now()
            pause = self._queue.pause(now, second.minute, second.stamp, self._most())
            if pause is None:
                return False
            pause = max(pause, self._gates.wait(carrier.gate, now, second.minute))
            if not pause:
                return True
            if pause >= _BRIEF and not self._patient:
                return False
            if pause > _KEPT_OPEN:
                self.waiting_until = second.moment + timedelta(seconds=pause)
            await self._sleep(min(pause, _BRIEF))
        return False

    async def _connect(self, carrier: Carrier) -> Connection | None:
        """A session with the relay; None when it can't be had and this worker ends."""
        pauses = iter(_LATER_TRIES if carrier.reached else _FIRST_TRIES)
        while self._going(carrier):
            try:
                connection = await Connection.open(carrier.relay, self._job.timeout)
            except RelayError as error:
                self._lose(carrier, str(error), fatal=True)
                return None
            except Unreachable as error:
                carrier.trouble = str(error)
                pause = next(pauses, None)
                if pause is None and not self._carriers.others_work(carrier):
                    self._lose(carrier, str(error), fatal=False)
                    return None
                if pause is None:
                    pause = _AWAY
                    self.tally.away[str(carrier.relay)] = str(error)
                if not await self._rest(pause):
                    return None
            else:
                carrier.reached = True
                if not carrier.dead:
                    carrier.trouble = ""
                    self.tally.away.pop(str(carrier.relay), None)
                return connection
        return None

    async def _rest(self, pause: float) -> bool:
        """Wait, as long as there is anything to wait for: others may do the work meanwhile."""
        until = self._time() + pause
        while (left := until - self._time()) > 0:
            await self._sleep(min(left, 1.0))
            second = self._now()
            if (
                self._stop.is_set()
                or self._queue.pause(self._time(), second.minute, second.stamp, self._most()) is None
            ):
                return False
        return True

    async def take(self, carrier: Carrier, wait: bool) -> Parcel | None:
        """The next parcel for a connection of this relay."""
        while self._going(carrier):
            now, second = self._time(), self._now()
            pause: float | None = self._gates.wait(carrier.gate, now, second.minute)
            if not pause:
                if self._carriers.ahead(carrier, now, second.minute):
                    pause = _TURN
                elif claim := self._queue.next(now, second.minute, second.stamp, self._most()):
                    return self._taken(carrier, claim, now)
                else:
                    pause = self._queue.pause(now, second.minute, second.stamp, self._most())
            if pause is None or not wait or pause > _KEPT_OPEN:
                return None
            await self._sleep(pause)
        return None

    def give_back(self, carrier: Carrier, parcel: Parcel) -> None:
        """A parcel that was never offered; another connection may take it, or run() releases it."""
        self._left += 1
        self._gates.drop(carrier.gate, parcel.claim)
        self._queue.give_back(parcel.claim)

    def offer(self, carrier: Carrier, parcel: Parcel) -> bool:
        """Durable when it returns, as is all that was settled before; False when the person left meanwhile.

        One transaction for both: a commit costs 15 of a message's 150 microseconds. Raises StoreError.
        """
        second = self._now()
        with self._log.together():
            self._write_settled()
            offered = self._log.offer(self._job.issue, parcel.claim.subscriber.id, second.stamp)
            if offered:
                self._gates.sent(carrier.gate, parcel.claim, second.minute)
        self._settled.clear()
        if not offered:
            self.tally.skipped += 1
            self._left += 1
            self._gates.drop(carrier.gate, parcel.claim)
        return offered

    def settle(self, carrier: Carrier, parcel: Parcel, outcome: Outcome) -> None:
        """Recorded with the next offer, at the latest before the loop turns."""
        if _sender_refused(outcome) and not parcel.utf8:
            self.give_back(carrier, parcel)
            reply = outcome.reply
            said = f"{carrier.relay} refuses the sender {self._job.sender}: {reply.code} {reply.text}"
            self._lose(carrier, said, fatal=True)
            return
        if outcome.reply.step is not Step.CONTENT:
            self._gates.drop(carrier.gate, parcel.claim)
        slower = self._gates.heard(carrier.gate, parcel.claim, outcome, self._time())
        if slower is not None:
            self._change_pace(slower, f"{outcome.reply.code} {outcome.reply.text}")
        self._enter(parcel.claim, outcome)
        self._recent.append(outcome.state is DeliveryState.REFUSED)
        if self._recent[-1] and not self._job.keep_going:
            self._break_circuit(outcome.reply)

    def _enter(self, claim: Claim, outcome: Outcome) -> None:
        """Put what became of a message down for the log."""
        now, next_at = self._now(), ""
        if outcome.state is DeliveryState.DEFERRED:
            if claim.attempts < len(self._job.retry):
                next_at = timestamp(now.moment + self._job.retry[claim.attempts])
            else:
                reply = outcome.reply
                text = f"gave up after {claim.attempts + 1} attempts: {reply.text}"
                outcome = Outcome(DeliveryState.REFUSED, Reply(reply.code, text, reply.step, reply.enhanced))
        self.tally.states[outcome.state] += 1
        if not self._settled:
            asyncio.get_running_loop().call_soon(self._record)
        self._settled.append((claim, outcome, now.stamp, next_at))

    def _record(self) -> None:
        """Write what was settled. What can't be written ends the run, before any other content goes out."""
        if not self._settled:
            return
        try:
            with self._log.together():
                self._write_settled()
        except StoreError as error:
            self._trouble = error
            self._stop.set()
        else:
            self._settled.clear()

    def _write_settled(self) -> None:
        if isinstance(self._trouble, StoreError):
            raise self._trouble
        for claim, outcome, stamp, next_at in self._settled:
            self._log.record(self._job.issue, claim, outcome, stamp, next_at)

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

    def _change_pace(self, gate: Gate, reply: str) -> None:
        """Something goes slower or faster from now on: into the log with it."""
        if gate.name in self._gates.domains:
            self._queue.part(gate.name)
        if gate.spacing.slowed:
            self.tally.slowed[gate.name] = gate.spacing.rate
        else:
            self.tally.slowed.pop(gate.name, None)
        change = Slowdown(self._now().stamp, gate.name, round(gate.spacing.rate, 3), reply)
        self._log.pace.slowed(self._job.issue, change)

    def _now(self, fresh: bool = False) -> Now:
        """The moment, to a fiftieth of a second unless `fresh`: looking four times a message would cost 15 us."""
        now = self._time()
        if now - self._looked < _LOOK and not fresh:
            return self._second
        self._looked = now
        moment = self._clock().replace(microsecond=0)
        if moment != self._second.moment:
            self._second = Now(moment, timestamp(moment), format_datetime(moment), minute_of(moment))
            for gate in self._gates.recovered(now):
                self._change_pace(gate, "no more trouble")
        return self._second

    def _going(self, carrier: Carrier) -> bool:
        return not self._stop.is_set() and self._left != 0 and not carrier.dead

    def _most(self) -> int:
        return _BATCH if self._left < 0 else min(_BATCH, self._left)

    def _taken(self, carrier: Carrier, claim: Claim, now: float) -> Parcel:
        self._left -= 1
        self.waiting_until, carrier.trouble = None, ""
        self._gates.take(carrier.gate, claim, now)
        self._carriers.take(carrier, now)
        job, person = self._job, claim.subscriber
        recipient = headers.ascii_address(person.email)
        utf8 = not recipient.isascii()
        personal = job.personaliser.personal(person)
        content = job.templates[claim.edition].fill(personal, self._now(fresh=True).date, utf8)
        return Parcel(job.sender, recipient, content, claim, utf8)

    def _lose(self, carrier: Carrier, why: str, fatal: bool) -> None:
        """A relay can't be used. While others work that is a remark; else it ends the run, after what is in flight."""
        carrier.trouble, carrier.dead = why, carrier.dead or fatal
        if self._carriers.others_work(carrier):
            self.tally.away[str(carrier.relay)] = why
            return
        if self._trouble is None:
            self._trouble = RelayError(f"{why}. Nothing is lost; go on with: mailer send {self._job.issue}")
        if fatal:
            self._stop.set()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    @staticmethod
    def _time() -> float:
        return asyncio.get_running_loop().time()


@dataclass(slots=True)
class _Turns:
    """smtp.Dispatcher of one connection: the engine's, for so many messages as a connection may carry."""

    engine: Engine
    carrier: Carrier
    taken: int = 0

    async def take(self, wait: bool) -> Parcel | None:
        if self.carrier.relay.messages and self.taken >= self.carrier.relay.messages:
            return None
        parcel = await self.engine.take(self.carrier, wait)
        self.taken += parcel is not None
        return parcel

    def give_back(self, parcel: Parcel) -> None:
        self.taken -= 1
        self.engine.give_back(self.carrier, parcel)

    def offer(self, parcel: Parcel) -> bool:
        return self.engine.offer(self.carrier, parcel)

    def settle(self, parcel: Parcel, outcome: Outcome) -> None:
        self.engine.settle(self.carrier, parcel, outcome)


def _sender_refused(outcome: Outcome) -> bool:
    """MAIL refused for good concerns the sender, so everybody; 552 is this message's size (RFC 1870 section 6)."""
    refused = outcome.state is DeliveryState.REFUSED and outcome.reply.step is Step.MAIL
    return refused and outcome.reply.code not in (0, 552)
