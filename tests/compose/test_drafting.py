"""A draft becomes sections and stories: from HTML, Markdown and plain text, whatever they hold."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from datetime import date
from pathlib import Path

import pytest
from conftest import ROOT
from drafts import CONFIG, png
from hypothesis import given
from hypothesis import strategies as st

from mailer.cli import importing
from mailer.compose import source
from mailer.compose.drafting import issuefile, read, spans
from mailer.compose.drafting.blocks import NO_ADDRESS, NO_ALT
from mailer.compose.drafting.spans import BREAK, Span
from mailer.compose.rawhtml import words
from mailer.errors import InputError
from mailer.models import Issue

REAL = ROOT / "tests/data/drafts/enterprises-newsletter-2018-12.txt"


def taken(folder: Path, content: str | bytes, name: str = "draft.html") -> tuple[str, list[str], Issue]:
    """The issue file without its front matter, the notes, and the issue that it is read as."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    home = folder / "2019-03"
    draft, notes = read.draft(path, home, CONFIG)
    names = importing._names(draft)
    text = issuefile.text(draft, date(2019, 3, 1), "News", names)
    importing._put(home, text, {names[key]: content for key, content in draft.pictures.items()})
    issue = source.load(home / "issue.md", "issues/2019-03/issue.md", CONFIG)
    return text.partition("\n---\n\n")[2], [str(note) for note in notes], issue


def zipped(name: str, content: bytes) -> bytes:
    """An archive with one file in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def body(folder: Path, html: str) -> str:
    """The Markdown of a story's text."""
    text, _, _ = taken(folder, f"<h1>S</h1><h2>A</h2>{html}<h1>T</h1><h2>B</h2>")
    return text.partition("## A {#a}\n")[2].partition("\n# T\n")[0].strip("\n")


# --- the newsletter this was made for ---------------------------------------------------------------------


def test_the_real_newsletter_gives_its_sections_and_stories(tmp_path):
    """Its 36 stories, and two that it holds a second time."""
    _, notes, issue = taken(tmp_path, REAL.read_bytes(), "draft.txt")
    assert [(section.title, len(section.stories)) for section in issue.sections] == [
        ("Top stories", 2),
        ("Project news", 11),
        ("Country highlights", 6),
        ("Fresh off the new press / knowledge", 15),
        ("Upcoming events", 2),
        ("Webinars", 2),
    ]
    assert [story.title for story in issue.sections[2].stories] == [
        "Cambodia",
        "China",
        "Indonesia",
        "Laos",
        "Senegal",
        "Vietnam",
    ]
    assert notes[0].startswith("draft.txt:53: “Empowering and enhancing resilience")
    assert notes[0].endswith("stands on line 29 already, word for word; take one out")
    assert notes[1:] == [f"draft.txt: 62 links have no address and lead to {NO_ADDRESS} now; look for TODO"]


def test_the_real_newsletter_loses_no_word(tmp_path):
    """Every word of the text stands in the issue, in order; only signs of lists and brackets differ."""
    _, _, issue = taken(tmp_path, REAL.read_bytes(), "draft.txt")
    shown = []
    for section in issue.sections:
        shown.append(section.title)
        for story in section.stories:
            shown += [story.title, words(story.body.html.replace("<li>", " ")), story.link.text if story.link else ""]
    given = re.sub(r"\]\(#\)|^- (?:[a-c]\) )?", "", REAL.read_text("utf-8"), flags=re.MULTILINE)
    assert re.findall(r"\w+", " ".join(shown).lower()) == re.findall(r"\w+", given.lower())


def test_paragraphs_that_a_page_cut_in_two_are_joined(tmp_path):
    text, _, _ = taken(tmp_path, REAL.read_bytes(), "draft.txt")
    for seam in (
        "the Games' delivery partners",
        "resilience in Sierra Leone via",
        "populations in Asia and Latin America.",
        "project will cover one",
        f"[The]({NO_ADDRESS}) [Green Jobs",
    ):
        assert seam in text


