"""Headings and their attributes: sections, stories, ids, topics, events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from drafts import CONFIG, FRONT, mistakes, read

from mailer.compose import topics

FORMS = "write date=2019-01-10, date=2019-01-10/2019-01-11, or with a time date=2019-01-10T09:30+01:00"
CLOSE = "this heading has “{” without “}”; close it"
COMMAS = "separate topics by commas without blanks: topics=cooperatives,green-jobs"
ITEM = 'is no attribute; write #id, key=value, or key="a value with blanks"'
WRONG = {
    "unknown attribute": ("## A {tpoics=green-jobs}", ["7: unknown attribute “tpoics”. Did you mean “topics”?"]),
    "unknown attribute, nothing near": (
        "## A {colour=red}",
        ["7: unknown attribute “colour”. Known are: topics, date, place, lang."],
    ),
    "attribute twice": (
        "## A {place=x place=y date=2019-01-10}",
        ["7: attribute “place” is given twice; keep one"],
    ),
    "two ids": ("## A {#a #b}", ["7: two ids are given, #a and #b; keep one"]),
    "no id": (
        "## A {#Big_Id}",
        ["7: “#Big_Id” is no id; use small letters a-z, digits and single hyphens"],
    ),
    "no attributes at all": ("## A {.class word}", [f"7: “.class” {ITEM}", f"7: “word” {ITEM}"]),
    "quote left open": ('## A {place="Cape}', [f"7: “place=\"Cape” {ITEM}"]),
    "unknown topics": (
        "## A {topics=cooperative,gardening}",
        [
            "7: unknown topic “cooperative”. Did you mean “cooperatives”?",
            "7: unknown topic “gardening”. Known are: cooperatives, green-jobs, mne-declaration, social-finance.",
        ],
    ),
    "no topic": (
        "## A {topics=}",
        ["7: topics= names no topic; name some, or leave it out so that everybody gets the story"],
    ),
    "a brace left open": ("## A {#a topics=cooperatives", [f"7: {CLOSE}"]),
    "a brace left open, another closed": ("## A {topics=cooperatives {#a}", [f"7: {CLOSE}"]),
    "a section's brace left open": ("## A\n\n# T {#t\n\n## B", [f"9: {CLOSE}"]),
    "a brace never opened": (
        "## A #a topics=cooperatives}",
        ["7: this heading has “}” without “{”; open it, or write \\}"],
    ),
    "attributes before the end": (
        "## A {#a topics=cooperatives}.",
        ["7: {attributes} stand at the end of a heading; put the words before them"],
    ),
    "no blank behind ##": (
        "## A\n\nWords\n##B {#b topics=cooperatives}",
        ["10: put a blank behind ##; where no heading is meant, write \\##"],
    ),
    "no blank behind #": (
        "## A\n\n#B {#b}",
        ["9: put a blank behind #; where no heading is meant, write \\#"],
    ),
    "topics apart behind commas": ("## A {topics=cooperatives, green-jobs #a}", [f"7: {COMMAS}"]),
    "topics apart": ("## A {topics=cooperatives green-jobs}", [f"7: {COMMAS}"]),
    "topics behind a blank": ("## A {topics= cooperatives , green-jobs}", [f"7: {COMMAS}"]),
    "topics behind a semicolon": ("## A {topics=cooperatives;green-jobs}", [f"7: {COMMAS}"]),
    "curly quotes": ("## A {topics=“Green jobs”}", ['7: write straight double quotes: topics="Green jobs"']),
    "single quotes": (
        "## A {date=2019-01-10 place='Cape Town'}",
        ['7: write straight double quotes: place="Cape Town"'],
    ),
    "a place with blanks": (
        "## A {date=2019-01-10 place=Cape Town #a}",
        ['7: put what has blanks between quotes: place="Cape Town"'],
    ),
    "a date with blanks": ("## A {date=10 Jan}", [f"7: “10 Jan” is no date; {FORMS}"]),
    "round brackets": (
        "## A (#a topics=cooperatives)",
        ["7: attributes stand between { and }, not between other brackets"],
    ),
    "a line under words": (
        "## A\n\nB\n---",
        [
            "9: the line of - under these words makes a heading of them; put an empty line above it, or write # or ## "
            "before the words"
        ],
    ),
    "labels apart": (
        "## A {topics=Green jobs, cooperatives #a}",
        ['7: put what has blanks between quotes: topics="Green jobs,cooperatives"'],
    ),
    "a topic and an unknown word apart": (
        "## A {topics=cooperatives gren}",
        [
            "7: separate topics by commas without blanks: topics=cooperatives,gren",
            "7: unknown topic “gren”. Known are: cooperatives, green-jobs, mne-declaration, social-finance.",
        ],
    ),
    "unknown labels": (
        '## A {topics="Gren jobs,MNE Declarations,Gardening"}',
        [
            "7: unknown topic “Gren jobs”. Did you mean “Green jobs”?",
            "7: unknown topic “MNE Declarations”. Did you mean “MNE Declaration”?",
            "7: unknown topic “Gardening”. Known are: cooperatives, green-jobs, mne-declaration, social-finance.",
        ],
    ),
    "quoted topics apart": ('## A {topics="cooperatives green-jobs"}', [f"7: {COMMAS}"]),
    "no language": (
        "## A {lang=French}",
        ["7: “French” is no language tag; write one such as lang=fr or lang=pt-BR"],
    ),
    "no date": ("## A {date=2019-13-01}", [f"7: “2019-13-01” is no date; {FORMS}"]),
    "half a date": ("## A {date=2019-01-10/}", [f"7: “2019-01-10/” is no date; {FORMS}"]),
    "empty date": ("## A {date=}", [f"7: “” is no date; {FORMS}"]),
    "a time without offset": ("## A {date=2019-01-10T09:30}", [f"7: “2019-01-10T09:30” is no date; {FORMS}"]),
    "a time at one end": (
        "## A {date=2019-01-10T09:30Z/2019-01-11}",
        ["7: “2019-01-10T09:30Z/2019-01-11” has a time at one end only; give both or neither"],
    ),
    "end before start": (
        "## A {date=2019-01-11/2019-01-10}",
        ["7: this event ends (2019-01-10) before it starts (2019-01-11); swap them or mend one"],
    ),
    "end before start, across offsets": (
        "## A {date=2019-01-10T09:30+01:00/2019-01-10T09:30+02:00}",
        [
            "7: this event ends (2019-01-10T09:30+02:00) before it starts (2019-01-10T09:30+01:00); "
            "swap them or mend one"
        ],
    ),
    "a place without date": (
        "## A {place=Geneva}",
        ["7: place= needs a date=, such as date=2019-01-10 or date=2019-01-10/2019-01-11"],
    ),
    "story without title": ("## {#a}", ["7: this story has no title; write it behind the ##"]),
    "section without name": ("## A\n\n# {#b}\n\n## B", ["9: this section has no name; write it behind the #"]),
    "section without story": (
        "## A\n\n# Last",
        ["9: section “Last” has no story; add “## Title” under it or take it out"],
    ),
    "level skipped": ("## A\n\n#### Deep", ["9: this heading skips a level: #### after ##; write ###"]),
    "level skipped in a section": ("### Deep\n\n## A", ["7: this heading skips a level: ### after #; write ##"]),
    "attributes on a deeper heading": (
        "## A\n\n### B {#b}",
        ["9: only sections and stories take {attributes}; take them out here"],
    ),
    "heading in a list": (
        "## A\n\n- # B",
        ["9: a heading inside a list or a quotation is lost to readers; make it **bold**"],
    ),
    "link in a title": (
        "## A [b](https://example.org)",
        ["7: a title holds words only; put links, pictures and HTML into the text below it"],
    ),
    "HTML in a title": (
        "## A <script>b</script>",
        ["7: a title holds words only; put links, pictures and HTML into the text below it"],
    ),
    "the same id three times": (
        "## A\n\n## A\n\n## B {#a}",
        [
            "9: two stories have the id “a”, the other is on line 7; give this one another: {#a-2}",
            "11: two stories have the id “a”, the other is on line 7; give this one another: {#a-3}",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "told"), WRONG.values(), ids=WRONG)
def test_a_mistake_at_a_heading_is_named_with_its_line(tmp_path, body, told):
    assert mistakes(tmp_path, f"{FRONT}# S\n\n{body}\n") == told


def test_a_story_outside_a_section_is_named_with_its_line(tmp_path):
    assert mistakes(tmp_path, FRONT + "## A\n\n# S\n\n## B\n") == [
        "5: this story stands outside a section; put a line “# Section name” before it"
    ]


def test_a_heading_before_the_first_section_is_named_with_its_line(tmp_path):
    assert mistakes(tmp_path, FRONT + "Hello.\n\n### Dear all\n\n# S\n\n## B\n") == [
        "7: ### stands before the first section; make it **bold**, or begin with “# Section”"
    ]


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ("2019-01-10", date(2019, 1, 10), date(2019, 1, 10)),
        ("2019-01-10/2019-01-11", date(2019, 1, 10), date(2019, 1, 11)),
        (
            "2019-01-10T09:30+01:00/2019-01-10T10:00+01:00",
            datetime(2019, 1, 10, 9, 30, tzinfo=timezone(timedelta(hours=1))),
            datetime(2019, 1, 10, 10, 0, tzinfo=timezone(timedelta(hours=1))),
        ),
        ("2019-01-10T09:30Z", datetime(2019, 1, 10, 9, 30, tzinfo=UTC), datetime(2019, 1, 10, 9, 30, tzinfo=UTC)),
    ],
    ids=["a day", "days", "times", "a moment"],
)
def test_an_event_has_its_dates(tmp_path, written, start, end):
    (story,) = read(tmp_path, f"{FRONT}# S\n\n## A {{date={written}}}\n").stories
    assert story.event is not None
    assert (story.event.start, story.event.end) == (start, end)


def test_headings_of_a_story_come_below_its_own(tmp_path):
    (story,) = read(tmp_path, FRONT + "# S\n\n## A\n\n### B\n\n#### C\n\n### D\n").stories
    assert story.body.html == "<h4>B</h4><h5>C</h5><h4>D</h4>"


def test_braces_that_close_no_heading_are_words(tmp_path):
    (story,) = read(tmp_path, FRONT + "# S\n\n## A {b} c\n\n{d} e\n").stories
    assert (story.title, story.body.text) == ("A {b} c", "{d} e")


@pytest.mark.parametrize("words", ["#2 of the list", "\\##B {#b}", "a ##B", "`##B`"])
def test_a_hash_that_begins_no_heading_is_a_word(tmp_path, words):
    (story,) = read(tmp_path, f"{FRONT}# S\n\n## A\n\n{words}\n").stories
    assert story.body.text == words.replace("\\", "").replace("`", "")


def test_braces_in_code_need_no_partner(tmp_path):
    (story,) = read(tmp_path, FRONT + "# S\n\n## The sign `{` and \\} {#a}\n").stories
    assert (story.title, story.id) == ("The sign { and }", "a")


@pytest.mark.parametrize(
    ("written", "topics"),
    [
        ('"Green jobs"', ("green-jobs",)),
        ('"green  JOBS"', ("green-jobs",)),
        ("Cooperatives", ("cooperatives",)),
        ('"Social finance, cooperatives,Green jobs"', ("cooperatives", "green-jobs", "social-finance")),
        ('"MNE Declaration,mne-declaration"', ("mne-declaration",)),
    ],
    ids=["label", "any case", "without quotes", "several", "twice"],
)
def test_topics_may_be_named_by_their_labels(tmp_path, written, topics):
    (story,) = read(tmp_path, FRONT + f"# S\n\n## A {{topics={written}}}\n").stories
    assert story.topics == topics


def test_a_label_may_hold_commas_itself_and_an_id_comes_before_a_label():
    named = {"skills": "Jobs, skills, pay", "pay": "Wages", "other": "pay"}
    config = CONFIG.model_copy(update={"interests": named})
    assert topics.read("Wages,jobs,  skills, pay,other", False, config) == (("skills", "pay", "other"), [])
    assert topics.read("pay", False, config) == (("pay",), [])


def test_quoted_topics_may_have_blanks_behind_their_commas(tmp_path):
    (story,) = read(tmp_path, FRONT + '# S\n\n## A {topics="cooperatives, green-jobs"}\n').stories
    assert story.topics == ("cooperatives", "green-jobs")


@pytest.mark.parametrize(
    ("heading", "title", "id_", "place"),
    [
        ('A {#a date=2019-01-10 place="{b} {"}', "A", "a", "{b} {"),
        ("A \\{b\\}", "A {b}", "a-b", ""),
        ("A \\\\{#c date=2019-01-10 place=d}", "A \\", "c", "d"),
        ("A \\{#b\\} {#c date=2019-01-10 place=d}", "A {#b}", "c", "d"),
    ],
    ids=["within quotes", "escaped", "behind a backslash", "escaped, and attributes"],
)
def test_braces_open_attributes_unless_they_are_quoted_or_escaped(tmp_path, heading, title, id_, place):
    (story,) = read(tmp_path, f"{FRONT}# S\n\n## {heading}\n").stories
    assert (story.title, story.id, story.event.place if story.event else "") == (title, id_, place)


def test_a_heading_full_of_braces_and_quotes_is_read_in_no_time(tmp_path):
    assert mistakes(tmp_path, FRONT + "# S\n\n## " + 'A {"' * 2_000 + "\n") == [f"7: {CLOSE}"]
