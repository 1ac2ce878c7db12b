"""What is composed again after an edit equals what is composed anew, byte for byte."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SECRET, copy_newsroom
from drafts import CONFIG, SHOWN, png, theme
from hypothesis import given, settings
from hypothesis import strategies as st
from small_theme import lay_out
from test_editions import blocks, issues

from mailer.compose import markup, outline, page, source
from mailer.compose.composition import Composition, Renewal
from mailer.compose.marks import Marks
from mailer.compose.theme import Theme
from mailer.errors import InputError
from mailer.models import Issue, Problem
from mailer.newsroom import Newsroom

SLUG = "2018-12"


def assert_same(renewed: Composition, fresh: Composition) -> None:
    """Everything that a reader, the archive or a plan would get of it."""
    assert renewed.issue == fresh.issue
    assert renewed.html == fresh.html
    assert renewed.text == fresh.text
    assert renewed.template(renewed.everything) == fresh.template(fresh.everything)


def composed(room: Newsroom, renewal: Renewal | None = None) -> Composition | tuple[Problem, ...]:
    """The real issue, or the mistakes in it."""
    try:
        return room.compose(SLUG, renewal)
    except InputError as error:
        return error.problems


def assert_renewed(room: Newsroom, renewal: Renewal) -> None:
    """The newsroom's configuration stays the same object, as on the desk, for both."""
    renewed, fresh = composed(room, renewal), composed(room)
    if isinstance(renewed, Composition) and isinstance(fresh, Composition):
        assert_same(renewed, fresh)
    else:
        assert renewed == fresh


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return copy_newsroom(tmp_path / "newsroom", issues=True)


def file_of(room: Newsroom) -> Path:
    return room.root / "issues" / SLUG / "issue.md"


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text("utf-8")
    after = change(before)
    assert after != before
    path.write_text(after, "utf-8")


# --- the real issue ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(6))
def test_every_single_story_edit_of_the_real_issue_is_renewed_exactly(room, monkeypatch, part):
    """One after the other, so that each page grows out of the one before; and no page but the first is whole."""
    parsed: list[str] = []
    parse_passage = markup.parse_passage
    monkeypatch.setattr(markup, "parse_passage", lambda text, line: parsed.append(text) or parse_passage(text, line))
    rendered: list[str] = []
    html_from_mjml = page.html_from_mjml
    monkeypatch.setattr(page, "html_from_mjml", lambda mjml, of: rendered.append(mjml) or html_from_mjml(mjml, of))
    renewal = Renewal()
    composed(room, renewal)
    path = file_of(room)
    for number in range(part, 36, 6):
        line = room.issue(SLUG).stories[number].line
        rows = path.read_text("utf-8").split("\n")
        path.write_text("\n".join([*rows[:line], "", f"Edit **{number}** & more.", "", *rows[line:]]), "utf-8")
        parsed.clear()
        rendered.clear()
        renewed = composed(room, renewal)
        assert [text.count("## ") for text in parsed] == [mjml.count("<h3") for mjml in rendered] == [1]
        fresh = composed(room)
        assert isinstance(renewed, Composition)
        assert isinstance(fresh, Composition)
        assert_same(renewed, fresh)
        assert f"Edit <strong>{number}</strong> &amp; more." in renewed.html.cut(renewed.everything)


def first(pattern: str, new: str, flags: int = 0) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, new, text, count=1, flags=flags)


def swapped(text: str) -> str:
    """The first two stories in the other order."""
    return re.sub(r"(?ms)^(## .*?)^(## .*?)(?=^#)", r"\2\1", text, count=1)


