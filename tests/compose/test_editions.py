"""Cutting an edition out of the marked page equals rendering it alone, byte for byte."""

from __future__ import annotations

import random
import tempfile
from itertools import combinations
from pathlib import Path

import pytest
from drafts import CONFIG, FRONT, compose, png, read
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.compose.composition import Composition
from mailer.compose.editions import MarkedPage, group, key, rendered_alone, restrict, select
from mailer.compose.marks import Marks
from mailer.models import Segment, Selection

TOPICS = tuple(CONFIG.interests)
INTERESTS = [chosen for size in range(len(TOPICS) + 1) for chosen in combinations(TOPICS, size)]


def assert_cut_is_exact(composition: Composition, selection: Selection) -> None:
    html, text = rendered_alone(composition.issue, selection, composition.theme, composition.config)
    assert composition.html.cut(selection) == html
    assert composition.text.cut(selection) == text


@pytest.mark.parametrize("interests", INTERESTS, ids=lambda chosen: "+".join(chosen) or "none")
def test_the_real_issue_cut_for_interests_equals_the_page_rendered_for_them(real, interests):
    selection = select(real.issue, interests)
    assert selection == tuple(
        story.id for story in real.issue.stories if not interests or not story.topics or {*story.topics} & {*interests}
    )
    assert_cut_is_exact(real, selection)


# A render takes some 15 ms; twenty parts let the workers share a thousand of them.
@pytest.mark.parametrize("part", range(20))
def test_fifty_random_selections_of_the_real_issue_are_cut_exactly(real, part):
    chance = random.Random(part)
    for _ in range(50):
        share = chance.random()  # from nearly nothing to nearly everything
        assert_cut_is_exact(real, tuple(id_ for id_ in real.everything if chance.random() < share))


@pytest.mark.parametrize("section", range(6))
def test_a_section_alone_and_every_other_section_are_cut_exactly(real, section):
    alone = tuple(story.id for story in real.issue.sections[section].stories)
    assert_cut_is_exact(real, alone)
    assert_cut_is_exact(real, tuple(id_ for id_ in real.everything if id_ not in alone))


ODD = (
    "a é e\u0301 ش\u0650 ש\u05c1 合 \u00a0 \u00ad \u200d \u200f \u2028 ☂\ufe0f 🌾 ' \" \\ & < > % @@ } { -- <!-- --> \t"
).split(" ")
words = st.lists(st.sampled_from(ODD), min_size=1, max_size=5).map(" ".join)
blocks = st.one_of(
    words,
    words.map("- {0}\n- {0}\n  1. {0}".format),
    words.map("> {}".format),
    words.map("**{}**".format),
    words.map("### Sub {}".format),
    words.map("| a | {} |\n|---|---|\n| b | c |".format),
    words.map("```\n{}\n\n  x\n```".format),
    words.map('See [the words {}](https://example.org/a?b=1&c=2 "title").'.format),
    words.map("One ![shown {}](a.png) in the text.".format),
    st.just("***"),
)
bodies = st.lists(blocks, max_size=3).map("\n\n".join)
events = st.sampled_from(
    [
        "",
        "",
        "date=2019-01-10",
        'date=2018-12-31/2019-01-02 place="Cape \\"Town\\" & more"',
        "date=2019-01-10T09:30+01:00",
    ]
)


# A brace that is meant as a word is escaped in a heading.
titles = words.map(lambda text: text.replace("{", "\\{").replace("}", "\\}"))


@st.composite
def stories(draw: st.DrawFn, number: int) -> str:
    topics = ",".join(draw(st.lists(st.sampled_from(TOPICS), unique=True, max_size=2)))
    attributes = f"#s{number} {draw(events)}" + (f" topics={topics}" if topics else "")
    lead = draw(st.sampled_from(["", "![Leads](a.png)\n\n"]))
    end = draw(st.sampled_from(["", "[Go on](https://example.org/x){.button}"]))
    return f"## Story {draw(titles)} {{{attributes}}}\n\n{lead}{draw(bodies)}\n\n{end}\n"


@st.composite
def issues(draw: st.DrawFn) -> str:
    """An issue file of one to three sections with up to four stories each."""
    written = [FRONT + draw(words.map("> {0}\n\n- {0}".format))]
    number = 0
    for section in range(draw(st.integers(1, 3))):
        written.append(
            f"# Section {draw(titles)} {{#part{section}}}\n\n{draw(st.sampled_from(['', 'An introduction.']))}"
        )
        for _ in range(draw(st.integers(1, 4))):
            number += 1
            written.append(draw(stories(number)))
    return "\n\n".join(written)


