"""Days: events that are over, dates that are none, weekdays that do not fit."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, datetime

from mailer.compose import mentions
from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import OBJECT, Kind, Passage
from mailer.compose.checks.rules import rule
from mailer.compose.dates import Dates
from mailer.compose.mentions import Mention
from mailer.models import Finding, Severity, Story

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)(?!\s+Agenda)")
_AGENDA = re.compile(
    r"\b(?:Agenda|Programme|Programa|خطة(?: عام)?)(?: de)? 20\d\d|20\d\d (?:Agenda|goals|targets)", re.I
)
# What comes back every year needs none: “every 1 May”, “World Day ... on 12 June”.
_YEARLY = re.compile(
    r"\b(?:(?:every|each|chaque|cada) (?:year|\d|année|an|año)|tous les ans|todos los años"
    r"|annual\w*|yearly|annuel\w*|anual\w*|Day|Journée|Día)\b"
    r"|كل |اليوم ال|سنوي"
)

OVER = rule(
    "MLR110", Severity.WARNING, "an event is over when the issue comes out",
    "readers plan to come, and learn that they are too late",
)  # fmt: skip
YEARLESS = rule(
    "MLR111", Severity.NOTE, "a day without a year",
    "mails are read late and kept for years; then nobody knows which year was meant",
)  # fmt: skip
WEEKDAY = rule(
    "MLR112", Severity.WARNING, "a weekday that does not fit its date",
    "readers come on the wrong day, or write to ask which of the two is right",
)  # fmt: skip
NO_DAY = rule(
    "MLR113", Severity.WARNING, "a day that no calendar has", "readers can't tell which day was meant"
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Events that are over, then every day named in the text."""
    issue = material.issue
    dates = Dates(issue.language)
    for story in material.issue.stories:
        if story.event and _day(story.event.end) < issue.date:
            text = f"this event ended on {dates.long(_day(story.event.end))}, the issue is of {dates.long(issue.date)}"
            yield material.finding(
                OVER, text, "take the event out, mend its date=, or tell what came of it", story=story
            )
    for passage in material.passages:
        if passage.kind is not Kind.ALT:
            for mention in mentions.find(passage.prose, passage.language):
                yield from _mention(material, passage, mention)


def _mention(material: Material, passage: Passage, mention: Mention) -> Iterator[Finding]:
    line, story, words = passage.line_at(mention.start), passage.story, mention.words
    years = _years(mention, story, material.issue.date)
    days = {year: _existing(mention, year) for year in years}
    if not any(days.values()):
        yield material.finding(NO_DAY, f"“{words}”: there is no such day", "mend the day or the month", line, story)
    elif mention.weekday >= 0 and mention.weekday not in {day.weekday() for found in days.values() for day in found}:
        right = Dates(passage.language).weekday(days[years[0]][0]) if days[years[0]] else ""
        told = f"“{words}”: " + (f"that day of {years[0]} is a {right}" if right else "no such day has this weekday")
        yield material.finding(WEEKDAY, told, "mend the weekday or the date", line, story)
    elif not mention.year and passage.kind is not Kind.FRONT and _needs_a_year(material, passage, mention):
        yield material.finding(YEARLESS, f"“{words}” has no year", "write the year behind the month", line, story)


def _years(mention: Mention, story: Story | None, day: date) -> list[int]:
    """The years that may be meant, the likeliest first: the one written, the event's, those around the issue."""
    if mention.year:
        return [mention.year]
    if story and story.event:
        return sorted({_day(story.event.start).year, _day(story.event.end).year})
    return [day.year, day.year + 1, day.year - 1]


def _existing(mention: Mention, year: int) -> list[date]:
    """The first day and the last; none when the calendar lacks one of them."""
    if not all(1 <= day <= calendar.monthrange(year, mention.month)[1] for day in (mention.day, mention.last)):
        return []
    return [date(year, mention.month, mention.day), date(year, mention.month, mention.last)]


def _needs_a_year(material: Material, passage: Passage, mention: Mention) -> bool:
    """Unless its sentence names one, its story is that day's event, or names the day in full elsewhere."""
    sentence = _sentence(passage, mention.start)
    if _YEAR.search(_AGENDA.sub("", sentence)) or _YEARLY.search(sentence):
        return False
    story = passage.story
    if story and story.event:
        return False
    others = [other for other in material.passages if other.story is story]
    named = (found for other in others for found in mentions.find(other.prose, other.language))
    return not any(found.year and (found.day, found.month) == (mention.day, mention.month) for found in named)


def _sentence(passage: Passage, position: int) -> str:
    prose = passage.prose
    start = max((found.end() for found in re.finditer(r"[.!?…؟]\s", prose[:position])), default=0)
    end = re.search(r"[.!?…؟](?:\s|$)", prose[position:])
    return prose[start : position + end.start() if end else len(prose)].replace(OBJECT, " ")


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
