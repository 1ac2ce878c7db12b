"""What an author writes is what a reader gets, whatever the characters, in every place of the mail.

MRML writes attributes in Rust's debug notation, premailer parses and writes the whole page (rendering.md 2.2, 3.3):
so the finished HTML is parsed again, and what stands in it is compared with what was written.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from drafts import compose, png
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from mailer.compose.characters import printable
from mailer.compose.page import guard

CHARACTERS = {
    "Arabic with vowels": "التَّعَاوُنِيَّات",
    "Hebrew with points": "שָׁלוֹם",
    "combining accents": "re\u0301sume\u0301 Z\u0335a\u0308",
    "no-break space": "10\u00a0000 and 20\u202f%",
    "soft hyphen": "co\u00adoperatives",
    "joiners": "نامه\u200cها 👩\u200d🌾",
    "direction marks": "a\u200fb\u200ec\u2068d\u2069",
    "variation selector": "☂\ufe0f ✔\ufe0e",
    "flags and tones": "🇨🇭 👋🏽",
    "Chinese and Japanese": "合作社 と 協同組合",
    "quotes": "\"double\" 'single' “curly” „low“ «angled» ` ´",
    "backslashes": 'C:\\new\\table \\u{a0} \\" \\\\',
    "angles and ampersands": "a < b > c & d &amp; &lt;b&gt; </td> <!-- x -->",
    "templates": "{{ name }} {% if %} {# x #} ${y} %(z)s %%email%% [[a]] @@b@@",
    "beyond the basic plane": "𝕲 𐍈 \U0001f9d1\u200d\U0001f91d\u200d\U0001f9d1",
    "zero width and word joiner": "a\u200bb\u2060c\ufeffd",
}
PLACES = ("title", "preheader", "subject", "alt", "story", "body", "place", "link", "tooltip", "section")


def escaped(text: str) -> str:
    """The text in Markdown, every mark of punctuation taken as it is (CommonMark 2.4)."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def quoted(text: str) -> str:
    """The text between double quotes, as YAML and the attributes of a heading read it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def mail_of(folder: Path, text: str) -> lxml_html.HtmlElement:
    """A mail with this text in every place that takes one, parsed."""
    issue = (
        f"---\ntitle: {quoted(text)}\ndate: 2018-12-14\nsubject: {quoted(text)}\npreheader: {quoted(text)}\n---\n\n"
        f"# {escaped(text)} {{#section}}\n\n"
        f"## {escaped(text)} {{#story date=2019-01-10 place={quoted(text)}}}\n\n"
        f"![{escaped(text)}](a.png)\n\n"
        f'{escaped(text)} [link](https://example.org/ "{escaped(text)}")\n\n'
        f"[{escaped(text)}](https://example.org/){{.button}}\n"
    )
    composition = compose(folder, issue, {"a.png": png()})
    return lxml_html.document_fromstring(composition.html.cut(composition.everything))


def found(mail: lxml_html.HtmlElement) -> dict[str, str]:
    """What a reader finds in each place."""

    def words(path: str) -> str:
        return str(mail.xpath(f"string(({path})[1])"))

    return {
        "title": words("//h1"),
        "preheader": words("//body//div[contains(@style, 'display:none')]").split("\u034f")[0].strip(" "),
        "subject": words("//head/title"),
        "alt": words("//img/@alt"),
        "story": words("//h3"),
        "body": words("//div[@class='prose']/p[a[@title]]").removesuffix(" link"),
        "place": words("//td[@class='where']").removeprefix("10 January 2019"),
        "link": words("//p[@class='go']/a"),
        "tooltip": words("//a/@title"),
        "section": words("//h2"),
    }


@pytest.mark.parametrize("text", CHARACTERS.values(), ids=CHARACTERS)
def test_characters_survive_in_every_place(tmp_path, text):
    assert found(mail_of(tmp_path, text)) == dict.fromkeys(PLACES, text)


# U+034F fills the preheader up. Blanks at an end or in a row mean nothing in Markdown, and a line separator ends a
# line of YAML.
characters = st.characters(
    codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs", "Cn"], exclude_characters="\u034f"
)
prose = (
    st.lists(st.text(characters, min_size=1), min_size=1)
    .map(" ".join)
    .filter(lambda text: printable(text) == text)
)  # fmt: skip


@settings(max_examples=60)
@given(prose)
@example('\' ="x" \\')
@example("\\u{301} &#10; &#x41; &copy=1")
@example("1. #hash {#id} *")
def test_any_text_survives_in_every_place(text):
    with tempfile.TemporaryDirectory() as folder:
        assert found(mail_of(Path(folder), text)) == dict.fromkeys(PLACES, text)


def test_a_tab_and_a_line_break_become_a_blank_in_an_attribute(tmp_path):
    issue = "---\ntitle: T\ndate: 2018-12-14\n---\n# S\n\n## A\n\n![one\ttwo\nthree](a.png)\n"
    composition = compose(tmp_path, issue, {"a.png": png()})
    mail = lxml_html.document_fromstring(composition.html.cut(composition.everything))
    assert mail.xpath("//img/@alt") == ["one two three"]


def test_tabs_and_line_breaks_survive_in_code(tmp_path):
    issue = "---\ntitle: T\ndate: 2018-12-14\n---\n# S\n\n## A\n\n```\nif x:\n\ty\n    z\n```\n"
    composition = compose(tmp_path, issue)
    mail = lxml_html.document_fromstring(composition.html.cut(composition.everything))
    (pre,) = mail.xpath("//pre")
    for line_break in pre.xpath(".//br"):
        line_break.tail = "\n" + (line_break.tail or "")
    assert pre.text_content() == "if x:\n\ty\n    z"


@pytest.mark.parametrize("code", [*range(9), *range(11, 32), *range(127, 160), 0xFFFE, 0xFFFF])
def test_control_characters_are_stripped(code):
    """C1 controls make Gmail clip a mail (email-bugs #41), C0 ones make MRML fail without a position."""
    assert printable(f"a{chr(code)}b") == "ab"


def test_control_characters_reach_no_part_of_a_mail(tmp_path):
    odd = "a\x01b\x0c\x85\x92c\ufffed"
    issue = (
        f'---\ntitle: {odd}\ndate: 2018-12-14\npreheader: "x\\x01\\x92y"\n---\n'
        f'# {odd}\n\n## {odd} {{place="{odd}" date=2019-01-10}}\n\n![{odd}](a.png)\n\n'
        f'{odd} <b title="&#1;&#x92;">&#2;</b>\n'
    )
    composition = compose(tmp_path, issue, {"a.png": png()})
    whole = composition.html.cut(composition.everything) + composition.text.cut(composition.everything)
    assert [character for character in whole if printable(character) != character] == []
    assert composition.issue.title == "abcd"


HREFS = {
    "query": ("https://example.org/?a=1&b=2&copy=3&lt=4", "https://example.org/?a=1&b=2&copy=3&lt=4"),
    "references": ("https://example.org/?a=1&amp;b=2", "https://example.org/?a=1&b=2"),
    "umlauts": ("https://example.org/ä?ö=ü#é", "https://example.org/%C3%A4?%C3%B6=%C3%BC#%C3%A9"),
    "host": ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
    "Arabic host": ("https://مثال.example/", "https://xn--mgbh0fb.example/"),
    "quotes and backslash": ("<https://example.org/\"a'\\b>", "https://example.org/%22a'%5Cb"),
    "blanks": ("<https://example.org/a b\u00a0c>", "https://example.org/a%20b%C2%A0c"),
    "already encoded": ("https://example.org/%E2%82%AC%20", "https://example.org/%E2%82%AC%20"),
    "brackets and slots": ("<https://example.org/{{x}}[y]%%z%%>", "https://example.org/%7B%7Bx%7D%7D%5By%5D%25%25z%25%25"),
    "invisible": ("https://example.org/a\u00ad\u200d\u0301\ufe0f", "https://example.org/a%C2%AD%E2%80%8D%CC%81%EF%B8%8F"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "href"), HREFS.values(), ids=HREFS)
def test_an_address_leads_where_it_was_meant_to(tmp_path, written, href):
    """Paths are percent-encoded (RFC 3986 section 2.1), hosts become A-labels (RFC 5890)."""
    issue = (
        f"---\ntitle: T\ndate: 2018-12-14\n---\n# S\n\n## A\n\nSee [this]({written}).\n\n[Go]({written}){{.button}}\n"
    )
    composition = compose(tmp_path, issue)
    mail = lxml_html.document_fromstring(composition.html.cut(composition.everything))
    assert mail.xpath("//h3/a/@href | //div[@class='prose']/p/a/@href | //p[@class='go']/a/@href") == [href] * 3
    assert composition.text.cut(composition.everything).count(f"<{href}>") == 2


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\t"), max_size=40))
def test_the_guard_writes_only_what_rust_s_debug_notation_leaves_alone(text):
    """Printable ASCII without the quote and the backslash; a parser reads the same value back."""
    value = printable(text)
    markup = value.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")
    guarded = guard(f"<mj-image alt='{markup}' />")
    alt = re.fullmatch(r'<mj-image alt="([^"]*)" />', guarded)
    assert alt is not None
    assert re.fullmatch(r"[ -!#-\[\]-~]*", alt[1])
    assert lxml_html.fragment_fromstring(f'<b title="{alt[1]}"></b>').get("title") == value
