"""A rehearsal: the real engine sends a planned issue to a world that is not kind, and the two accounts are compared.

What the server took is held against what the log says of each person. The store must be one made for the purpose.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from mailer.audience import addresses
from mailer.compose import headers
from mailer.deliver.job import Job, Tally
from mailer.deliver.run import Run
from mailer.deliver.world import World
from mailer.errors import TooManyRefusals
from mailer.models import Balance, DeliveryState, Segment, Subscriber
from mailer.store.base import Audience, Newcomer, SendLog
from mailer.times import Clock

_BATCH = 10_000  # people written at once
_FINAL = {DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.UNKNOWN, DeliveryState.SKIPPED}
_DOMAINS = [f"provider{number}.example.org" for number in range(1, 31)]  # RFC 2606: nobody's


@dataclass(frozen=True, slots=True)
class Report:
    """What a rehearsal shows. `lost`, `doubled` and `wrong` are addresses; all three must be empty.

    lost     the log says accepted, or nothing final, and the server never took it
    doubled  the server took it twice, or took what the log would send again
    wrong    the log says refused, skipped or unknown, and the server knows better
    """

    balance: Balance
    attempts: int
    later: int  # accepted after being put off
    refusals: Counter[str]  # by step and reply
    unknowns: Counter[str]
    paused: str  # what the circuit breaker said; empty when it did not open
    took: timedelta  # from the first message to the last, with the waits between attempts
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Nothing lost, nothing doubled, nothing told wrong."""
        return not (self.lost or self.doubled or self.wrong)

    @property
    def rate(self) -> float:
        """Attempts a second, with latency and limits, without the waits between attempts."""
        return self.attempts / self.balance.seconds if self.balance.seconds else 0.0

    def forecast(self, people: int) -> timedelta:
        """How long as many people would take, without the waits between attempts."""
        offered = self.balance.audience - self.balance.skipped
        return timedelta(seconds=self.balance.seconds * people / offered if offered else 0.0)


async def rehearse(job: Job, log: SendLog, world: World, clock: Clock, tally: Tally) -> Report:
    """Send until nothing is open, on a loop that leaps over the waits. Raises what the engine raises."""
    began, paused = clock(), ""
    while True:
        run = Run(job, log, clock)
        run.tally = tally
        try:
            balance = await run.go(wait=True)
        except TooManyRefusals as error:
            paused = str(error)
            job = replace(job, keep_going=True)
            continue
        return _compared(log, job.issue, world, balance, tally.attempts, paused, clock() - began)


def _compared(
    log: SendLog, issue: str, world: World, balance: Balance, attempts: int, paused: str, took: timedelta
) -> Report:
    """Both accounts, person by person."""
    later, known = 0, 0
    refusals: Counter[str] = Counter()
    unknowns: Counter[str] = Counter()
    lost, doubled, wrong = [], [], []
    for row in log.deliveries(issue):
        address = headers.ascii_address(row.email)
        taken = world.taken[address]
        known += taken
        final = row.state in _FINAL
        if taken > 1 or (taken and not final):
            doubled.append(row.email)
        elif not taken and (row.state is DeliveryState.ACCEPTED or not final):
            lost.append(row.email)
        elif row.state is DeliveryState.UNKNOWN:
            unknowns[f"{row.reply} ({row.step})"] += 1
            if address not in world.undecided:
                wrong.append(row.email)
        elif taken and row.state is not DeliveryState.ACCEPTED:
            wrong.append(row.email)
        if row.state is DeliveryState.REFUSED:
            refusals[f"{row.code or ''} {row.reply} ({row.step})".lstrip()] += 1
        later += row.state is DeliveryState.ACCEPTED and row.attempts > 1
    if known < world.taken.total():
        wrong.append(f"{world.taken.total() - known} whom the log does not know")
    return Report(
        *(balance, attempts, later, refusals, unknowns, paused, took),
        *(tuple(lost), tuple(doubled), tuple(wrong)),
    )


def invent(audience: Audience, count: int, segments: list[Segment], seed: int, now: str) -> None:
    """Fill an empty audience with people who share their interests as these segments do.

    Few providers have most of them: the second half as many as the first, the third a third (Zipf's law).
    """
    random = Random(seed)
    chosen = random.choices(segments, [segment.count for segment in segments], k=count)
    domains = random.choices(_DOMAINS, [1 / place for place in range(1, len(_DOMAINS) + 1)], k=count)
    with audience.importing() as people:
        for start in range(0, count, _BATCH):
            numbers = range(start, min(start + _BATCH, count))
            people.add([_person(number, domains[number], chosen[number]) for number in numbers])
        people.finish(now)


def _person(number: int, domain: str, segment: Segment) -> Newcomer:
    address = f"reader{number + 1:07d}@{domain}"
    person = Subscriber(address, f"Reader {number + 1}", segment.interests)
    return Newcomer(number + 1, addresses.key(address), "", person)
