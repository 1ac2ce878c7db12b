"""An issue as it was sent: everything the archive needs, without the newsroom's folder."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from conftest import copy_newsroom

from mailer.compose import pictures, snapshot
from mailer.compose.editions import select
from mailer.compose.message import fill_page
from mailer.models import Subscriber

LINKED = """\
---
title: Enterprises Newsletter
date: 2018-12-14
---

# News {#news}

## The report {#report}

It is [here](files/the%20report.pdf), and [not here](https://example.org/files/other.pdf).
"""


def test_facts_come_back_whole_but_for_places_on_disk(real):
    kept = snapshot.facts(snapshot.take(real).facts)
    issue = real.issue
    assert [dataclasses.replace(story, picture=None) for story in kept.issue.stories] == [
        dataclasses.replace(story, picture=None) for story in issue.stories
    ]
    assert [story.picture and story.picture.path for story in kept.issue.stories] == [
        story.picture and Path(story.picture.name) for story in issue.stories
    ]
    assert dataclasses.replace(kept.issue, path=issue.path, sections=(), pictures=(), masthead=None) == (
        dataclasses.replace(issue, sections=(), pictures=(), masthead=None)
    )
    assert (kept.reader, kept.everything) == ("reader", "all topics")
    assert str(issue.path.parent) not in snapshot._facts().dump_json(kept).decode()


@pytest.mark.parametrize("interests", [(), ("green-jobs",), ("cooperatives", "social-finance")], ids=len)
def test_any_edition_can_be_cut_from_it_as_it_was_mailed(real, interests):
    publication = snapshot.take(real)
    facts, pages = snapshot.facts(publication.facts), snapshot.pages(publication.pages)
    selection = select(facts.issue, interests)
    assert selection == select(real.issue, interests)
    assert pages.html.cut(selection) == real.html.cut(selection)
    assert pages.text.cut(selection) == real.text.cut(selection)
    assert facts.marks == real.marks


def test_it_holds_the_pictures_as_they_are_published(real):
    assert snapshot.take(real).files == dict(pictures.published(picture) for picture in real.issue.pictures)


def test_it_holds_the_files_that_stories_link_to(newsroom, write_issue):
    slug = write_issue(LINKED)
    folder = newsroom.root / "issues" / slug / "files"
    folder.mkdir()
    (folder / "the report.pdf").write_bytes(b"%PDF-1.7")
    (folder / "draft.pdf").write_bytes(b"%PDF-1.7 not linked")
    assert snapshot.take(newsroom.compose(slug)).files == {"files/the report.pdf": b"%PDF-1.7"}


def test_it_needs_neither_the_issue_nor_the_template_ever_again(tmp_path):
    room = copy_newsroom(tmp_path / "room", issues=True)
    composition = room.compose("2018-12")
    publication = snapshot.take(composition)
    reader = composition.personaliser(room.tokens).personal(Subscriber("amina@example.org", "Amina", id=7))
    html = composition.html_for(composition.everything, reader)
    shutil.rmtree(room.root)
    facts, pages = snapshot.facts(publication.facts), snapshot.pages(publication.pages)
    assert fill_page(pages.html.cut(select(facts.issue, ())), reader, facts.marks, html=True) == html


def test_an_older_one_may_lack_what_came_later():
    """`silences` and a picture's `name` came after the first snapshots could have been written."""
    issue = (
        snapshot._facts()
        .validate_json(
            '{"issue": {"slug": "2018-12", "path": "issue.md", "digest": "00", "title": "T", "date": "2018-12-14",'
            ' "subject": "S", "preheader": "", "language": "en", "template": "enterprises", "sections": [],'
            ' "pictures": [{"path": "a.png", "url": "https://example.org/a.png", "alt": "", "width": 1, "height": 1}]},'
            ' "reader": "reader", "everything": "all topics"}'
        )
        .issue
    )
    assert (issue.silences, issue.pictures[0].name) == ((), "")
