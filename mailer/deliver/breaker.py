"""The circuit breaker: an issue pauses before a bad setting burns the list."""

from __future__ import annotations

from collections import deque

from mailer.errors import TooManyRefusals
from mailer.models import Reply

_WINDOW = 200  # the deliveries it looks back on
_REFUSED = 20  # of them


class Breaker:
    """Counts refusals among the last deliveries of an issue."""

    def __init__(self, issue: str, keep_going: bool) -> None:
        self._issue = issue
        self._keep_going = keep_going
        self._recent: deque[bool] = deque(maxlen=_WINDOW)

    def check(self, refused: bool, reply: Reply) -> TooManyRefusals | None:
        """One more delivery. The reason to pause, if there is one now."""
        self._recent.append(refused)
        if not refused or self._keep_going or (count := sum(self._recent)) < _REFUSED:
            return None
        return TooManyRefusals(
            f"paused: {count} of the last {len(self._recent)} were refused, this one at {reply.step} with: "
            f"{reply.code or ''} {reply.text}. Everybody else is queued. Look: mailer log {self._issue} "
            f"--state refused. If they are right, go on with: mailer send {self._issue} --keep-going. If a setting was "
            f"wrong, mend it and queue these again: mailer settle {self._issue} --as unsent --state refused"
        )
