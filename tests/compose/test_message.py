"""The MIME message: its headers and its structure."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from received import field, fields, mailbox, parse, structure, wire_faults
from samples import ANN, CONFIG, DATE, ISSUE, MARKS, TOKENS, filled, personaliser, settings

from mailer.compose.message import compile_message
from mailer.models import Issue, Picture

HEADERS = [
    ("To", "Ann Example <ann@example.org>"),
    ("Date", DATE),
    ("Message-ID", personaliser().message_id(ANN)),
    (
        "List-Unsubscribe",
        f"<https://newsletter.example.org/u/{TOKENS.sign('unsubscribe', 42)}>,"
        f" <mailto:unsubscribe@example.org?subject={TOKENS.sign('unsubscribe', 42)}>",
    ),
    ("From", "Enterprises <newsletter@example.org>"),
    ("Reply-To", "<enterprises@example.org>"),
    ("Subject", "Decent work at the Games"),
    ("List-Id", "Enterprises Newsletter <enterprises.example.org>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("List-Help", "<mailto:enterprises@example.org?subject=help>"),
    ("List-Owner", "<mailto:enterprises@example.org>"),
    ("List-Archive", "<https://newsletter.example.org/>"),
    ("List-Post", "NO"),
    ("Feedback-ID", "2018-12:issue:newsletter:enterprisesexam"),
    ("MIME-Version", "1.0"),
]


# --- headers ----------------------------------------------------------------------------------------------


def test_the_headers_are_these_and_no_others():
    """Standards F3, F5, F6, U1, U2, U16, U17, B10; B12: neither Auto-Submitted nor Precedence."""
    assert [each for each in fields(filled()) if each[0] != "Content-Type"] == HEADERS


def test_one_click_is_spelled_exactly_so_on_a_line_of_its_own():
    """RFC 8058 section 3.1."""
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in filled()


def test_without_reply_to_there_is_none_and_help_comes_from_the_sender():
    template = compile_message(ISSUE, "<p>x</p>", "x", settings(reply_to=""), MARKS)
    found = dict(fields(filled(template=template)))
    assert "Reply-To" not in found
    assert found["List-Help"] == "<mailto:newsletter@example.org?subject=help>"


@pytest.mark.parametrize(
    ("list_id", "sender_id"),
    [("a.b", "ab000"), ("News.Example.ORG", "newsexampleorg"), ("a-very-long-name.of-a-list.example.org", None)],
)
def test_the_feedback_id_has_four_fields_and_a_sender_of_5_to_15(list_id, sender_id):
    """Standards B10."""
    template = compile_message(ISSUE, "<p>x</p>", "x", settings(list_id=list_id), MARKS)
    *others, found = field(filled(template=template), "Feedback-ID").split(":")
    assert others == ["2018-12", "issue", "newsletter"]
    assert found == (sender_id or "averylongnameof")
    assert re.fullmatch(r"[a-z0-9]{5,15}", found)


def test_a_test_mail_has_its_own_subject():
    template = compile_message(ISSUE, "<p>x</p>", "x", CONFIG, MARKS, subject="[Test] Décembre")
    assert parse(filled(template=template))["Subject"] == "[Test] Décembre"


@pytest.mark.parametrize(
    ("email", "utf8", "to"),
    [
        pytest.param("ann@example.org", True, "ann@example.org", id="ASCII"),
        pytest.param("juergen@bücher.example.org", False, "juergen@xn--bcher-kva.example.org", id="domain as A-label"),
        pytest.param("jürgen@example.org", True, "jürgen@example.org", id="local part in Unicode"),
        pytest.param("jürgen@bücher.example.org", True, "jürgen@bücher.example.org", id="both in Unicode"),
    ],
)
def test_an_international_address_is_never_encoded(email, utf8, to):
    """Standards finding 3, I1, I2: raw UTF-8 with SMTPUTF8 (RFC 6532), an A-label without, never an encoded-word."""
    message = filled(replace(ANN, email=email, name="Jürgen"), utf8=utf8)
    assert mailbox(field(message, "To")) == ("Jürgen", to)
    assert field(message, "To").isascii() == to.isascii()
    assert wire_faults(message) == []


# --- structure --------------------------------------------------------------------------------------------


def test_text_comes_first_and_html_last():
    """RFC 2046 section 5.1.4; charset and encoding by standards F11."""
    message = parse(filled())
    assert structure(message) == ("multipart/alternative", ["text/plain", "text/html"])
    for part in message.iter_parts():
        assert part.items() == [
            ("Content-Type", f'{part.get_content_type()}; charset="utf-8"'),
            ("Content-Transfer-Encoding", "quoted-printable"),
        ]


def with_pictures(folder: Path, *names: str) -> Issue:
    pictures = []
    for name in names:
        form = {".png": "PNG", ".jpeg": "JPEG", ".gif": "GIF"}[(folder / name).suffix]
        Image.new("RGB", (60, 40), (len(pictures), 0, 0)).save(folder / name, form)
        pictures.append(Picture(folder / name, f"cid:{len(pictures)}@2018-12", "A picture", 60, 40, name))
    return replace(ISSUE, pictures=tuple(pictures))


def test_embedded_pictures_are_related_to_the_html_and_found_by_their_content_id(tmp_path):
    """RFC 2387, RFC 2392; standards F13. A picture of a story this edition does not show stays away."""
    issue = with_pictures(tmp_path, "one.png", 'two Ö ".jpeg', "unused.gif")
    html = '<img src="cid:0@2018-12"><img src="cid:1@2018-12"><img src="cid:1@2018-12">'
    message = filled(template=compile_message(issue, html, "A picture", CONFIG, MARKS))
    related = ("multipart/related", ["text/html", "image/png", "image/jpeg"])
    assert structure(parse(message)) == ("multipart/alternative", ["text/plain", related])
    pictures = [part for part in parse(message).walk() if part.get_content_maintype() == "image"]
    assert [part["Content-ID"] for part in pictures] == ["<0@2018-12>", "<1@2018-12>"]
    assert [part.get_content() for part in pictures] == [each.path.read_bytes() for each in issue.pictures[:2]]
    assert [part.get_content_disposition() for part in pictures] == ["inline", "inline"]
    assert [part.get_filename() for part in pictures] == ["one.png", "two-.jpeg"]
    (html_part,) = (part for part in parse(message).walk() if part.get_content_type() == "multipart/related")
    assert html_part.get_param("type") == "text/html"
    assert wire_faults(message) == []


def test_linked_pictures_are_not_attached(tmp_path):
    linked = tuple(replace(each, url="https://example.org/a.png") for each in with_pictures(tmp_path, "a.png").pictures)
    html = '<img src="https://example.org/a.png">'
    template = compile_message(replace(ISSUE, pictures=linked), html, "x", CONFIG, MARKS)
    assert structure(parse(filled(template=template))) == ("multipart/alternative", ["text/plain", "text/html"])
