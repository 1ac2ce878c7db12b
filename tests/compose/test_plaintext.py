"""Story Markdown as plain text, and how wide it is set."""

from __future__ import annotations

import re

import pytest
from drafts import FRONT, read
from hypothesis import given
from hypothesis import strategies as st

from mailer.compose.markup import Writer, parse
from mailer.compose.plaintext import columns, underline, wrap


class Everywhere:
    """Assets that find everything where it is said to be."""

    def link(self, href: str, line: int) -> str:
        return href

    def picture(self, source: str, alt: str, line: int) -> None:
        return None


def text_of(markdown: str) -> str:
    return Writer(Everywhere(), lambda line, what: None).prose(parse(markdown)).text


WORDS = "decent work for all "
SET = {
    "paragraphs": ("a\nb\n\nc", "a b\n\nc"),
    "hard line break": ("a  \nb", "a\nb"),
    "raw line break": ("a<br>b", "a\nb"),
    "emphasis": ("*a* **b** `c` ~~d~~", "a b c d"),
    "entities": ("R&amp;D &lt;b&gt; &eacute; \\*", "R&D <b> é *"),
    "heading": ("### Above\n\nbelow", "Above\n\nbelow"),
    "list": ("- a\n- b\n  - c\n\n  d", "- a\n- b\n  - c\n  d"),
    "numbered list": ("9. a\n10. b", "9. a\n10. b"),
    "list that wraps": (f"- {WORDS * 5}", f"- {(WORDS * 3).strip()} decent work\n  for all decent work for all"),
    "quotation": ("> a\n>\n> b", "> a\n>\n> b"),
    "quotation in a list": ("- a\n\n  > b", "- a\n  > b"),
    "code": ("```\na  b\n\n  c\n```", "    a  b\n\n      c"),
    "rule": ("a\n\n---\n\nb", "a\n\n* * *\n\nb"),
    "table": ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n1 | 2"),
    "raw HTML": ("<p>a &amp; b</p>\n<p>c</p>", "a & b c"),
    "raw script": ("<script>x()</script>", ""),
    "link": ("See [the report](https://example.org/r).", "See the report [1].\n\n[1] <https://example.org/r>"),
    "the same link twice": (
        "[a](https://example.org/r) [b](https://example.org/s) [c](https://example.org/r)",
        "a [1] b [2] c [1]\n\n[1] <https://example.org/r>\n[2] <https://example.org/s>",
    ),
    "address as its own words": ("<https://example.org/r>", "<https://example.org/r>"),
    "mail address as its own words": ("<wed@example.org>", "<wed@example.org>"),
    "link around emphasis": ("[a *b*](https://example.org)", "a b [1]\n\n[1] <https://example.org>"),
    "picture": ("![a house](h.png) stands", "[a house] stands"),
    "links in a list": (
        "- [a](https://example.org/a)\n- [b](https://example.org/b)",
        "- a [1]\n- b [2]\n\n[1] <https://example.org/a>\n[2] <https://example.org/b>",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("markdown", "text"), SET.values(), ids=SET)
def test_markdown_becomes_plain_text(markdown, text):
    assert text_of(markdown) == text


def test_a_long_address_stays_whole():
    """A broken link is worse than a long line."""
    address = "https://example.org/" + "tax-free-" * 12
    assert text_of(f"See <{address}> for more").split("\n") == ["See", f"<{address}>", "for more"]


def test_chinese_is_wrapped_by_columns_not_by_blanks():
    lines = text_of("合作社" * 40).split("\n")
    assert [columns(line) for line in lines] == [76, 76, 76, 12]
    assert "".join(lines) == "合作社" * 40


WIDTHS = {
    "Latin": ("abc", 3),
    "Chinese": ("合作社", 6),
    "combining": ("e\u0301", 1),
    "Hebrew point": ("ש\u05c1", 1),
    "joined": ("👩\u200d🌾", 2),
    "variation": ("☂\ufe0f", 2),
    "direction mark": ("ab\u200e", 2),
    "nothing": ("", 0),
}


@pytest.mark.parametrize(("text", "width"), WIDTHS.values(), ids=WIDTHS)
def test_a_width_counts_columns(text, width):
    assert columns(text) == width


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("News", "News\n===="),
        ("合作社", "合作社\n======"),
        ("re\u0301sume\u0301", "re\u0301sume\u0301\n======"),
        ("a" * 40 + " " + "b" * 40, "a" * 40 + "\n" + "b" * 40 + "\n" + "=" * 40),
        ("a" * 90, "a" * 90 + "\n" + "=" * 76),
    ],
    ids=["Latin", "Chinese", "accents", "two lines", "longer than a line"],
)
def test_a_rule_is_as_wide_as_its_heading(title, shown):
    assert underline(title, "=") == shown


odd_words = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=200)


@given(odd_words | st.lists(st.text(alphabet="ab-/合e\u0301 ", max_size=30), max_size=12).map(" ".join))
def test_no_line_is_wider_than_76_columns_but_for_a_single_long_word(text):
    """RFC 5322 section 2.1.1 asks for lines of 78 characters at most."""
    for line in wrap(text, "- ", "  "):
        assert columns(line) <= 76 or len(line.removeprefix("- ").split()) == 1, line


@given(odd_words)
def test_wrapping_loses_no_word(text):
    assert "".join("".join(wrap(text)).split()) == "".join(text.split())


def test_references_are_numbered_within_a_story(tmp_path):
    body = "[a](https://example.org/a) [b](https://example.org/b)"
    stories = read(tmp_path, f"{FRONT}# S\n\n## A\n\n{body}\n\n## B\n\n{body}\n").stories
    for story in stories:
        used = re.findall(r"\[(\d+)\](?! <)", story.body.text)
        listed = re.findall(r"(?m)^\[(\d+)\] <(.+)>$", story.body.text)
        assert used == [number for number, _ in listed] == ["1", "2"]
        assert [address for _, address in listed] == ["https://example.org/a", "https://example.org/b"]