@pytest.mark.parametrize(
    ("story", "topics"),
    [
        ("adoption-guidelines-concerning-statistics", ("cooperatives",)),
        ("nexus-dialogue-greening-jobs", ("green-jobs",)),
        ("senegal", ("mne-declaration",)),
        ("10-years-impact-insurance", ("social-finance",)),
        ("cambodia", ()),
        ("new-score-training-model", ()),
    ],
)
def test_topics_are_proposed_by_the_words_of_each_interest(tmp_path, story, topics):
    _, _, issue = taken(tmp_path, REAL.read_bytes(), "draft.txt")
    assert {each.id: each.topics for each in issue.stories}[story] == topics


# --- words ------------------------------------------------------------------------------------------------

INLINE = {
    "emphasis": ("<b>bold</b> and <i>it</i>, <u>under</u>", "**bold** and *it*, under"),
    "blanks go outside": ("a<b> bold </b>b", "a **bold** b"),
    "runs of one style are one": ("<b>co</b><b>operative</b>s", "**cooperative**s"),
    "both": ("<b><i>x</i></b> <b>y</b>", "***x*** **y**"),
    "styles that touch": ("<i>it</i><b><i>bo</i></b>th", "<em>it</em><strong><em>bo</em></strong>th"),
    "before a quotation mark": ("a<b>“b”</b>c", "a<strong>“b”</strong>c"),
    "written as css": ('<span style="font-weight:700">x</span> <b style="font-weight:normal">y</b>', "**x** y"),
    "small numbers": ("H<sub>2</sub>O, m<sup>2</sup>", "H<sub>2</sub>O, m<sup>2</sup>"),
    "code": ("<code>a*b</code>", "`a*b`"),
    "signs that mean something": (
        "*a* _b_ [c] {d} `e` <i>f</i> \\g ~h~",
        r"\*a\* \_b\_ \[c\] \{d\} \`e\` *f* \\g \~h\~",
    ),
    "an underscore in a word": ("WCMS_631091", "WCMS_631091"),
    "entities": ("&amp;amp; &lt;b&gt; R&amp;D", r"\&amp; \<b> R&D"),
    "link": ('x <a href="https://example.org/r">the <b>r</b></a> y', "x [the **r**](https://example.org/r) y"),
    "link behind an exclamation": ('Yes!<a href="https://example.org/">r</a>', r"Yes\![r](https://example.org/)"),
    "link with blanks and brackets": (
        'x <a href="https://example.org/a b(">r</a> y',
        "x [r](https://example.org/a%20b%28) y",
    ),
    "www": ('x <a href="www.example.org">r</a> y', "x [r](https://www.example.org) y"),
    "link without words": ('x <a href="https://example.org/"> </a> y', "x y"),
    "an anchor": ('<a name="x">words</a>', "words"),
    "line break": ("a<br>b", "a\\\nb"),
    "two line breaks": ("a<br> <br>b", "a\n\nb"),
    "no heading": ("# x", r"\# x"),
    "no hashtag heading": ("#x", r"\#x"),
    "no list": ("- x", r"\- x"),
    "no number": ("1. x", r"1\. x"),
    "no rule": ("---", r"\---"),
    "no quotation": ("> x", r"\> x"),
    "scripts": ("a<script>alert(1)</script><!-- c -->b", "ab"),
    "unknown tags": ("<o:p>a</o:p> <font color=red>b</font>", "a b"),
}


@pytest.mark.parametrize(("html", "markdown"), INLINE.values(), ids=INLINE)
def test_words_keep_their_emphasis_and_links(tmp_path, html, markdown):
    assert body(tmp_path, f"<p>{html}</p>") == markdown


STYLES = st.frozensets(st.sampled_from(["strong", "em", "del", "sub", "code"]), max_size=2)
TEXTS = st.text(st.sampled_from("ab 1.*_`[]()<>{}#-+=~!&;\\|“é\n:/" + BREAK), max_size=8)
SPANS = st.lists(st.builds(Span, TEXTS, STYLES, st.sampled_from([None, None, "https://example.org/a_b"])), max_size=5)