@settings(max_examples=60)
@given(issues(), st.randoms(use_true_random=False))
def test_any_issue_is_cut_exactly(text, chance):
    with tempfile.TemporaryDirectory() as folder:
        composition = compose(Path(folder), text, {"a.png": png()})
    for _ in range(3):
        assert_cut_is_exact(composition, tuple(id_ for id_ in composition.everything if chance.random() < 0.5))
    assert_cut_is_exact(composition, composition.everything)


def test_a_section_that_falls_empty_disappears_with_its_heading(tmp_path):
    composition = compose(tmp_path, f"{FRONT}# First\n\n## One {{#one}}\n\n# Second\n\n## Two {{#two}}\n")
    html, text = composition.html.cut(("two",)), composition.text.cut(("two",))
    assert [("First" in page, "One" in page, "Second (1)" in page) for page in (text,)] == [(False, False, True)]
    assert [("First" in page, "One" in page, "Second" in page) for page in (html,)] == [(False, False, True)]


def test_no_mark_is_left_in_any_edition(real):
    for interests in INTERESTS:
        selection = select(real.issue, interests)
        assert "@@" not in real.html.cut(selection)
        assert "_count_" not in real.html.cut(selection) + real.text.cut(selection)


def test_restricting_keeps_the_order_and_drops_empty_sections(tmp_path):
    issue = read(tmp_path, f"{FRONT}# S\n\n## A\n\n## B\n\n# T\n\n## C\n\n# U\n\n## D\n")
    kept = restrict(issue, ("b", "d"))
    assert [(section.id, [story.id for story in section.stories]) for section in kept.sections] == [
        ("s", ["b"]),
        ("u", ["d"]),
    ]


def test_readers_who_get_the_same_stories_share_an_edition(tmp_path):
    text = f"{FRONT}# S\n\n## A {{topics=cooperatives,green-jobs}}\n\n## B {{topics=social-finance}}\n"
    issue = read(tmp_path, text)
    everybody, coops = Segment((), 5), Segment(("cooperatives",), 3)
    green, finance = Segment(("green-jobs",), 2), Segment(("social-finance",), 4)
    both, nobody = Segment(("cooperatives", "social-finance"), 1), Segment(("mne-declaration",), 7)
    found, nothing = group(issue, [coops, everybody, green, nobody, finance, both])
    assert nothing == [nobody]
    assert [(edition.selection, edition.segments, edition.count) for edition in found] == [
        (("a", "b"), (everybody, both), 6),
        *sorted(
            [(("a",), (coops, green), 5), (("b",), (finance,), 4)], key=lambda edition: key(edition[0])
        ),
    ]  # fmt: skip
    assert [edition.key for edition in found] == [key(edition.selection) for edition in found]


def test_a_selection_s_key_never_changes():
    """It is written into send logs."""
    assert key(("a", "b")) == "7e18f737311b"
    assert key(("ab",)) != key(("a", "b"))


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("{0}a", "begin(a) is never closed"),
        ("a{1}", "begin and close of story “a” do not pair up"),
        ("{0}{0}{1}", "begin and close of story “a” do not pair up"),
    ],
    ids=["left open", "never opened", "twice"],
)
def test_marks_that_do_not_pair_up_are_refused(tmp_path, page, told):
    issue = read(tmp_path, f"{FRONT}# S\n\n## A\n")
    marks, (story,) = Marks.of(issue), issue.stories
    with pytest.raises(ValueError, match=f"^{told.replace('(', '[(]').replace(')', '[)]')}$"):
        MarkedPage.parse(page.format(marks.begin(story), marks.close(story)), marks, issue)


def test_an_author_cannot_write_a_mark(tmp_path):
    """The nonce is made of the file's own digest, so that no file can hold it."""
    first = compose(tmp_path, f"{FRONT}# S\n\n## A\n\nx\n\n## B\n")
    slot = str(first.marks.slot("name"))
    stolen = f"{first.marks.close(first.issue.stories[0])} {slot}"
    second = compose(tmp_path, f"{FRONT}# S\n\n## A\n\nx {stolen}\n\n## B\n")
    assert_cut_is_exact(second, ("a",))
    assert slot in second.text.cut(("a",))
    assert second.marks.slot_pattern().search(second.issue.stories[0].body.text) is None
