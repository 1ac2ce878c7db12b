"""The December 2018 issue, and every edition of it: what the issue itself must hold."""

from __future__ import annotations

import re
from datetime import date
from itertools import combinations

import pytest
from conftest import ROOT
from drafts import CONFIG
from lxml import html as lxml_html

from mailer.compose.composition import GMAIL_CLIP
from mailer.compose.editions import select
from mailer.compose.plaintext import columns
from mailer.models import Occasion

TOPICS = tuple(CONFIG.interests)
INTERESTS = [chosen for size in range(len(TOPICS) + 1) for chosen in combinations(TOPICS, size)]
every_edition = pytest.mark.parametrize("interests", INTERESTS, ids=lambda chosen: "+".join(chosen) or "none")
VAGUE = {
    "here",
    "more",
    "click here",
    "read more",
    "link",
    "this",
    "see more",
    "learn more",
    "find out more",
    "download",
}


def test_its_sections_hold_their_stories(real):
    assert [(section.id, len(section.stories)) for section in real.issue.sections] == [
        ("top-stories", 2),
        ("project-news", 10),
        ("country-highlights", 6),
        ("publications", 14),
        ("events", 2),
        ("webinars", 2),
    ]


def test_its_36_stories_have_ids_of_their_own(real):
    ids = [story.id for story in real.issue.stories]
    assert (len(ids), len(set(ids))) == (36, 36)


def test_every_topic_is_used_and_some_stories_are_for_everybody(real):
    assert {topic for story in real.issue.stories for topic in story.topics} == set(TOPICS)
    assert [story for story in real.issue.stories if not story.topics] != []


def test_only_the_two_events_have_dates(real):
    *others, events, webinars = real.issue.sections
    assert [story.id for section in (*others, webinars) for story in section.stories if story.event] == []
    assert [story.event for story in events.stories] == [
        Occasion(date(2019, 1, 10), date(2019, 1, 11), "Cape Town, South Africa"),
        Occasion(date(2019, 6, 24), date(2019, 6, 24), "ILO headquarters, Geneva"),
    ]


def test_every_picture_says_what_it_shows_and_is_small(real):
    assert len(real.issue.pictures) == 13
    for picture in real.issue.pictures:
        assert 10 <= len(picture.alt) <= 125, picture
        assert not re.search(r"\.(png|jpe?g|gif)$|^(image|picture|photo) of", picture.alt, re.IGNORECASE), picture
        assert picture.path.stat().st_size < 60 * 1024, picture
        assert picture.width >= 536, picture


@every_edition
def test_every_edition_stays_below_gmail_s_clip(real, interests):
    """Gmail hides what goes beyond some 102 KB (email-bugs #41); 92 KiB leave room for longer addresses."""
    utf8, mailed = real.sizes(select(real.issue, interests))
    assert utf8 <= 92 * 1024
    assert mailed < GMAIL_CLIP == 102_400


def test_no_address_of_the_institution_itself_is_in_it(real):
    assert "@ilo.org" not in (ROOT / "issues/2018-12/issue.md").read_text("utf-8").lower()
    addresses = re.findall(r"[\w.+-]+@([\w.-]+\w)", real.text.cut(real.everything))
    assert {domain for domain in addresses if not re.fullmatch(r"(.+\.)?example\.(org|com|net)", domain)} == set()


@pytest.fixture(scope="module")
def links(real) -> list[tuple[str, str]]:
    """The words and the address of each link of the whole issue."""
    page = lxml_html.document_fromstring(real.html.cut(real.everything))
    return [(" ".join(link.text_content().split()), link.get("href")) for link in page.iter("a")]


def test_no_link_says_here_or_more(links):
    """WCAG 2.4.4: the words of a link say where it leads."""
    assert len(links) > 60
    assert [words for words, _ in links if words.strip(" .…»>").lower() in VAGUE or not words] == []


def test_links_with_the_same_words_lead_to_the_same_place(links):
    targets: dict[str, set[str]] = {}
    for words, address in links:
        targets.setdefault(words.lower(), set()).add(address)
    assert {words: found for words, found in targets.items() if len(found) > 1} == {}


