"""Interests -> editions with head counts."""

from __future__ import annotations

from mailer.compose import editions
from mailer.models import Edition, Issue, Segment
from mailer.store.base import Audience


def of(issue: Issue, audience: Audience, today: str = "") -> tuple[list[Edition], list[Segment]]:
    """Each distinct edition that somebody gets, the longest first; and those for whom nothing is left.

    Who paused beyond `today` (ISO date) is in neither.
    """
    return editions.group(issue, audience.segments(today))
