"""A template: what it may not hold, how its mistakes are named, and the words it is filled with."""

from __future__ import annotations

import re

import pytest
from drafts import CONFIG, FRONT, read
from small_theme import lay_out

from mailer.compose.composition import Composition
from mailer.compose.dates import Dates
from mailer.compose.theme import Theme
from mailer.errors import InputError

ISSUE = FRONT + "# News\n\n## One {#one}\n\nText.\n"
PAGE, SECTION = "page.mjml.j2", "_section.mjml.j2"


def told(folder, changes: dict[str, tuple[str, str]]) -> list[str]:
    """Every mistake in the template after these changes."""
    with pytest.raises(InputError) as caught:
        Composition.of(read(folder, ISSUE), Theme.load(lay_out(folder / "t", changes), "templates/t"), CONFIG)
    return str(caught.value).split("\n")


def test_the_smallest_template_gives_a_page(tmp_path):
    made = Composition.of(read(tmp_path, ISSUE), Theme.load(lay_out(tmp_path / "t"), "templates/t"), CONFIG)
    page = made.html.cut(("one",))
    story = re.search(r'<td class="story".*?</td>', page)
    assert story is not None
    assert story[0] == (
        '<td class="story" style="color:#1a2b3c; font-family:Arial, sans-serif"><h3 style="margin:0">One</h3>'
        "<p>Text.</p></td>"
    )
    assert "@media (prefers-color-scheme: dark) { .story { color: #eeeeee !important; } }" in page
    assert made.text.cut(("one",)) == "T\n=\n\nNews\n\nOne\n\n\n"


@pytest.mark.parametrize("name", [SECTION, "page.txt.j2"])
def test_a_theme_that_would_send_a_story_to_everybody_is_refused(tmp_path, name):
    folder = lay_out(tmp_path / "t", {name: ("{{ begin(story) }}", "")})
    lines = (folder / name).read_text("utf-8")
    (folder / name).write_text(lines.replace("{{ close(story) }}", ""), "utf-8")
    issue = read(tmp_path, ISSUE.replace("{#one}", "{#one topics=cooperatives}"))
    with pytest.raises(InputError) as caught:
        Composition.of(issue, Theme.load(folder, "templates/t"), CONFIG)
    page = name if name.startswith("page") else PAGE
    assert (
        str(caught.value) == f"templates/t/{page}: story “one” stands outside begin and close: everybody would get it"
    )


def test_empty_marks_beside_a_story_do_not_count(tmp_path):
    folder = lay_out(tmp_path / "t", {"page.txt.j2": ("{{ story.title }}\n{{ close(story) }}", "{{ close(story) }}x")})
    issue = read(tmp_path, ISSUE.replace("{#one}", "{#one topics=cooperatives}"))
    with pytest.raises(InputError, match=r"page\.txt\.j2: story “one” stands outside"):
        Composition.of(issue, Theme.load(folder, "templates/t"), CONFIG)


