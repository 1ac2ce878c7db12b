"""Times as the store keeps them: ISO 8601 in UTC with a Z, as `2018-12-14T08:00:00Z`, so that they sort as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]  # the time now, with an offset from UTC


def timestamp(moment: datetime) -> str:
    """A moment as the store keeps it; fractions of a second are cut off."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shifted(at: str, by: timedelta) -> str:
    """A time as the store keeps it, moved."""
    return timestamp(datetime.fromisoformat(at) + by)


def minute_of(moment: datetime) -> int:
    """The minute of the Unix epoch: what is sent is counted by these."""
    return int(moment.timestamp()) // 60
