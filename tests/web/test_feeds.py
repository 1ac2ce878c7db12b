"""Feeds and calendars: Atom for every issue and for each interest, iCalendar for each event and for all."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from icalendar import Calendar
from lxml import etree
from public_server import serving, went_out

SLUG = "2019-01"
ATOM = "{http://www.w3.org/2005/Atom}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ISSUE = """\
---
title: Enterprises Newsletter
date: 2018-12-14
subject: Cooperatives & more
preheader: One about cooperatives, two events
---

# News {#news}

## 1 < 2 & cooperatives grow {#coops topics=cooperatives,green-jobs}

They **grow** & grow.

[Read the report](https://example.org/report?a=1&b=2){.button}

## Statistiques {#stats topics=cooperatives lang=fr}

Des chiffres.

# Events {#events}

## Meeting, in Geneva; again {#meeting date=2019-01-10/2019-01-11 place="Room 1; Geneva, Switzerland"}

A line that is long enough to be folded, since a line of iCalendar has at most 75 octets: été, été, été, été, été.

## Webinar {#webinar date=2019-02-11T09:00+02:00/2019-02-11T10:30+02:00}

Online.

## Deadline {#deadline date=2019-03-01T23:59+01:00}

[Apply](https://example.org/apply){.button}
"""


@pytest.fixture
def site(newsroom, write_issue, clock):
    went_out(newsroom, write_issue(ISSUE), "amina@example.org")
    with serving(newsroom, clock) as client:
        yield client


def feed(site, path):
    answer = site.get(path)
    assert answer.headers["content-type"] == "application/atom+xml"
    return etree.fromstring(answer.content)


def text(element, name):
    return element.findtext(f"{ATOM}{name}")


def links(element):
    return {link.get("rel"): link.get("href") for link in element.findall(f"{ATOM}link")}


# --- Atom (RFC 4287) --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/feed.atom", "/feed/cooperatives.atom", "/feed/social-finance.atom"])
def test_a_feed_has_what_it_must_have(site, path):
    """RFC 4287 sections 4.1.1 and 4.1.2; `updated` is a date-time of RFC 3339 (section 3.3)."""
    root = feed(site, path)
    assert root.tag == f"{ATOM}feed"
    assert links(root) == {
        "self": f"https://newsletter.example.org{path}", "alternate": "https://newsletter.example.org/",
    }  # fmt: skip
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "Enterprises Newsletter"
    for element in (root, *root.findall(f"{ATOM}entry")):
        assert [len(element.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")] == [1, 1, 1]
        assert text(element, "id").startswith("urn:uuid:")
        assert datetime.fromisoformat(text(element, "updated")).tzinfo is not None
    identities = [element.text for element in root.iter(f"{ATOM}id")]
    assert len(identities) == len(set(identities))


def test_the_feed_of_all_has_an_entry_an_issue(site):
    root = feed(site, "/feed.atom")
    (entry,) = root.findall(f"{ATOM}entry")
    assert text(root, "title") == "Enterprises Newsletter"
    assert text(entry, "title") == "Cooperatives & more"
    assert links(entry) == {"alternate": f"https://newsletter.example.org/{SLUG}/"}
    assert text(entry, "updated") == "2018-12-14T08:00:00+00:00"
    assert entry.find(f"{ATOM}content").get("type") == "html"
    assert text(entry, "content") == (
        "<p>One about cooperatives, two events</p><ul><li>1 &lt; 2 &amp; cooperatives grow</li>"
        "<li>Statistiques</li><li>Meeting, in Geneva; again</li><li>Webinar</li><li>Deadline</li></ul>"
    )


def test_the_feed_of_an_interest_has_an_entry_a_story(site):
    root = feed(site, "/feed/cooperatives.atom")
    assert text(root, "title") == "Enterprises Newsletter: Cooperatives"
    coops, stats = root.findall(f"{ATOM}entry")
    assert (text(coops, "title"), coops.get(XML_LANG)) == ("1 < 2 & cooperatives grow", "en")
    assert (text(stats, "title"), stats.get(XML_LANG)) == ("Statistiques", "fr")
    assert links(coops) == {"alternate": f"https://newsletter.example.org/{SLUG}/#coops"}
    assert text(coops, "content") == (
        '<p>They <strong>grow</strong> &amp; grow.</p><p><a href="https://example.org/report?a=1&amp;b=2">'
        "Read the report</a></p>"
    )
    assert [(found.get("term"), found.get("label")) for found in coops.findall(f"{ATOM}category")] == [
        ("cooperatives", "Cooperatives"), ("green-jobs", "Green jobs"),
    ]  # fmt: skip


def test_an_entry_leads_to_its_story(site):
    assert '<h3 id="coops"' in site.get(f"/{SLUG}/").text


def test_ids_stay_when_the_site_moves(site, newsroom, clock):
    """RFC 4287 section 4.2.6."""
    before = [element.text for element in feed(site, "/feed/cooperatives.atom").iter(f"{ATOM}id")]
    moved = type(newsroom).open(newsroom.root, {**newsroom.env, "MAILER_PUBLIC_URL": "https://news.example.com"})
    with serving(moved, clock) as other:
        root = feed(other, "/feed/cooperatives.atom")
    assert links(root)["self"] == "https://news.example.com/feed/cooperatives.atom"
    assert [element.text for element in root.iter(f"{ATOM}id")] == before


def test_there_is_no_feed_of_an_unknown_interest(site):
    assert site.get("/feed/astrology.atom").status_code == 404


# --- iCalendar (RFC 5545) ---------------------------------------------------------------------------------


def events(site, path):
    answer = site.get(path)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return answer.content, [dict(event.items()) for event in Calendar.from_ical(answer.content).walk("VEVENT")]


def test_an_event_of_days_ends_on_the_day_after(site):
    """RFC 5545 section 3.6.1: DTEND is not part of the event."""
    _, (event,) = events(site, f"/{SLUG}/meeting.ics")
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (date(2019, 1, 10), date(2019, 1, 12))
    assert {name: str(event[name]) for name in ("SUMMARY", "LOCATION", "UID", "URL")} == {
        "SUMMARY": "Meeting, in Geneva; again",
        "LOCATION": "Room 1; Geneva, Switzerland",
        "UID": f"{SLUG}.meeting@enterprises.example.org",
        "URL": f"https://newsletter.example.org/{SLUG}/#meeting",
    }
    assert event["DTSTAMP"].dt == datetime(2018, 12, 14, 8, tzinfo=UTC)


def test_an_event_with_times_is_in_utc(site):
    """RFC 5545 section 3.3.5, form 2."""
    content, (event,) = events(site, f"/{SLUG}/webinar.ics")
    assert b"DTSTART:20190211T070000Z\r\nDTEND:20190211T083000Z\r\n" in content
    assert str(event["DESCRIPTION"]).strip() == "Online."


TALKS = """\
---
title: Enterprises Newsletter
date: 2019-02-14
subject: Talks
preheader: One event with a long text
---

# Events {#events}

## Talks {#talks date=2019-03-10}

Delegates from all regions will meet once more in the large room, and talk about the
3rd report on [cooperatives](https://example.org/report), which is the longest of its kind so far.

- The first day is for everybody who has something to say about the report, and for their friends.
- The second day is not.
"""


def test_a_calendar_sets_the_lines_of_a_description_itself(newsroom, write_issue, clock):
    """As text of a mail it has lines of 76 columns; in a calendar only paragraphs and items begin one."""
    write_issue(TALKS, "2019-02")
    went_out(newsroom, "2019-02", "amina@example.org")
    with serving(newsroom, clock) as site:
        _, (event,) = events(site, "/2019-02/talks.ics")
    assert str(event["DESCRIPTION"]).strip() == (
        "Delegates from all regions will meet once more in the large room, and talk about the 3rd report on "
        "cooperatives [1], which is the longest of its kind so far.\n\n"
        "- The first day is for everybody who has something to say about the report, and for their friends.\n"
        "- The second day is not.\n\n"
        "[1] <https://example.org/report>"
    )


def test_a_moment_has_no_end_and_its_own_link(site):
    _, (event,) = events(site, f"/{SLUG}/deadline.ics")
    assert "DTEND" not in event
    assert event["DTSTART"].dt == datetime(2019, 3, 1, 22, 59, tzinfo=UTC)
    assert str(event["URL"]) == "https://example.org/apply"


def test_all_events_are_one_calendar(site):
    content, found = events(site, "/events.ics")
    assert [str(event["SUMMARY"]) for event in found] == ["Meeting, in Geneva; again", "Webinar", "Deadline"]
    head = Calendar.from_ical(content)
    assert (str(head["VERSION"]), str(head["X-WR-CALNAME"])) == ("2.0", "Enterprises Newsletter")


def test_lines_are_folded_and_end_in_crlf(site):
    """RFC 5545 section 3.1: 75 octets, and never within a character."""
    lines = site.get("/events.ics").content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert [line.decode("utf-8") for line in lines]  # each is whole characters
    assert any(line.startswith(b" ") for line in lines)


def test_what_is_no_event_has_no_calendar(site):
    assert site.get(f"/{SLUG}/coops.ics").status_code == 404


def test_the_mail_leads_to_its_events(site):
    assert f'href="/{SLUG}/meeting.ics"' in site.get(f"/{SLUG}/").text