EDITS: dict[str, Callable[[str], str]] = {
    "the title": first("title: .*", "title: Another"),
    "the preheader": first("preheader: .*", 'preheader: "Other words before the mail, long enough to be read there"'),
    "the language": first("title: ", "language: fr\ntitle: "),
    "no masthead": first("masthead: .*\nmasthead_alt: .*\n", ""),
    "the welcome": first("Welcome to", "Dear all, welcome to"),
    "a section's title": first("(?m)^# Top stories", "# Other stories"),
    "a section's id": first("#top-stories", "#other"),
    "a section's introduction": first("(?m)^(# .*)$", r"\1\n\nAn introduction."),
    "the order": swapped,
    "a story added": first("(?m)^(?=## )", "## New {#new topics=green-jobs}\n\nNew words.\n\n"),
    "a story removed": first(r"(?ms)^## .*?(?=^## )", ""),
    "a story's title": first("(?m)^## Tokyo", "## Kyoto"),
    "a story's id": first("#tokyo-2020", "#tokyo"),
    "topics": first("topics=mne-declaration", "topics=green-jobs,cooperatives"),
    "no topics": first(" topics=mne-declaration", ""),
    "a date": first("#tokyo-2020", "#tokyo-2020 date=2019-01-10"),
    "no picture": first(r"!\[A stadium.*\n", ""),
    "alt text": first(r"!\[A stadium", "![The stadium"),
    "another button": first("Read the partnership agreement", "Read it"),
    "lines above": first("\n# Top", "\n\n\n\n# Top"),
    "a link reference for all": lambda text: first("A partnership agreement", "A [pact]")(text) + "\n\n[pact]: https://example.org/\n",
    "a comment over two stories": lambda text: first("(?m)^## Coop", "<!--\n## Coop")(text) + "\n-->\n",
    "a heading in a fence": first("(?m)^A partnership", "```\n# no heading\n```\n\nA partnership"),
    "a fence left open": lambda text: text + "\n```\ncode\n",
    "a heading of the other form": first("(?m)^A partnership", "Another\n-------\n\nA partnership"),
    "a comment in the front matter": first("title: ", "# about it\ntitle: "),
    "text that looks like a mark": first("A partnership agreement", "%%00000000_name%% <!--@@00000000:story:x@@-->"),
    "a mistake": first("topics=mne-declaration", "topics=mne"),
    "two mistakes": lambda text: first("topics=mne-declaration", "topics=mne")(text) + "\n[](https://example.org)\n",
    "an id twice": first("#cooperative-statistics", "#tokyo-2020"),
    "no front matter": lambda text: text.split("\n---\n", 1)[1].lstrip("\n"),
}  # fmt: skip


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_the_real_issue_is_renewed_exactly_there_and_back_again(room, change):
    renewal = Renewal()
    composed(room, renewal)
    before = file_of(room).read_text("utf-8")
    rewrite(file_of(room), change)
    assert_renewed(room, renewal)
    rewrite(file_of(room), lambda _: before)
    assert_renewed(room, renewal)
    rewrite(file_of(room), first("A partnership agreement", "One agreement"))
    assert_renewed(room, renewal)


TEMPLATE = {
    "a page": ("page.mjml.j2", "600px", "580px"),
    "a story": ("_story.mjml.j2", '<div class="prose">', '<div class="prose" dir="auto">'),
    "numbers": ("_story.mjml.j2", '<div class="prose">', '<div class="prose">{{ loop.index }}{{ issue.stories }}'),
    "the text part": ("page.txt.j2", 'underline(story.title, "-")', 'underline(story.title, "~")'),
    "inlined rules": ("inline.css", "h3 { margin: 0", "h3 { margin: 1px"),
    "rules of the head": ("head.css", "}", "} .x { color: #000000 }"),
    "colours": ("theme.toml", 'page = "#', 'page = "#0'),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new"), TEMPLATE.values(), ids=TEMPLATE)
def test_an_edited_template_is_seen(room, name, old, new):
    renewal = Renewal()
    before = composed(room, renewal)
    rewrite(room.root / "templates/enterprises" / name, lambda text: text.replace(old, new, 1))
    assert composed(room) != before
    assert_renewed(room, renewal)
    rewrite(file_of(room), first("A partnership agreement", "One agreement"))
    assert_renewed(room, renewal)


def test_a_changed_configuration_is_seen(room):
    renewal = Renewal()
    composed(room, renewal)
    rewrite(
        room.root / "pyproject.toml", first("(?m)^public_url = .*$", 'public_url = "https://elsewhere.example.org"')
    )
    again = Newsroom.open(room.root, {"MAILER_SECRET_KEY": SECRET})
    assert_renewed(again, renewal)
    assert "https://elsewhere.example.org/2018-12/images/tokyo-2020.png" in "".join(
        piece.text for piece in again.compose(SLUG, renewal).html.pieces
    )


def replaced(path: Path) -> None:
    path.write_bytes(png(40, 7))


def linked(path: Path) -> None:
    path.with_name("other.png").write_bytes(png(30, 9))
    path.unlink()
    path.symlink_to("other.png")


def relinked(path: Path) -> None:
    """To another picture, behind the same name."""
    linked(path)
    path.with_name("third.png").write_bytes(png(20, 20))
    path.unlink()
    path.symlink_to("third.png")


@pytest.mark.parametrize("change", [replaced, Path.unlink, linked, relinked], ids=lambda change: change.__name__)
def test_another_picture_in_the_same_place_is_seen(room, change):
    path = file_of(room).with_name("images") / "tokyo-2020.png"
    renewal = Renewal()
    composed(room, renewal)
    change(path)
    assert_renewed(room, renewal)


def test_a_symbolic_link_to_another_picture_is_followed(room):
    path = file_of(room).with_name("images") / "tokyo-2020.png"
    linked(path)
    renewal = Renewal()
    composed(room, renewal)
    path.unlink()
    path.with_name("third.png").write_bytes(png(20, 20))
    path.symlink_to("third.png")
    assert_renewed(room, renewal)


def test_a_linked_file_that_comes_or_goes_is_seen(room):
    rewrite(file_of(room), first(r"\(https://example.org/ilo\)", "(report.pdf)"))
    renewal = Renewal()
    report = file_of(room).with_name("report.pdf")
    report.write_bytes(b"%PDF")
    composed(room, renewal)
    report.unlink()
    assert_renewed(room, renewal)
    report.write_bytes(b"%PDF")
    assert_renewed(room, renewal)


# --- any issue, any edits ---------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(st.sampled_from(["swap", "drop", "again", "write", "other"]), st.integers(0, 30)), max_size=6
)