def test_all_links_are_absolute(real, links):
    absolute = re.compile(rf"https://[a-z0-9.-]+/|mailto:.|{real.marks.slot_pattern().pattern}")
    assert [address for _, address in links if not absolute.match(address)] == []


# --- the text part -----------------------------------------------------------------------------------------


@every_edition
def test_the_text_holds_the_same_stories_in_the_same_order(real, interests):
    """SpamAssassin's MPART_ALT_DIFF compares the two parts."""
    selection = select(real.issue, interests)
    titles = [story.title for story in real.issue.stories if story.id in selection]
    page = lxml_html.document_fromstring(real.html.cut(selection))
    assert [" ".join(title.text_content().split()) for title in page.iter("h3")] == titles
    text = real.text.cut(selection)
    assert [" ".join(title.split()) for title in re.findall(r"\n\n((?:[^\n]+\n){1,2})-+(?=\n)", text)] == titles


@every_edition
def test_headings_of_the_text_are_underlined_as_wide_as_they_are(real, interests):
    text = real.text.cut(select(real.issue, interests))
    rules = re.findall(r"\n\n((?:[^\n]+\n){1,2})(-+|=+)(?=\n)", "\n\n" + text)
    wanted = [max(columns(row) for row in heading.strip("\n").split("\n")) for heading, _ in rules]
    assert [len(rule) for _, rule in rules] == wanted
    shown = {story.id for story in real.issue.stories} & set(select(real.issue, interests))
    sections = [section for section in real.issue.sections if {story.id for story in section.stories} & shown]
    assert len(rules) == 1 + len(sections) + len(shown)


@every_edition
def test_no_line_of_the_text_is_wider_than_76_columns_but_for_an_address(real, interests):
    """RFC 5322 section 2.1.1; slots are filled with values of their own length."""
    text = real.marks.slot_pattern().sub("x", real.text.cut(select(real.issue, interests)))
    assert [
        line for line in text.split("\n") if columns(line) > 76 and not re.fullmatch(r"(\[\d+\] )?<\S+>", line)
    ] == []


def test_the_text_s_references_lead_somewhere(real):
    for story in real.issue.stories:
        body = story.body.text
        listed = dict(re.findall(r"(?m)^\[(\d+)\] <(\S+)>$", body))
        used = re.findall(r"\[(\d+)\](?! <)", body)
        assert sorted(set(used), key=int) == list(listed) == [str(number) for number in range(1, len(listed) + 1)]


def test_every_address_of_the_html_is_in_the_text(real, links):
    text = real.text.cut(real.everything)
    missing = {address for _, address in links if address.startswith("https:") and f"<{address}>" not in text}
    assert missing == set()


def test_no_html_is_left_in_the_text(real):
    text = real.text.cut(real.everything)
    assert re.findall(r"</?[a-z][a-z0-9]*(?: [^>]*)?>|&[a-z]+;|&#\d+;", text) == []
    assert "**" not in text


def test_the_text_begins_with_a_greeting_and_ends_with_the_footer(real):
    name, web = (str(real.marks.slot(slot)) for slot in ("name", "web_url"))
    text = real.text.cut(real.everything)
    assert text.startswith("Enterprises Newsletter\n======================\n14 December 2018\n\n")
    assert f"\n\nDear {name},\n\nWelcome to the December 2018 issue" in text
    footer = " ".join(text.rpartition("_" * 76)[2].split())
    assert footer == (
        f"You get Enterprises Newsletter because {real.marks.slot('email')} is subscribed to it. "
        f"Your interests: {real.marks.slot('interests')}. "
        f"Change your interests: <{real.marks.slot('preferences_url')}> "
        f"Unsubscribe: <{real.marks.slot('unsubscribe_url')}> "
        "Questions? Write to enterprises@example.org. "
        "Enterprises Newsletter, Enterprises Department, 4 route des Morillons, 1211 Geneva 22, Switzerland"
    )
    assert f"<{web}>" in text
