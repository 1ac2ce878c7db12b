"""The live display of a send: one line that moves in a terminal, plain lines elsewhere; and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from datetime import datetime, timedelta

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from mailer.cli.app import err, say
from mailer.deliver.run import Run
from mailer.models import Balance, DeliveryState
from mailer.newsroom import clock

_REFRESH = 0.25  # seconds
_PLAIN_FIRST, _PLAIN_EVERY = 1.0, 10.0  # seconds until a line when nobody watches live


async def watch(run: Run, before: Balance, wait: bool) -> Balance:
    """Run a send and show it. Ctrl-C, SIGTERM and a terminal that closes finish what is in flight; Ctrl-C after that
    stops at once. The others never do: `mailer stop` given twice must not leave deliveries unknown.

    Raises asyncio.CancelledError after the second Ctrl-C, and whatever the run raises.
    """
    task = asyncio.ensure_future(run.go(wait))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not run.stopped:
            run.stop()
            with suppress(OSError):
                say("Stopping: finishing what is in flight. Ctrl-C stops at once.")

    def interrupt() -> None:
        if run.stopped:
            task.cancel()
        stop()

    handlers = {signal.SIGINT: interrupt, signal.SIGTERM: stop, signal.SIGHUP: stop}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
        del handlers[signal.SIGHUP]
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    show = _Display(run, before.open)
    try:
        with suppress(OSError):  # nobody looks any more (a closed pipe); the send goes on
            await (show.live(task) if err.is_terminal else show.lines(task))
        return await task
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


class _Display:
    def __init__(self, run: Run, total: int) -> None:
        self._run = run
        self._total = min(total, run.job.limit) if run.job.limit else total
        self._started = asyncio.get_running_loop().time()

    async def live(self, task: asyncio.Future[Balance]) -> None:
        with Live(self._row(), console=err, refresh_per_second=4, transient=True) as live:
            while not task.done():
                await asyncio.wait([task], timeout=_REFRESH)
                live.update(self._row())

    async def lines(self, task: asyncio.Future[Balance]) -> None:
        waiting: datetime | None = None
        pause = _PLAIN_FIRST
        while not task.done():
            await asyncio.wait([task], timeout=pause)
            pause = _PLAIN_EVERY
            if waiting is None or self._run.waiting_until != waiting:  # a wait of hours is one line
                print(self._text(), file=sys.stderr, flush=True)
            waiting = self._run.waiting_until

    def _row(self) -> Table:
        row = Table.grid(padding=(0, 2))
        row.add_row(ProgressBar(total=max(1, self._total), completed=self._done(), width=20), self._text())
        return row

    def _done(self) -> int:
        settled = self._run.tally.states
        return sum(count for state, count in settled.items() if state is not DeliveryState.DEFERRED)

    def _text(self) -> str:
        if self._run.waiting_until is not None:
            left = str(max(timedelta(), self._run.waiting_until - clock())).partition(".")[0]
            if not self._run.begun:
                return f"begins in {left}, at {self._run.waiting_until.astimezone():%Y-%m-%d %H:%M}; Ctrl-C stops"
            return f"goes on in {left}, when deferred deliveries are due or a limit allows; Ctrl-C stops"
        states = self._run.tally.states
        done, seconds = self._done(), asyncio.get_running_loop().time() - self._started
        rate = self._run.tally.attempts / seconds if seconds > 0 else 0.0
        left_text = ""
        if rate and done < self._total:
            left_text = f", {timedelta(seconds=round((self._total - done) / rate))} left"
        parts = [
            f"{done:,} of {self._total:,}, {rate:,.0f}/s{left_text}",
            f"accepted {states[DeliveryState.ACCEPTED]:,}",
        ]
        for state in (DeliveryState.REFUSED, DeliveryState.DEFERRED, DeliveryState.UNKNOWN):
            if states[state]:
                parts.append(f"{state} {states[state]:,}")
        parts += [f"{name} slowed to {rate:.3g}/s" for name, rate in self._run.tally.slowed.items()]
        parts += [f"{name} is away" for name in self._run.tally.away]
        return "; ".join(parts)
