"""Every personal value is escaped for where it stands, and stays a value."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from urllib.parse import parse_qs, urlsplit

import lxml.html
import pytest
from received import bodies, field, fields, mailbox, wire_faults
from samples import ANN, CONFIG, DATE, ISSUE, MARKS, SLOT, filled, personaliser, text_page

from mailer.compose.marks import SLOTS
from mailer.compose.message import compile_message, fill_page

HOSTILE = {
    "markup": '"><script>alert(1)</script>',
    "attribute": "' onmouseover='x",
    "entity": "&lt;b&gt; &amp; &#0;",
    "header": "Bcc: x@example.org X: y",
    "encoded-word": "=?utf-8?q?=0D=0ABcc:_x?=",
    "quotes": '"Ann" \'B\' \\ "',
    "commas": "Example, Ann (Unit; 4) <x@example.org>",
    "dots": "...ends with a dot.",
    "one dot": ".",
    "equals": "a=3Db=\u20ac=",
    "long": "x" * 500,
    "long words": "word " * 100 + "end",
    "long emoji": "👩‍👩‍👧‍👦" * 60,
    "right to left": "\u202eآن \u2067مثال",
    "slot": f"%%{MARKS.nonce}_email%%",
    "mark": f"<!--@@{MARKS.nonce}:/story:x@@-->",
    "query": "a&b=c#d?e%20+f/",
    "template": "{name} {{ 7*7 }} ${x} %s \\1 \\g<0>",
}


def message_of(html: str, text: str) -> bytes:
    return filled(template=compile_message(ISSUE, html, text, CONFIG, MARKS))


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_only_a_name(name):
    """In HTML text, an attribute, a URL's query, plain text and a header it reads as it was given."""
    message = filled(replace(ANN, name=name))
    text, html = bodies(message)
    page = lxml.html.document_fromstring(html)
    query = parse_qs(urlsplit(page.xpath("string(//a[@id='query']/@href)")).query)
    assert mailbox(field(message, "To")) == (name, "ann@example.org")
    assert page.xpath("string(//b)") == name
    assert page.xpath("string(//p/@title)") == name
    assert query == {"n": [name], "m": ["1"]}
    assert text == text_page(name, personaliser().personal(ANN).web_url)
    assert [each.tag for each in page.iter()] == "html body p b a a a".split()
    assert [each[0] for each in fields(message)] == [each[0] for each in fields(filled())]
    assert wire_faults(message) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("Ann\r\nBcc: x@example.org\r\n\r\n<b>", "Ann Bcc: x@example.org <b>", id="line ends"),
        pytest.param("A\0n\x1bn\x85", "A n n", id="control characters"),
        pytest.param("  Ann  ", "Ann", id="blanks around it"),
        pytest.param("\ud800Ann\udfff", "?Ann?", id="lone surrogates"),
        pytest.param("\r\n\t ", "reader", id="nothing but blanks"),
    ],
)
def test_what_no_name_may_hold_is_taken_out(name, shown):
    message = filled(replace(ANN, name=name))
    text, html = bodies(message)
    page = lxml.html.document_fromstring(html)
    assert mailbox(field(message, "To"))[0] == (shown if shown != "reader" else "")
    assert (page.xpath("string(//b)"), text.splitlines()[2]) == (shown, shown)
    assert wire_faults(message) == []


def test_each_slot_is_filled_with_its_value():
    personal = personaliser().personal(ANN)
    html = "".join(f"<p>{SLOT[name]}</p>" for name in SLOTS)
    found = bodies(message_of(html, "\n".join(SLOT.values())))
    assert found[0].split("\n") == [getattr(personal, name) for name in SLOTS]
    assert found[1] == "".join(f"<p>{escape(getattr(personal, name))}</p>" for name in SLOTS)


@pytest.mark.parametrize(
    ("page", "filled"),
    [
        pytest.param("NAME", "a&amp;b &#x27;c&#x27;", id="text"),
        pytest.param('<p title="NAME">', '<p title="a&amp;b &#x27;c&#x27;">', id="attribute"),
        pytest.param('<a href="NAME">', '<a href="a&amp;b &#x27;c&#x27;">', id="a whole address is one already"),
        pytest.param('<a href="https://x/?NAME">', '<a href="https://x/?a%26b%20%27c%27">', id="inside an address"),
        pytest.param("<a href='/?NAME'>", "<a href='/?a%26b%20%27c%27'>", id="in single quotes"),
        pytest.param('<img alt="" SRC = "/NAME">', '<img alt="" SRC = "/a%26b%20%27c%27">', id="a picture's"),
        pytest.param('<a href="/x">NAME', '<a href="/x">a&amp;b &#x27;c&#x27;', id="behind an address"),
        pytest.param('<a href="/x" title="NAME">', '<a href="/x" title="a&amp;b &#x27;c&#x27;">', id="beside one"),
        pytest.param('<p>href="NAME', '<p>href="a&amp;b &#x27;c&#x27;', id="text that looks like one"),
        pytest.param('<p>href="xNAME', '<p>href="xa&amp;b &#x27;c&#x27;', id="text that looks like part of one"),
    ],
)
def test_a_value_is_escaped_for_where_it_stands(page, filled):
    personal = replace(personaliser().personal(ANN), name="a&b 'c'")
    marked = page.replace("NAME", SLOT["name"])
    assert fill_page(marked, personal, MARKS, html=True) == filled
    message = compile_message(ISSUE, marked, marked, CONFIG, MARKS).fill(personal, DATE)
    assert bodies(message) == (page.replace("NAME", "a&b 'c'"), filled)


@pytest.mark.parametrize(
    "author",
    ["%%name%%", "%%01234567_nme%%", "%%89abcdef_name%%", "<!--@@story:x@@-->", "{name}", "{{ slot('name') }}"],
)
def test_what_an_author_writes_is_no_slot(author):
    """Marks carry a nonce of the issue's digest."""
    assert bodies(message_of(author, author)) == (author, author)
