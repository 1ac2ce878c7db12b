"""Header fields: what is written decodes to what was given, on lines of its own and no others."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from received import field, mailbox, parse, wire_faults, words

from mailer.compose import headers

# Everything an encoder can lose, split or take for syntax.
HOSTILE = [
    "Ann",
    "Ann Example",
    "Example, Ann",
    'Ann "the boss" Example',
    "O'Brien (Cooperatives)",
    "back\\slash",
    "a@example.org",
    "Ann <x@example.org>",
    "=?utf-8?q?Bcc=3A_x=40example.org?=",
    "=?utf-8?b?",
    "two  blanks",
    "a.b.",
    ".leading dot",
    ";:,<>@[]",
    '"' * 60,
    "\\" * 73,
    "x" * 500,
    "word " * 100 + "end",
    "é" * 500,
    "e\u0301" * 60,
    "👩‍👩‍👧‍👦" * 20,
    "😀" * 300,
    "مكتب العمل الدولي " * 9 + "جنيف",
    "\u202eright to left",
    "\u200b",
    "日本語" * 100,
    "%%name%%",
    "100 %",
    "_",
    "?=",
    "a =?utf-8?q?b?= c",
]
ONE_LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200).map(str.strip)


def examples(test):
    for value in HOSTILE:
        test = example(value)(test)
    return test


def faults(header: bytes) -> list[str]:
    return wire_faults(header + b"Content-Type: text/plain\r\n\r\nbody\r\n")


def names(header: bytes) -> list[str]:
    return re.findall(r"(?m)^[^ \t\r\n][^:\r\n]*(?=:)", header.decode("utf-8"))


@examples
@given(value=ONE_LINE)
def test_a_subject_decodes_to_what_was_given(value):
    """Standards F7 and F8; words() is Python's older decoder, parse() its newer one."""
    header = headers.unstructured("Subject", value)
    assert words(field(header, "Subject")) == value
    assert parse(header)["Subject"] == value
    assert (names(header), faults(header)) == (["Subject"], [])


@examples
@given(value=ONE_LINE)
@pytest.mark.parametrize("name", ["To", "From", "Reply-To", "List-Id"])
def test_a_display_name_decodes_to_what_was_given(name, value):
    """Standards F7, F8 and F9."""
    header = headers.mailbox(name, value, "ann@example.org")
    assert mailbox(field(header, name)) == (value, "ann@example.org")
    assert (names(header), faults(header)) == ([name], [])


@given(value=st.text(max_size=100))
@example(value="Bcc: x@example.org\r\nX: y")
@example(value="\r\n\r\n<script>")
@example(value="a\r\n b\u2028c\u2029d\x85e\x0bf\x0cg\x1ch")
@example(value="\ud800 lone \udfff")
@example(value="\0\x7f\x80")
def test_no_value_begins_another_field_or_ends_the_headers(value):
    """Standards F9."""
    for header in (headers.unstructured("Subject", value), headers.mailbox("To", value, "ann@example.org")):
        assert len(names(header)) == 1
        assert header.endswith(b"\r\n")
        assert faults(header) == []


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        pytest.param("Bcc: x\r\nX: y", "Bcc: x X: y", id="a line break becomes a blank"),
        pytest.param("a\x00\x07b", "a b", id="so do control characters"),
        pytest.param("a\u2028b\x85c", "a b c", id="and Unicode's line ends"),
        pytest.param(" Ann \t\r\n", "Ann", id="blanks at the ends go"),
        pytest.param("two  blanks", "two  blanks", id="blanks inside stay"),
        pytest.param("\r\n", "", id="nothing is left of a line end"),
    ],
)
def test_one_line(given_, shown):
    assert headers.one_line(given_) == shown


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param("", b"To: <ann@example.org>\r\n", id="no name"),
        pytest.param("Ann Example", b"To: Ann Example <ann@example.org>\r\n", id="atoms stay as they are"),
        pytest.param("Example, A.", b'To: "Example, A." <ann@example.org>\r\n', id="specials are quoted"),
        pytest.param('A "B" \\', b'To: "A \\"B\\" \\\\" <ann@example.org>\r\n', id="quotes and backslashes escaped"),
        pytest.param("Zoë", b"To: =?utf-8?b?Wm/Dqw==?= <ann@example.org>\r\n", id="others are encoded"),
        pytest.param("=?x?=", b"To: =?utf-8?b?PT94Pz0=?= <ann@example.org>\r\n", id="so is what looks encoded"),
        pytest.param("n" * 60, b"To: " + b"n" * 60 + b"\r\n <ann@example.org>\r\n", id="a long name is folded"),
    ],
)
def test_how_a_name_is_written(name, written):
    assert headers.mailbox("To", name, "ann@example.org") == written


