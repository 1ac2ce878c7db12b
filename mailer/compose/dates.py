"""Days in the words of a language: of an issue, and of its events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from babel.dates import format_date as _format_date
from babel.dates import format_time, get_date_format

from mailer.models import Occasion

_LOCALES = {"en": "en_GB"}  # an international institution writes 14 December, not December 14

format_date = lru_cache(maxsize=256)(_format_date)  # a page has some ten dates, and an edit changes few
_DAY = re.compile(r"('[^']*')|d+")  # the day in a pattern such as d 'de' MMMM 'de' y


@dataclass(frozen=True, slots=True)
class Dates:
    """Writes dates in one language."""

    language: str

    @property
    def locale(self) -> str:
        """The name Babel knows the language by."""
        return _LOCALES.get(self.language, self.language.replace("-", "_"))

    def long(self, day: date) -> str:
        """`14 December 2018`."""
        return format_date(day, "long", self.locale)

    def weekday(self, day: date) -> str:
        """`Friday`."""
        return format_date(day, "EEEE", self.locale)

    def leaf(self, event: Occasion) -> tuple[str, str]:
        """A calendar leaf: the day or days, and the month; only the first day where the end is in another month."""
        start, end = _day(event.start), _day(event.end)
        month = format_date(start, "LLL", self.locale)
        if start != end and (start.year, start.month) == (end.year, end.month):
            return f"{start.day}–{end.day}", month
        return str(start.day), month

    def when(self, event: Occasion) -> str:
        """`10–11 January 2019`, with the time and its offset from UTC where one is given."""
        start, end = _day(event.start), _day(event.end)
        if start == end:
            days = self.long(start)
        elif (start.year, start.month) == (end.year, end.month):
            days = self._days_of_a_month(start, end)
        else:
            days = f"{self.long(start)} – {self.long(end)}"
        if not isinstance(event.start, datetime) or not isinstance(event.end, datetime):
            return days
        times = [format_time(moment.timetz(), "HH:mm", locale=self.locale) for moment in (event.start, event.end)]
        zone = event.start.strftime("%z")
        return f"{days}, {times[0]}" + (f"–{times[1]}" if times[0] != times[1] else "") + f" (UTC{zone[:3]}:{zone[3:]})"

    def _days_of_a_month(self, start: date, end: date) -> str:
        """Babel's own format_interval abbreviates the month."""
        pattern = get_date_format("long", self.locale).pattern
        both = f"'{start.day}–{end.day}'"
        return format_date(end, _DAY.sub(lambda found: found[1] or both, pattern), self.locale)


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