@given(SPANS)
def test_whatever_the_words_are_the_issue_says_the_same(tmp_path_factory, given_spans):
    written = spans.markdown(given_spans)
    folder = tmp_path_factory.getbasetemp() / "spans" / "2019-03"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "issue.md").write_text(
        f"---\ntitle: T\ndate: 2018-12-14\n---\n# S\n\n## A\n\n{written}\n\nEnd.\n", "utf-8"
    )
    (story,) = source.load(folder / "issue.md", "issue.md", CONFIG).stories
    shown = words(story.body.html.replace("<br>", " ")).replace(" ", "")
    assert shown == "".join(spans.words(given_spans).split()) + "End."


# --- blocks -----------------------------------------------------------------------------------------------

BLOCKS = {
    "list": ("<ul><li>One<li><p>Two</p></ul>", "- One\n- Two"),
    "numbers": ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
    "list in a list": ("<ul><li>One<ol><li>a</ol></li><li>Two</li></ul>", "- One\n  1. a\n- Two"),
    "paragraphs in an item": ("<ul><li><p>One</p><p>more</p></li></ul>", "- One\n\n  more"),
    "letters become numbers": ("<ul><li>a) One<li>b) Two</ul>", "1. One\n2. Two"),
    "letters that do not count": ("<ul><li>a) One<li>c) Two</ul>", "- a) One\n- c) Two"),
    "table": (
        "<table><tr><th>Year<th>Who</tr><tr><td><p>2018</p><td>a | b</tr></table>",
        "| Year | Who |\n| --- | --- |\n| 2018 | a \\| b |",
    ),
    "table for layout": ("<table><tr><td><p>One</p><ul><li>a</ul></td><td>Two</td></tr></table>", "One\n\n- a\n\nTwo"),
    "quotation": ("<blockquote><p>One</p><p>Two</p></blockquote>", "> One\n>\n> Two"),
    "code": ("<pre>a\n  *b*</pre>", "```\na\n  *b*\n```"),
    "loose words": ("One<div>Two</div>Three", "One\n\nTwo\n\nThree"),
    "headings that skip a level": ("<h3>B</h3><p>x</p><h6>C</h6><p>y</p>", "### B\n\nx\n\n#### C\n\ny"),
    "a heading in a list": ("<ul><li><h4>B</h4></ul>", "- **B**"),
    "a link at the end": (
        '<p>Text. <a href="https://example.org/r">Read more</a>.</p>',
        "Text.\n\n[Read more](https://example.org/r){.button}",
    ),
    "a link that ends a sentence": (
        '<p>Text is <a href="https://example.org/r">here</a>.</p>',
        "Text is [here](https://example.org/r).",
    ),
}


@pytest.mark.parametrize(("html", "markdown"), BLOCKS.values(), ids=BLOCKS)
def test_blocks_keep_their_form(tmp_path, html, markdown):
    assert body(tmp_path, html) == markdown


SHAPES = {
    "two levels": ("# S\n\n## A\n\nx\n\n## B\n\ny", ["S: A, B"], "News"),
    "other levels": ("### S\n\n#### A\n\nx", ["S: A"], "News"),
    "a title above all": ("# Our news\n\n## S\n\n### A\n\nx", ["S: A"], "Our news"),
    "one level": ("## A\n\nx\n\n## B\n\ny", ["News: A, B"], "News"),
    "one level and bold lines": ("# S\n\n**A**\n\nx\n\n**B**\n\ny", ["S: A, B"], "News"),
    "capitals and lines": (
        "TOP STORIES\n\nA title\n\nThe ILO is here.\n\nILO NEWS\n\nMore\n\nA text.",
        ["Top stories: A title", "ILO news: More"],
        "News",
    ),
    "a title, then capitals": ("Our news\n\nSTORIES\n\nA title\n\nA text.", ["Stories: A title"], "Our news"),
    "the same title twice": ("# S\n\n## A\n\nx\n\n# S\n\n## A\n\ny", ["S: A", "S: A"], "News"),
    "a section without stories": ("# S\n\nx\n\n# T\n\n## A\n\ny", ["S: S", "T: A"], "News"),
    "an empty section": ("# S\n\n# T\n\n## A\n\ny", ["T: A"], "News"),
    "a colon at the end": ("# S\n\n## A title:\n\n- x", ["S: A title"], "News"),
    "signs in titles": ("# S {x}\n\n## C# *and* #\\#\n\nx", ["S {x}: C# and ##"], "News"),
    "windows line ends": ("# S\r\n\r\n## A\r\n\r\nx\r\n", ["S: A"], "News"),
    "front matter": ("---\ntitle: x\n---\n\n# S\n\n## A\n\nx", ["S: A"], "News"),
}


