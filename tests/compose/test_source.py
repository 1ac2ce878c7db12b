"""An issue file: whole, or every mistake in it with its line."""

from __future__ import annotations

import pytest
from conftest import ISSUE
from drafts import CONFIG, FRONT, SHOWN, mistakes, png, read

from mailer.compose import source
from mailer.errors import InputError

FILES = {
    "empty": (b"", ["is empty; begin with --- and title:, date:, then # Section and ## Story"]),
    "blank": (b" \n\n", ["is empty; begin with --- and title:, date:, then # Section and ## Story"]),
    "a byte order mark and nothing": (
        b"\xef\xbb\xbf\r\n",
        ["is empty; begin with --- and title:, date:, then # Section and ## Story"],
    ),
    "not UTF-8": (FRONT.encode() + b"# S\n\n## A\n\ncaf\xe9\n", ["9: is not UTF-8 here; save the file as UTF-8"]),
    "not UTF-8, from Windows": (
        FRONT.replace("\n", "\r\n").encode() + b"# S\r\n\r\n## A \x93\r\n",
        ["7: is not UTF-8 here; save the file as UTF-8"],
    ),
    "UTF-16": (ISSUE.encode("utf-16"), ["1: is not UTF-8 here; save the file as UTF-8"]),
    "front matter only": (
        FRONT.encode(),
        ["holds no story; a section begins with “# Section”, a story with “## Title”"],
    ),
    "no front matter": (
        b"# S\n\n## A\n",
        ["1: the front matter is missing; the file begins with a line ---, then title: and date:, then ---"],
    ),
    "front matter without end": (
        b"---\ntitle: T\ndate: 2018-12-14\n\n# S\n\n## A\n",
        ["1: the front matter is never closed; put a line --- behind its last key"],
    ),
}