def stepped(passages: list[str], step: str, number: int, words: str, others: list[str]) -> list[str]:
    """One edit: the front matter keeps its place most of the time."""
    at = 1 + number % max(1, len(passages) - 1)
    before, here, behind = passages[:at], passages[at : at + 1], passages[at + 1 :]
    match step:
        case "swap":
            return [*before, *behind[:1], *here, *behind[1:]]
        case "drop":
            return [*before, *behind]
        case "again":
            return [*before, *here, *here, *behind]
        case "write":
            return [*before, *(f"{passage}\n\n{words}\n\n" for passage in here), *behind]
        case _:
            return [*before, others[number % len(others)], *behind]


def read(folder: Path, text: str, renewal: Renewal | None) -> Issue | tuple[Problem, ...]:
    (folder / "issue.md").write_text(text, "utf-8")
    try:
        return source.load(folder / "issue.md", SHOWN, CONFIG, renewal.reading if renewal else None)
    except InputError as error:
        return error.problems


@settings(max_examples=60)
@given(issues(), issues(), steps, blocks)
def test_any_edits_of_any_issue_are_renewed_exactly(text, other, edits, words):
    renewal = Renewal()
    passages, others = ([passage for _, passage in outline.passages(each)] for each in (text, other))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.png").write_bytes(png())
        for step, number in [("write", 0), *edits]:
            passages = stepped(passages, step, number, words, others)
            text = "".join(passage if passage.endswith("\n") else f"{passage}\n" for passage in passages)
            renewed, fresh = read(folder, text, renewal), read(folder, text, None)
            assert renewed == fresh
            if isinstance(renewed, Issue) and isinstance(fresh, Issue):
                assert_same(
                    Composition.of(renewed, theme(), CONFIG, renewal.rendering), Composition.of(fresh, theme(), CONFIG)
                )


TEMPLATES = {
    # Columns share the width of their row, so that one story's depends on how many others there are.
    "a column for each story": {
        "_section.mjml.j2": (
            "<mj-section>",
            "<mj-section>{% for story in section.stories %}{{ begin(story) }}<mj-column><mj-text>"
            "{{ safe_html(story.body) }}</mj-text></mj-column>{{ close(story) }}{% endfor %}</mj-section><mj-section>",
        )
    },
    "rules by what is around a story": {
        "_section.mjml.j2": ("</mj-column>", "</mj-column><mj-column><mj-text>Beside them</mj-text></mj-column>"),
        "inline.css": ("h2, h3", ".mj-column-per-50 .story p { margin: 7px; }\nh2, h3"),
    },
    # White space between tags is dropped, beside words it is not.
    "words or tags behind a mark": {
        "_section.mjml.j2": (
            "<tr><td><h2>{{ section.title }}</h2></td></tr>",
            "<tr><td>{% for story in section.stories %}<i>|</i>\n{{ begin(story) }}\n"
            "{% if 'One agreement' in story.body.html %}{{ story.title }}{% else %}<b>{{ story.title }}</b>{% endif %}"
            "\n{{ close(story) }}\n{% endfor %}</td></tr>",
        )
    },
}


@pytest.mark.parametrize("changes", TEMPLATES.values(), ids=TEMPLATES)
def test_a_page_of_another_build_is_renewed_exactly(tmp_path, room, changes):
    other = Theme.load(lay_out(tmp_path / "t", changes), "templates/t")
    renewal = Renewal()
    for before, after in (("A partnership agreement", "One agreement"), ("One agreement", "Two agreements")):
        issue = room.issue(SLUG, renewal.reading)
        marks = Marks.of(issue)
        assert renewal.rendering.page(issue, other, room.config, marks) == page.render(issue, other, room.config, marks)
        rewrite(file_of(room), first(before, after))
    issue = room.issue(SLUG, renewal.reading)
    marks = Marks.of(issue)
    assert renewal.rendering.page(issue, other, room.config, marks) == page.render(issue, other, room.config, marks)
