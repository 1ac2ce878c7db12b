"""Events for calendars (iCalendar, RFC 5545): each by itself, and all of them to subscribe to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar
from icalendar import Event as CalendarEvent
from starlette.responses import Response

from mailer import __version__
from mailer.models import Story
from mailer.web import archive
from mailer.web.library import Sent
from mailer.web.security import PUBLIC
from mailer.web.site import Site
from mailer.web.visit import Visit, page

# A line's end that only width has put there (compose/plaintext.py): no new item, quotation, reference or rule follows.
_WRAPPED = re.compile(r"(?<=[^\n])\n *(?!\n| *(?:- |\d+\. |> |\[\d+\] <|[-=~]{3}))")


def all_events(visit: Visit) -> Response:
    """Every event of every issue."""
    sent = visit.site.library.all(visit.store.archive)
    return _answer(visit.site, ((one, story) for one in sent for story in one.events))


def one_event(visit: Visit) -> Response:
    """One event; a calendar file that the author put beside the issue has the same kind of address."""
    slug, name = visit.parts["slug"], visit.parts["event"]
    sent = visit.site.library.find(visit.store.archive, slug)
    found = [(sent, story) for story in sent.events if story.id == name]
    return _answer(visit.site, found) if found else archive.file(visit, f"{name}.ics")


def _answer(site: Site, events: Iterable[tuple[Sent, Story]]) -> Response:
    newsletter = site.room.config.newsletter
    calendar = Calendar()
    calendar.add("prodid", f"-//mailer//{__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", newsletter.name)
    for sent, story in events:
        calendar.add_component(_event(site, sent, story))
    return Response(calendar.to_ical(), media_type="text/calendar", headers=PUBLIC)


def _event(site: Site, sent: Sent, story: Story) -> CalendarEvent:
    """RFC 5545 section 3.6.1: days end on the day after the last; an event without a length has no end."""
    assert story.event  # Sent.events are those that have one
    start, end = story.event.start, story.event.end
    event = CalendarEvent()
    # The list's name outlives a host (RFC 2919), and issue and story never change once they went out.
    event.add("uid", f"{sent.issue.slug}.{story.id}@{site.room.config.newsletter.list_id}")
    event.add("dtstamp", sent.published)
    event.add("dtstart", _moment(start))
    if not isinstance(end, datetime):
        event.add("dtend", end + timedelta(days=1))
    elif end != start:
        event.add("dtend", _moment(end))
    event.add("summary", story.title)
    if story.event.place:
        event.add("location", story.event.place)
    event.add("description", _WRAPPED.sub(" ", story.body.text))
    event.add("url", story.link.url if story.link else site.address(f"/{sent.issue.slug}/#{story.id}"))
    return event


def _moment(when: date | datetime) -> date | datetime:
    """In UTC (form 2 of section 3.3.5), which needs no VTIMEZONE."""
    return when.astimezone(UTC) if isinstance(when, datetime) else when


ROUTES = [page("/events.ics", get=all_events), page("/{slug}/{event}.ics", get=one_event)]