@pytest.mark.parametrize(("content", "told"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_issue_says_why(tmp_path, content, told):
    assert mistakes(tmp_path, content) == told


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        source.load(tmp_path / "issue.md", SHOWN, CONFIG)
    assert (
        str(caught.value) == f"{SHOWN}: there is no such file; an issue is a folder in issues/ with an issue.md in it"
    )


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        source.load(tmp_path, SHOWN, CONFIG)
    assert str(caught.value) == f"{SHOWN}: cannot be read: Is a directory"


@pytest.mark.parametrize(
    "content",
    [
        ISSUE.encode("utf-8-sig"),
        ISSUE.replace("\n", "\r\n").encode(),
        ISSUE.replace("\n", "\r").encode(),
        ISSUE.replace("\n", "\r\n").encode("utf-8-sig"),
    ],
    ids=["byte order mark", "CRLF", "CR", "byte order mark and CRLF"],
)
def test_every_editor_s_line_ends_give_the_same_issue(tmp_path, content):
    assert read(tmp_path, content) == read(tmp_path, ISSUE)


MANY = """\
---
title: T
dat: 2018-12-14
language: de
---

### Too early

Welcome to [our](javascript:alert(1)) issue. <blink>Look!</blink>

## Alone

# News {#news colour=red}

## First {#one topics=green-job}

![](images/a.png)

Read [this]() and [](https://example.org/).

##### Far too deep

[Go](https://example.org/){.buton}

## Second {#one topic=cooperatives}

<form action="https://example.org/"><input name="x"></form>

> # Quoted

## Third {#three date=2019-01-11/2019-01-10}

![A house](images/hause.png)

# Empty

# News

## Fourth {#four date=soon place=Geneva}

<p onclick="x()">p</p>
"""


def test_forty_lines_of_mistakes_are_all_named_in_their_order(tmp_path):
    assert mistakes(tmp_path, MANY, {"images/house.png": png(), "images/a.png": png()}) == [
        "1: the date is missing; add a line such as “date: 2018-12-14” to the front matter",
        "3: unknown key “dat”. Did you mean “date”?",
        "4: the newsroom has no language “de”. Known are: en, fr, es, ar.",
        "7: ### stands before the first section; make it **bold**, or begin with “# Section”",
        "9: “javascript:alert(1)” cannot be a link in a mail; use https:, http:, mailto: or tel:",
        "9: raw HTML: <blink> is not kept in a mail; write it in Markdown or take it out",
        "11: this story stands outside a section; put a line “# Section name” before it",
        "13: unknown attribute “colour”: a section takes only an id, such as {#events}",
        "15: unknown topic “green-job”. Did you mean “green-jobs”?",
        "17: the picture images/a.png has no alt text; say between the square brackets what it shows",
        "19: this link is empty; write the address between the round brackets",
        "19: this link has no words; write [what it leads to](address)",
        "21: this heading skips a level: ##### after ##; write ###",
        "23: unknown class “buton”. Did you mean “button”?",
        "25: unknown attribute “topic”. Did you mean “topics”?",
        "25: two stories have the id “one”, the other is on line 15; give this one another: {#one-2}",
        "27: raw HTML: <form> is not kept in a mail; write it in Markdown or take it out",
        "27: raw HTML: <input> is not kept in a mail; write it in Markdown or take it out",
        "29: a heading inside a list or a quotation is lost to readers; make it **bold**",
        "31: this event ends (2019-01-10) before it starts (2019-01-11); swap them or mend one",
        "33: there is no picture “images/hause.png” in the issue's folder. Did you mean “images/house.png”?",
        "35: section “Empty” has no story; add “## Title” under it or take it out",
        "37: two sections have the id “news”, the other is on line 13; give this one another: {#news-2}",
        "39: “soon” is no date; write date=2019-01-10, date=2019-01-10/2019-01-11, "
        "or with a time date=2019-01-10T09:30+01:00",
        "41: raw HTML: attribute “onclick” of <p> is not kept in a mail; take it out",
    ]


def test_the_parts_of_a_story_are_told_apart(tmp_path):
    text = FRONT + (
        "Hello.\n\n# News {#n}\n\nAll of it.\n\n"
        '## A *fine* day {#day topics=social-finance,cooperatives lang=fr date=2019-01-10 place="Cape \\"Town\\""}\n\n'
        "![A house](h.png)\n\nText.\n\n[Go **on**](https://example.org/go){.button}\n"
    )
    issue = read(tmp_path, text, {"h.png": png(8, 6)})
    (section,) = issue.sections
    (story,) = section.stories
    assert (issue.intro.text, section.id, section.title, section.intro.text) == ("Hello.", "n", "News", "All of it.")
    assert (story.id, story.title, story.topics, story.language) == (
        "day", "A fine day", ("cooperatives", "social-finance"), "fr",
    )  # fmt: skip
    assert story.event is not None
    assert story.event.place == 'Cape "Town"'
    assert story.picture is not None
    assert (story.picture.url, story.picture.alt, story.picture.width, story.picture.height) == (
        "https://newsletter.example.org/2019-01/h.png", "A house", 8, 6,
    )  # fmt: skip
    assert story.link is not None
    assert (story.link.text, story.link.url) == ("Go on", "https://example.org/go")
    assert (story.body.html, story.body.text, story.line) == ("<p>Text.</p>", "Text.", 11)
    assert issue.pictures == (story.picture,)


@pytest.mark.parametrize(
    ("title", "id_"),
    [
        ("Don't stop: 3 steps!", "dont-stop-3-steps"),
        ("Économie sociale", "economie-sociale"),
        ("التعاونيات", "story-280051d5"),
        ("x" * 70, "x" * 60),
    ],
    ids=["ASCII", "accents", "no Latin letter", "long"],
)
def test_an_id_is_made_of_the_title_and_stays_the_same(tmp_path, title, id_):
    assert [story.id for story in read(tmp_path, f"{FRONT}# S\n\n## {title}\n").stories] == [id_]
