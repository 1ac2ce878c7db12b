"""Claims that wait for their turn: one line for everybody, and one for each domain that has a pace of its own.

So mail to one domain doesn't wait for another that is being slowed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from mailer.deliver.gates import Gates, domain_of
from mailer.models import Claim
from mailer.store.base import SendLog

_BATCH = 100  # claims read in one transaction
_AGAIN = 1.0  # seconds after which a line that had none left is looked at again: deferred deliveries come due


@dataclass(slots=True)
class _Line:
    domain: str  # "" for everybody without a line of their own
    claims: deque[Claim] = field(default_factory=deque)
    look_at: float = 0.0  # the loop's time before which the log has nothing more for it


class Queue:
    """The open deliveries of an issue, fairly by domain."""

    def __init__(self, issue: str, log: SendLog, gates: Gates) -> None:
        self._issue = issue
        self._log = log
        self._gates = gates
        self._lines = [_Line(""), *(_Line(domain) for domain in gates.domains)]

    def next(self, now: float, minute: int, stamp: str, most: int) -> Claim | None:
        """The next claim that may go now; None when there is none. At most `most` are claimed ahead."""
        for turn in range(len(self._lines)):
            line = self._lines[turn]
            if self._pause(line, now, minute) > 0 or not self._filled(line, now, stamp, most):
                continue
            if len(self._lines) > 1:
                self._lines.append(self._lines.pop(turn))
            return line.claims.popleft()
        return None

    def pause(self, now: float, minute: int, stamp: str, most: int) -> float | None:
        """Seconds until a claim may go; None when nothing is left."""
        filled = [line for line in self._lines if self._filled(line, now, stamp, most)]
        return min((self._pause(line, now, minute) for line in filled), default=None)

    def give_back(self, claim: Claim) -> None:
        """It is the next of its line again."""
        domain = domain_of(claim)
        line = next((line for line in self._lines if line.domain == domain), None)
        (line or next(line for line in self._lines if not line.domain)).claims.appendleft(claim)

    def part(self, domain: str) -> None:
        """Give a domain a line of its own."""
        if any(line.domain == domain for line in self._lines):
            return
        everybody = next(line for line in self._lines if not line.domain)
        own = deque(claim for claim in everybody.claims if domain_of(claim) == domain)
        everybody.claims = deque(claim for claim in everybody.claims if domain_of(claim) != domain)
        self._lines.append(_Line(domain, own))

    def drain(self) -> list[Claim]:
        """All that is held, to be released."""
        held = [claim for line in self._lines for claim in line.claims]
        for line in self._lines:
            line.claims.clear()
        return held

    def _pause(self, line: _Line, now: float, minute: int) -> float:
        return self._gates.domains[line.domain].wait(now, minute) if line.domain else 0.0

    def _filled(self, line: _Line, now: float, stamp: str, most: int) -> bool:
        if not line.claims and now >= line.look_at:
            others = [other.domain for other in self._lines if other.domain] if not line.domain else []
            line.claims.extend(self._log.claim(self._issue, min(_BATCH, most), stamp, line.domain, others))
            line.look_at = 0.0 if line.claims else now + _AGAIN
        return bool(line.claims)
