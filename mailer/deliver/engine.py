"""Drain the send log: claim, fill, send, record.

Each connection to a relay takes its messages from one queue. A reply is recorded before the next content goes out on
its connection, so whatever ends the process, at most one delivery a connection is left undecided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from mailer.compose import headers
from mailer.deliver.breaker import Breaker
from mailer.deliver.carriers import Carrier, Carriers
from mailer.deliver.job import Job, Tally
from mailer.deliver.ledger import Ledger
from mailer.deliver.moments import Moments, Now
from mailer.deliver.pace import Gate
from mailer.deliver.queue import Queue
from mailer.deliver.session import Unreachable
from mailer.deliver.smtp import Connection, Parcel
from mailer.errors import MailerError, RelayError, StoreError
from mailer.models import Claim, DeliveryState, Outcome, Slowdown, Step
from mailer.store.base import SendLog
from mailer.times import Clock, minute_of

_BATCH = 100  # claims held ahead
_FIRST_TRIES = (0.2, 1.0, 3.0)  # seconds between attempts to reach a relay, before it counts as unusable
_LATER_TRIES = (0.2, 1.0, 3.0, 10.0, 30.0, 60.0)  # for one that worked a moment ago: it may just be restarted
_AWAY = 60.0  # seconds between looks at a relay that is away, while others do its work
_KEPT_OPEN = 5.0  # seconds a connection is held for the next message; for longer it is closed
_BRIEF = 60.0  # seconds: what keeps a message back for as long is a limit that is used up
_TURN = 0.01  # seconds until a relay that is ahead of its share looks again


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
        self._moments = Moments(clock)
        self._gates = job.gates(log.pace, minute_of(clock()))
        self._carriers = Carriers(job.relays, self._gates)
        self._queue = Queue(job.issue, log, self._gates)
        self._left = job.limit or -1
        self._ledger = Ledger(job.issue, log, job.retry, self._fail)
        self._breaker = Breaker(job.issue, job.keep_going)
        self._trouble: MailerError | None = None
        self._time: Callable[[], float]

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
        self._time = asyncio.get_running_loop().time  # asked for six times a message: the loop is looked up once
        try:
            async with asyncio.TaskGroup() as group:
                for carrier in self._carriers:
                    for _ in range(carrier.relay.connections):
                        group.create_task(self._work(carrier))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._ledger.write()
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
            if self.tally.slowed:
                for gate in self._gates.recovered(now):
                    self._change_pace(gate, "no more trouble")
            pause: float | None = self._gates.wait(carrier.gate, now, second.minute)
            if not pause:
                ahead = self._carriers.ahead(carrier, now, second.minute)
                if not ahead and (claim := self._queue.next(now, second.minute, second.stamp, self._most())):
                    return self._taken(carrier, claim, now)
                pause = self._queue.pause(now, second.minute, second.stamp, self._most())
                if ahead and pause is not None:
                    pause = max(pause, _TURN)
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
        """Durable when it returns; False when the person left meanwhile. Raises StoreError."""
        now, claim = self._now(), parcel.claim
        offered = self._ledger.offer(claim, now, partial(self._gates.sent, carrier.gate, claim, now.minute))
        if not offered:
            self.tally.skipped += 1
            self._left += 1
            self._gates.drop(carrier.gate, claim)
        return offered

    def settle(self, carrier: Carrier, parcel: Parcel, outcome: Outcome) -> None:
        """Durable before the next content on this connection."""
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
        self.tally.states[self._ledger.settle(parcel.claim, outcome, self._now())] += 1
        pause = self._breaker.check(outcome.state is DeliveryState.REFUSED, outcome.reply)
        if pause is not None and not self._stop.is_set():
            self._trouble = pause
            self._stop.set()

    def _fail(self, error: StoreError) -> None:
        """The log can't be written: nothing more goes out."""
        self._trouble = error
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
        return self._moments.now(self._time(), fresh)

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