BROKEN = {
    "undefined variable": (
        {SECTION: ("section.title", "sektion.title")},
        ["templates/t/_section.mjml.j2:4: 'sektion' is undefined"],
    ),
    "division by zero": (
        {SECTION: ("{{ section.title }}", "{{ 1 / 0 }}")},
        ["templates/t/_section.mjml.j2:4: division by zero"],
    ),
    "an at-rule inside an inlined rule": (
        {"inline.css": ("margin: 0;", "margin: 0; @media x;")},
        ["templates/t/inline.css:3: cannot be written into a style attribute; move the rule to head.css"],
    ),
    "undefined attribute": (
        {SECTION: ("story.title", "story.titel")},
        ["templates/t/_section.mjml.j2:7: 'mailer.models.Story object' has no attribute 'titel'"],
    ),
    "undefined colour in a style sheet": (
        {"head.css": ("dark.ink", "dark.tinte")},
        ["templates/t/head.css:2: 'dict object' has no attribute 'tinte'"],
    ),
    "undefined in the text": (
        {"page.txt.j2": ("{{ story.title }}", "{{ storey.title }}")},
        ["templates/t/page.txt.j2:7: 'storey' is undefined"],
    ),
    "syntax": (
        {SECTION: ("{% for story", "{% fro story")},
        ["templates/t/_section.mjml.j2:5: Encountered unknown tag 'fro'."],
    ),
    "no such slot": (
        {SECTION: ("{{ story.title }}", '{{ slot("web") }}')},
        [
            "templates/t/_section.mjml.j2:7: there is no slot “web”; known are name, email, interests, "
            "unsubscribe_url, preferences_url, web_url"
        ],
    ),
    "no such file": (
        {PAGE: ("_section.mjml.j2", "_sektion.mjml.j2")},
        ["templates/t/page.mjml.j2:9: there is no file “_sektion.mjml.j2” in this template"],
    ),
    "a file outside": (
        {PAGE: ("_section.mjml.j2", "../../../../etc/passwd")},
        ["templates/t/page.mjml.j2:9: there is no file “../../../../etc/passwd” in this template"],
    ),
    "tag left open": (
        {SECTION: ("  </mj-column>\n", "")},
        ["templates/t/_section.mjml.j2:2: <mj-column> is not closed before </mj-section> on line 11"],
    ),
    "tag closed by another": (
        {SECTION: ("</mj-column>", "</mj-colum>")},
        ["templates/t/_section.mjml.j2:11: </mj-colum> closes nothing that is open here"],
    ),
    "tag left open at the end": (
        {SECTION: ("</mj-section>\n", "")},
        ["templates/t/_section.mjml.j2:1: <mj-section> is never closed"],
    ),
    "cell left open": (
        {SECTION: ("</h2></td></tr>", "</h2></tr>")},
        ["templates/t/_section.mjml.j2:4: <td> is not closed before </tr> on line 4"],
    ),
    "bare angle": (
        {SECTION: ("<h3>", "1 < 2 <h3>")},
        ["templates/t/_section.mjml.j2:7: this < opens no tag; write &lt;"],
    ),
    "unknown tag": (
        {SECTION: ("<mj-section>", "<mj-spacr />\n<mj-section>")},
        ["templates/t/_section.mjml.j2:1: unknown tag <mj-spacr>. Did you mean “mj-spacer”?"],
    ),
    "begin without close": (
        {SECTION: ("      {{ close(story) }}\n", "")},
        ["templates/t/_section.mjml.j2:6: begin(story) is never closed"],
    ),
    "close without begin": (
        {PAGE: ("    {{ begin(section) }}\n", "")},
        ["templates/t/page.mjml.j2:9: close(section) closes nothing that is open here"],
    ),
    "begin without close in the text": (
        {"page.txt.j2": ("{{ close(story) }}\n", "")},
        ["templates/t/page.txt.j2:6: begin(story) is not closed before close(section) on line 9"],
    ),
    "colour of three digits": (
        {"theme.toml": ("#1a2b3c", "#123")},
        ["templates/t/theme.toml:2: light colour ink = “#123” must be six small hexadecimal digits, such as #1b5e7a"],
    ),
    "not TOML": (
        {"theme.toml": ('"#eeeeee"', "eeeeee")},
        ["templates/t/theme.toml:5: cannot be read: Invalid value (at line 5, column 7)"],
    ),
    "no dark colours": (
        {"theme.toml": ("colours.dark", "colours.drak")},
        ["templates/t/theme.toml: has no [colours.dark]; copy it from the enterprises template"],
    ),
    "a word the mail cannot do without": (
        {"theme.toml": ("reader =", "raeder =")},
        ["templates/t/theme.toml: [words.en] lacks reader; copy it from another language and translate it"],
    ),
    "language not spoken": (
        {"theme.toml": ("words.en", "words.fr")},
        ["templates/t/theme.toml: has no [words.en]; translate one"],
    ),
}


