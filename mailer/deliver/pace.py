"""How fast: gates that a message passes on its way.

A limit a second or a minute is an even spacing; one an hour or a day rolls on, counted by minutes in the store. When a
server asks for less (421, 450, 451, 454) a gate halves its rate and recovers step by step (additive increase,
multiplicative decrease: RFC 5681 section 3.1 does the same for TCP).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mailer.models import Limit

_EVEN = 60  # seconds: a limit over at most this is spaced evenly
_ROUND = 1.0  # seconds: refusals of what was in flight at the first one say nothing new
_RECOVERY = 10.0  # seconds without trouble for each step back up
_STEPS = 10  # from nothing to the full rate
_SLOWEST = 0.1  # messages a second


class Spacing:
    """An even rate that gives way. Times are seconds of the event loop's clock."""

    def __init__(self, per_second: float = 0.0) -> None:
        self.rate = per_second  # messages a second now; 0 for as fast as it goes
        self._configured = per_second
        self._full = per_second  # what recovery leads back to
        self._next = 0.0
        self._changed = 0.0

    @property
    def slowed(self) -> bool:
        """Whether it goes slower than configured."""
        return self.rate != self._configured

    def wait(self, now: float) -> float:
        """Seconds until the next message may go; 0 for at once."""
        return max(0.0, self._next - now) if self.rate else 0.0

    def take(self, now: float) -> None:
        """One goes now."""
        if self.rate:
            self._next = max(now, self._next) + 1 / self.rate

    def capacity(self, seconds: float) -> float:
        """How many may go within so many seconds from now on."""
        return seconds * self.rate + 1 if self.rate else float("inf")

    def slow(self, now: float, seen: float) -> bool:
        """Halve the rate, or the rate `seen` where there is none. False when that was done a moment ago."""
        if self.slowed and now - self._changed < _ROUND:
            return False
        if not self.slowed:
            self._full = self.rate or seen
        self.rate = max((self.rate or seen) / 2, _SLOWEST)
        self._next = now + 1 / self.rate
        self._changed = now
        return True

    def recover(self, now: float) -> bool:
        """A step back up, when there was no trouble for a while."""
        if not self.slowed or now - self._changed < _RECOVERY:
            return False
        self._changed = now
        self.rate += self._full / _STEPS
        if self.rate >= self._full:
            self.rate = self._configured
        return True


class Window:
    """At most `limit.count` messages in any `limit.seconds`. Times are minutes of the Unix epoch."""

    def __init__(self, limit: Limit) -> None:
        self.count = limit.count
        self.minutes = limit.seconds // 60
        self._sent: dict[int, int] = {}
        self._total = 0

    def load(self, sent: Mapping[int, int], minute: int) -> None:
        """What was sent by minute, as the store has it."""
        self._sent = {at: count for at, count in sent.items() if at > minute - self.minutes}
        self._total = sum(self._sent.values())

    def wait(self, minute: int, in_flight: int) -> int:
        """Minutes until the next message may go; 0 for now."""
        for at in [at for at in self._sent if at <= minute - self.minutes]:
            self._total -= self._sent.pop(at)
        excess = self._total + in_flight - self.count + 1
        if excess <= 0:
            return 0
        for at in sorted(self._sent):
            excess -= self._sent[at]
            if excess <= 0:
                return at + self.minutes - minute
        return 1  # all of it is in flight

    def capacity(self, seconds: float, minute: int) -> float:
        """How many may go within so many seconds from this minute on. What goes in one period repeats in the next."""
        periods, rest = divmod(seconds / 60, self.minutes)
        free = self.count - sum(sent for at, sent in self._sent.items() if at + self.minutes > minute + rest)
        return periods * self.count + max(0, free)

    def add(self, minute: int) -> None:
        """One was sent."""
        self._sent[minute] = self._sent.get(minute, 0) + 1
        self._total += 1


class Warmup:
    """So many in the first 24 hours of a new sending address, so many in the next; then no limit of its own."""

    def __init__(self, daily: Sequence[int], began: int) -> None:
        self._daily = daily
        self._began = began
        self._sent: dict[int, int] = {}

    def load(self, sent: Mapping[int, int], minute: int) -> None:
        """What was sent by minute."""
        self._sent.clear()
        for at, count in sent.items():
            self._add(at, count)

    def wait(self, minute: int, in_flight: int) -> int:
        """Minutes until the next message may go; 0 for now."""
        day = self._day(minute)
        if day >= len(self._daily) or self._sent.get(day, 0) + in_flight < self._daily[day]:
            return 0
        return self._began + (day + 1) * 1440 - minute

    def capacity(self, seconds: float, minute: int) -> float:
        """How many may go within so many seconds from this minute on."""
        first, last = self._day(minute), self._day(minute + int(seconds // 60))
        if last >= len(self._daily):
            return float("inf")
        return sum(self._daily[first : last + 1]) - self._sent.get(first, 0)

    def add(self, minute: int) -> None:
        """One was sent."""
        self._add(minute, 1)

    def _add(self, minute: int, count: int) -> None:
        day = self._day(minute)
        self._sent[day] = self._sent.get(day, 0) + count

    def _day(self, minute: int) -> int:
        return max(0, minute - self._began) // 1440


class Gate:
    """One thing that has a pace: a relay, a recipient's domain, the sending address."""

    def __init__(self, name: str, limits: Sequence[Limit], warmup: Warmup | None = None) -> None:
        self.name = name
        even = [limit.count / limit.seconds for limit in limits if limit.seconds <= _EVEN]
        self.spacing = Spacing(min(even, default=0.0))
        self.windows: list[Window | Warmup] = [Window(limit) for limit in limits if limit.seconds > _EVEN]
        if warmup is not None:
            self.windows.append(warmup)
        self._in_flight = 0

    def wait(self, now: float, minute: int) -> float:
        """Seconds until the next message may go. `now` is the loop's time, `minute` the epoch's."""
        wait = self.spacing.wait(now)
        for window in self.windows:
            wait = max(wait, 60.0 * window.wait(minute, self._in_flight))
        return wait

    def capacity(self, seconds: float, minute: int) -> float:
        """How many may go within so many seconds from this minute on."""
        windows = (window.capacity(seconds, minute) for window in self.windows)
        return min([self.spacing.capacity(seconds), *windows])

    def take(self, now: float) -> None:
        """One is on its way."""
        self.spacing.take(now)
        self._in_flight += 1

    def drop(self) -> None:
        """It was not sent after all."""
        self._in_flight -= 1

    def sent(self, minute: int) -> None:
        """Its content goes out."""
        self._in_flight -= 1
        for window in self.windows:
            window.add(minute)


class Meter:
    """How many messages a second went under a name lately: over this span of ten seconds and the one before."""

    SPAN = 10.0

    def __init__(self) -> None:
        self._spans: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._since = 0.0

    def add(self, name: str, now: float) -> None:
        """One went."""
        if now - self._since >= self.SPAN:
            before = self._spans[0] if now - self._since < 2 * self.SPAN else Counter[str]()
            self._spans, self._since = (Counter(), before), now
        self._spans[0][name] += 1

    def count(self, name: str) -> int:
        """How many lately."""
        return self._spans[0][name] + self._spans[1][name]

    def rate(self, name: str, now: float) -> float:
        """Messages a second."""
        seconds = now - self._since + (self.SPAN if self._spans[1] else 0.0)
        return self.count(name) / max(seconds, 1.0)
