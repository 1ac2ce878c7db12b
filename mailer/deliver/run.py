"""A send from start to end: runs of the engine, with waits for deferred deliveries between them."""

from __future__ import annotations

import asyncio
from datetime import datetime

from mailer.deliver.engine import Engine
from mailer.deliver.job import Job, Tally
from mailer.models import Balance
from mailer.store.base import SendLog
from mailer.times import Clock, timestamp


class Run:
    """Sends a planned issue. Read `tally` and `waiting_until` while it goes; `stop` ends it after what is in flight.

    `begun` is false while it waits for the moment the send was put off to.
    """

    def __init__(self, job: Job, log: SendLog, clock: Clock) -> None:
        self.job = job
        self.tally = Tally()
        self.begun = False
        self._until: datetime | None = None
        self._log = log
        self._clock = clock
        self._stopped = asyncio.Event()
        self._engine: Engine | None = None

    @property
    def waiting_until(self) -> datetime | None:
        """The moment it waits for: its beginning, deferred deliveries that come due, a limit that is used up."""
        return self._until or (self._engine.waiting_until if self._engine is not None else None)

    @property
    def stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Finish what is in flight, then end."""
        self._stopped.set()
        if self._engine is not None:
            self._engine.stop()

    async def go(self, wait: bool) -> Balance:
        """Send until nothing is open, or nothing may go now and `wait` is off. Raises what the engine raises."""
        begin_at = self._log.begin_at(self.job.issue)
        if begin_at and wait:
            await self._wait_until(datetime.fromisoformat(begin_at))
        self.begun = begin_at <= timestamp(self._clock())
        while self.begun and not self.stopped:
            self._engine = Engine(self.job, self._log, self._clock, self.tally)
            started = asyncio.get_running_loop().time()
            try:
                await self._engine.run(patient=wait)
            finally:
                self._log.add_seconds(self.job.issue, asyncio.get_running_loop().time() - started)
            due = self._log.next_due(self.job.issue)
            if not due or not wait or self.job.limit:
                break
            await self._wait_until(datetime.fromisoformat(due))
        return self._log.balance(self.job.issue)

    async def _wait_until(self, moment: datetime) -> None:
        self._until = moment
        try:
            while not self.stopped and timestamp(self._clock()) < timestamp(moment):
                left = (moment - self._clock()).total_seconds()
                try:
                    # Looked at again each minute: a laptop that slept has a clock that jumped.
                    await asyncio.wait_for(self._stopped.wait(), min(60.0, max(0.05, left)))
                except TimeoutError:
                    continue
        finally:
            self._until = None