@pytest.mark.parametrize(
    ("subject", "written"),
    [
        pytest.param("", b"Subject:\r\n", id="nothing, for no encoded-word is empty"),
        pytest.param("Two stories", b"Subject: Two stories\r\n", id="plain"),
        pytest.param("x" * 60 + " and so on", b"Subject: " + b"x" * 60 + b" and so\r\n on\r\n", id="folded at 76"),
        pytest.param("Müll", b"Subject: =?utf-8?b?TcO8bGw=?=\r\n", id="encoded"),
    ],
)
def test_how_a_subject_is_written(subject, written):
    assert headers.unstructured("Subject", subject) == written


@examples
@given(value=ONE_LINE)
def test_each_encoded_word_is_whole_and_short(value):
    """RFC 2047 sections 2 and 5: at most 75 characters, and each decodes by itself."""
    found = re.findall(r"=\?utf-8\?b\?\S+", headers.mailbox("To", f"{value}é", "ann@example.org").decode("ascii"))
    assert [word for word in found if len(word) > 75 or not re.fullmatch(r"\S{10}[A-Za-z0-9+/]+=*\?=", word)] == []
    assert "".join(words(word) for word in found) == f"{value}é"


@pytest.mark.parametrize(
    ("address", "ascii_address"),
    [
        pytest.param("ann@example.org", "ann@example.org", id="ASCII stays"),
        pytest.param("Ann+News@Example.org", "Ann+News@Example.org", id="letter case stays"),
        pytest.param("juergen@bücher.example.org", "juergen@xn--bcher-kva.example.org", id="domain as A-label"),
        pytest.param("jürgen@example.org", "jürgen@example.org", id="local part stays: only SMTPUTF8 carries it"),
        pytest.param("jürgen@bücher.example.org", "jürgen@xn--bcher-kva.example.org", id="each as it can"),
    ],
)
def test_the_ascii_form_of_an_address(address, ascii_address):
    """Standards I1 and I2; RFC 2047 section 5 forbids an encoded-word in an address."""
    assert headers.ascii_address(address) == ascii_address


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("newsletter@example.org", ("", "newsletter@example.org")),
        ("Enterprises <newsletter@example.org>", ("Enterprises", "newsletter@example.org")),
        ('"Example, Ltd." <a@example.org>', ("Example, Ltd.", "a@example.org")),
        ("Büro <a@bücher.example.org>", ("Büro", "a@xn--bcher-kva.example.org")),
        ("", ("", "")),
    ],
)
def test_the_parts_of_a_configured_mailbox(value, parts):
    assert headers.parts_of(value) == parts


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("help@example.org", "mailto:help@example.org?subject=a%20%26%20b"),
        ("a+b@example.org", "mailto:a+b@example.org?subject=a%20%26%20b"),
        ("a?b&c%d@example.org", "mailto:a%3Fb%26c%25d@example.org?subject=a%20%26%20b"),
        ("jürgen@example.org", "mailto:j%C3%BCrgen@example.org?subject=a%20%26%20b"),
    ],
)
def test_a_mailto_holds_any_address(address, uri):
    """RFC 6068 section 2, items 1 and 5: these stand in local parts, but mean something else in a URI."""
    assert headers.mailto(address, "a & b") == uri


def test_several_addresses_stand_on_lines_of_their_own():
    """RFC 2369 section 2; RFC 8058 section 3.1."""
    header = headers.uris("List-Unsubscribe", "https://example.org/u/x", "mailto:leave@example.org?subject=x")
    assert header == (
        b"List-Unsubscribe: <https://example.org/u/x>,\r\n <mailto:leave@example.org?subject=x>\r\n"
    )  # fmt: skip