@pytest.mark.parametrize(("text", "shape", "title"), SHAPES.values(), ids=SHAPES)
def test_headings_become_sections_and_stories(tmp_path, text, shape, title):
    _, _, issue = taken(tmp_path, text, "draft.md")
    assert [
        f"{section.title}: {', '.join(story.title for story in section.stories)}" for section in issue.sections
    ] == shape
    assert issue.title == title


def test_what_stands_before_the_first_heading_is_the_welcome(tmp_path):
    _, _, issue = taken(tmp_path, "Dear readers,\n\nhello.\n\n# S\n\nOf this section.\n\n## A\n\nx", "draft.md")
    assert (issue.intro.text, issue.sections[0].intro.text) == ("Dear readers,\n\nhello.", "Of this section.")


# --- pictures and what is left out -------------------------------------------------------------------------


def test_pictures_are_named_after_their_story_and_the_first_leads_it(tmp_path):
    (tmp_path / "a.png").write_bytes(png(40, 30))
    data = "data:image/png;base64," + base64.b64encode(png(50, 30)).decode()
    text, notes, issue = taken(
        tmp_path, f'<h1>S</h1><h2>Two people</h2><p>Words <img src="a.png" alt="They sign"> more.</p><img src="{data}">'
    )
    assert notes == []
    assert "## Two people {#two-people}\n\n![They sign](images/two-people.png)\n\nWords more.\n\n" in text
    assert text.endswith(f"![{NO_ALT}](images/two-people-2.png)\n")
    (story,) = issue.stories
    assert story.picture is not None
    assert (story.picture.width, story.picture.alt) == (40, "They sign")


LEFT_OUT = {
    "picture on the web": (
        '<img src="https://example.org/a.png">',
        "the picture “https://example.org/a.png” was left out; save it, and put it into images/",
    ),
    "no such picture": (
        '<img src="b.png">',
        "the picture “b.png” was left out; there is no such file beside the draft",
    ),
    "no picture": (
        '<img src="data:image/png;base64,AAAA">',
        "a picture in the page was left out: it is no picture that mail programs show; save it as PNG, JPEG or GIF",
    ),
    "a picture in letters beyond ASCII": (
        '<img src="data:image/png;base64,äöü">',
        "a picture in the page was left out: it is no picture that mail programs show; save it as PNG, JPEG or GIF",
    ),
    "a device": (
        '<img src="/dev/zero">',
        "the picture “/dev/zero” was left out; there is no such file beside the draft",
    ),
    "a long address": (
        f'<img src="{"a" * 5000}">',
        f"the picture “{'a' * 100}…” was left out; there is no such file beside the draft",
    ),
    "a dot": (
        f'<img src="data:image/png;base64,{base64.b64encode(png(1, 1)).decode()}">',
        "a picture in the page was left out: it has 1 × 1 pixels and shows nothing",
    ),
    "film": ("<video src=a.mp4></video>", "a video was left out; a mail cannot hold it"),
    "form": ("<form><input></form>", "a form was left out; a mail cannot hold it"),
    "script link": (
        '<a href="javascript:x">words</a>',
        f"“javascript:x” cannot be a link in a mail; use https:, http:, mailto: or tel:; it leads to {NO_ADDRESS} now",
    ),
    "file link": (
        '<a href="report.pdf">words</a>',
        "there is no file “report.pdf” in the issue's folder; put it there, or mend the name; "
        f"it leads to {NO_ADDRESS} now",
    ),
    "empty section": ("<h1>T</h1>", "“T” heads nothing and was left out"),
}