@pytest.mark.parametrize(("changes", "problems"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_in_a_template_is_named_with_its_file_and_line(tmp_path, changes, problems):
    assert told(tmp_path, changes) == problems


def test_every_mistake_of_a_template_is_told_at_once(tmp_path):
    changes = {
        "theme.toml": ("#1a2b3c", "red"),
        PAGE: ("<mj-body>", '<mj-raw><link rel="stylesheet" href="x"></mj-raw>\n  <mj-body>'),
        SECTION: ("      {{ close(story) }}\n", ""),
        "inline.css": ("h2, h3", "h2:first-child"),
    }
    assert told(tmp_path, changes) == [
        "templates/t/theme.toml:2: light colour ink = “red” must be six small hexadecimal digits, such as #1b5e7a",
        "templates/t/_section.mjml.j2:6: begin(story) is never closed",
        "templates/t/inline.css:3: selects by position, but stories around it come and go; use a class",
        "templates/t/page.mjml.j2:6: this tag has no place in a mail; take it out",
    ]


POSITION = "selects by position, but stories around it come and go; use a class"
HEAD_ONLY = "cannot be written into a style attribute; move the rule to head.css"
RULES = {
    "first child": ("h2:first-child { margin: 0; }", [f"3: {POSITION}"]),
    "neighbour": ("tr + tr\n{ margin: 0; }", [f"3: {POSITION}"]),
    "every second": (".story:nth-child(2n) { margin: 0; }", [f"3: {POSITION}"]),
    "hover": ("a:hover { color: #1a2b3c; }", [f"3: {HEAD_ONLY}"]),
    "media query": ("@media print { h2 { margin: 0; } }", [f"3: {HEAD_ONLY}"]),
    "sum in a value": ("h2 { margin: calc(1px + 2px) }", []),
    "child": ("td > h2 { margin: 0; }", []),
    "in a comment": ("/* h2:first-child\n @import */ h2 { margin: 0; }", []),
}


@pytest.mark.parametrize(("rule", "problems"), RULES.values(), ids=RULES)
def test_inlined_rules_hold_whatever_stories_are_cut_away(tmp_path, rule, problems):
    """Premailer applies positional selectors in the whole issue (rendering.md 5)."""
    changes = {"inline.css": ("h2, h3 { margin: 0; }", rule)}
    folder = lay_out(tmp_path / "t", changes)
    if not problems:
        Theme.load(folder, "templates/t")
        return
    with pytest.raises(InputError) as caught:
        Theme.load(folder, "templates/t")
    assert str(caught.value).split("\n") == [f"templates/t/inline.css:{problem}" for problem in problems]


def test_important_rules_stay_important_where_they_are_inlined(tmp_path):
    """premailer strips the word by default; Gmail's own rules then win."""
    folder = lay_out(tmp_path / "t", {"inline.css": ("margin: 0;", "margin: 0 !important;")})
    made = Composition.of(read(tmp_path, ISSUE), Theme.load(folder, "templates/t"), CONFIG)
    assert '<h3 style="margin:0 !important">One</h3>' in made.html.cut(("one",))


def test_a_template_that_is_none_says_so(tmp_path):
    with pytest.raises(InputError) as caught:
        Theme.load(tmp_path, "templates/t")
    assert str(caught.value) == "templates/t: is no template: there is no theme.toml in it"


TOML = {
    "not UTF-8": (b"# a\nb = '\xff'\n", ":2: is not UTF-8 here; save the file as UTF-8"),
    "a number too long": (b"a = " + b"9" * 5000, ": cannot be read: Exceeds the limit (4300 digits)"),
    "nested too deep": (b"a = " + b"[" * 20_000, ": cannot be read: maximum recursion depth exceeded"),
}


@pytest.mark.parametrize(("content", "told"), TOML.values(), ids=TOML)
def test_a_theme_toml_that_cannot_be_read_is_named(tmp_path, content, told):
    folder = lay_out(tmp_path / "t")
    (folder / "theme.toml").write_bytes(content)
    with pytest.raises(InputError) as caught:
        Theme.load(folder, "templates/t")
    assert str(caught.value).startswith(f"templates/t/theme.toml{told}")


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    folder = lay_out(tmp_path / "t")
    (folder / "extra.css").mkdir()
    with pytest.raises(InputError) as caught:
        Theme.load(folder, "templates/t")
    assert str(caught.value) == "templates/t/extra.css: cannot be read: Is a directory"


def test_the_lock_of_an_editor_is_no_mistake(tmp_path):
    """Emacs marks a file that is being edited with a symbolic link that leads nowhere."""
    folder = lay_out(tmp_path / "t")
    (folder / ".#page.mjml.j2").symlink_to("ann@desk.1234:1544774400")
    Theme.load(folder, "templates/t")


def test_a_template_file_that_is_not_utf_8_is_named_with_its_line(tmp_path):
    folder = lay_out(tmp_path / "t")
    (folder / "_extra.mjml.j2").write_bytes(b"a\nb \xff\n")
    (folder / ".backup.mjml.j2").write_bytes(b"\xff")
    with pytest.raises(InputError) as caught:
        Theme.load(folder, "templates/t")
    assert str(caught.value) == "templates/t/_extra.mjml.j2:2: is not UTF-8 here; save the file as UTF-8"


WHEN = {
    "a day": ("en", "2019-01-10", ("10", "Jan"), "10 January 2019"),
    "days of a month": ("en", "2019-01-10/2019-01-11", ("10–11", "Jan"), "10–11 January 2019"),
    "days of two months": ("en", "2018-12-31/2019-01-02", ("31", "Dec"), "31 December 2018 – 2 January 2019"),
    "hours": (
        "en",
        "2019-01-10T09:30+01:00/2019-01-10T17:00+01:00",
        ("10", "Jan"),
        "10 January 2019, 09:30–17:00 (UTC+01:00)",
    ),
    "a moment": ("en", "2019-01-10T09:30Z", ("10", "Jan"), "10 January 2019, 09:30 (UTC+00:00)"),
    "French": ("fr", "2019-01-10/2019-01-11", ("10–11", "janv."), "10–11 janvier 2019"),
    "Spanish days": ("es", "2019-01-10/2019-01-11", ("10–11", "ene"), "10–11 de enero de 2019"),
    "Spanish": ("es", "2019-01-10", ("10", "ene"), "10 de enero de 2019"),
    "Arabic": ("ar", "2019-01-10", ("10", "يناير"), "10 يناير 2019"),
}


@pytest.mark.parametrize(("language", "written", "leaf", "when"), WHEN.values(), ids=WHEN)
def test_an_event_s_dates_are_written_in_words(tmp_path, language, written, leaf, when):
    (story,) = read(tmp_path, f"{FRONT}# S\n\n## A {{date={written}}}\n").stories
    assert story.event is not None
    assert (Dates(language).leaf(story.event), Dates(language).when(story.event)) == (leaf, when)