@pytest.mark.parametrize(("html", "note"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_not_kept_is_listed_with_its_line(tmp_path, html, note):
    _, notes, _ = taken(tmp_path, f"<h1>S</h1>\n<h2>A</h2>\n<p>x</p>\n{html}\n")
    assert notes == [f"draft.html:4: {note}"]


MARKDOWN_LINES = "---\na: b\n---\n# S\n\n## A\n\nx <video></video>\n\n- one\n- [two](ftp://example.org)\n\n# Empty\n"


def test_lines_are_those_of_the_draft(tmp_path):
    _, notes, _ = taken(tmp_path, MARKDOWN_LINES, "draft.md")
    assert [note.split(":")[1] for note in notes] == ["1", "8", "11", "13"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "a.pdf",
            b"%PDF",
            "cannot be read; known are .docx, .html, .htm, .md, .markdown, .txt: save it as one of them",
        ),
        ("a.txt", b"One\nTwo \xff", "is not UTF-8 here; save the file as UTF-8"),
        ("a.md", b"", "holds no story; give each a heading, or a line of its own above its text"),
        ("a.html", b"<!-- nothing -->", "holds no story; give each a heading, or a line of its own above its text"),
        (
            "a.docx",
            # bit 0 of the flags in the archive's directory (APPNOTE 4.4.4)
            zipped("word/document.xml", b"x").replace(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
            "is kept by a password; save it without one",
        ),
        ("a.docx", b"PK\x03\x04", "is no Word document; open it in the word processor and save it as .docx"),
        ("a.docx", zipped("x", b""), "is no Word document; open it in the word processor and save it as .docx"),
        (
            "a.docx",
            zipped("word/media/a.png", bytes(101 << 20)),
            "unpacks to more than 100 MB; save its pictures smaller",
        ),
        (
            "a.docx",
            zipped("word/document.xml", bytes(11 << 20)),
            "holds more than 10 MB of text; save it in several documents",
        ),
        ("a.html", b"<h2>A</h2>" + b"<blockquote>" * 1000, "nests lists, quotations or tables too deep; flatten them"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_draft_is_one_sentence(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read.draft(tmp_path / name, tmp_path / "2019-03", CONFIG)
    (problem,) = caught.value.problems
    assert (problem.path, problem.text) == (name, told)


@pytest.mark.parametrize("name", ["draft.html", "draft.md"])
def test_a_page_s_own_data_line_is_no_line_of_ours(tmp_path, name):
    _, notes, _ = taken(tmp_path, '<h1>S</h1>\n<h2>A</h2>\n<p data-line="x">words</p>\n', name)
    assert notes == []


def test_a_page_in_another_encoding_is_read_as_it_says(tmp_path):
    html = '<meta charset="iso-8859-1"><h1>S</h1><h2>Genève</h2><p>Été</p>'.encode("latin-1")
    _, _, issue = taken(tmp_path, html)
    assert (issue.stories[0].title, issue.stories[0].body.text) == ("Genève", "Été")


# --- notes to those who write ------------------------------------------------------------------------------


def test_a_note_parts_no_story_from_its_picture_or_its_button(tmp_path):
    """An HTML comment reaches nobody, and the issue is read as if it were not there."""
    folder = tmp_path / "2019-03"
    (folder / "images").mkdir(parents=True)
    (folder / "images/a.png").write_bytes(png(40, 30))
    front = "---\ntitle: T\ndate: 2018-12-14\n---\n"
    note = "<!-- a note\n\n# of two lines -->"
    parts = ["# S", "## A", "![alt](images/a.png)", "Text.", "[Read](https://example.org/r){.button}"]
    issues = []
    for between in ("\n\n", f"\n\n{note}\n\n"):
        (folder / "issue.md").write_text(front + between.join(parts) + between, "utf-8")
        (story,) = source.load(folder / "issue.md", "issue.md", CONFIG).stories
        issues.append((story.title, story.picture and story.picture.name, story.body, story.link))
    assert issues[0] == issues[1]
    assert issues[0][1] == "images/a.png"
