"""The message on the wire: it decodes to what was given, and no relay has a reason to change it."""

from __future__ import annotations

import asyncio
import quopri
import re
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from urllib.parse import quote

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP as Server
from hypothesis import example, given, settings
from hypothesis import strategies as st
from received import field, mailbox, parse, structure, wire_faults
from samples import ANN, CONFIG, DATE, ISSUE, MARKS, SLOT, filled, html_page, personaliser, text_page

from mailer.compose.message import compile_message, qp
from mailer.compose.personal import Personal

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
# Python's builder decodes what looks like an encoded-word in the subject it is given; test_headers.py has those.
SUBJECT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=200)
SUBJECT = SUBJECT.map(str.strip).filter(lambda subject: subject and "=?" not in subject)
LINES = st.lists(st.sampled_from([".", "..", " ", "\t", "=", "\n", "\r\n", "a", "é", "😀", "word ", "x" * 75]))


def lines_alike(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@settings(max_examples=500)
@given(text=TEXT | LINES.map("".join))
@example(text=" " * 70)
@example(text="." * 300)
@example(text="a\rb\r\nc\nd\n\r")
@example(text="x" * 75 + ".")
@example(text="x" * 75 + " \n")
@example(text="From x\n.\n..\n \n\t\n")
@example(text="\0\x0b\x0c\x1b\x85\u2028")
def test_quoted_printable_decodes_to_what_was_given_on_short_lines(text):
    """RFC 2045 section 6.7; quopri is a decoder of its own, and a line without a leading dot needs no stuffing."""
    encoded = qp(text)
    assert lines_alike(quopri.decodestring(encoded).decode("utf-8")) == lines_alike(text)
    assert re.search(rb"\r(?!\n)|(?<!\r)\n|[^\t\r\n -~]|[ \t](\r\n|$)", encoded) is None
    assert [line for line in encoded.split(b"\r\n") if len(line) > 76 or line.startswith(b".")] == []
    assert len(encoded.rpartition(b"\n")[2]) <= 75  # room for the soft line break before a slot


def reference(personal: Personal, subject: str, text: str, html: str) -> EmailMessage:
    """The same message by Python's own builder."""
    message = EmailMessage(policy=SMTP)
    message["To"] = Address(personal.full_name, addr_spec=personal.email)
    message["Date"] = DATE
    message["Message-ID"] = personal.message_id
    message["List-Unsubscribe"] = f"<{personal.unsubscribe_url}>, <{personal.unsubscribe_mailto}>"
    message["From"] = Address("Enterprises", addr_spec="newsletter@example.org")
    message["Reply-To"] = Address(addr_spec="enterprises@example.org")
    message["Subject"] = subject
    message["List-Id"] = "Enterprises Newsletter <enterprises.example.org>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["List-Help"] = "<mailto:enterprises@example.org?subject=help>"
    message["List-Owner"] = "<mailto:enterprises@example.org>"
    message["List-Archive"] = "<https://newsletter.example.org/>"
    message["List-Post"] = "NO"
    message["Feedback-ID"] = "2018-12:issue:newsletter:enterprisesexam"
    message["MIME-Version"] = "1.0"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def summary(message: EmailMessage) -> object:
    """Structure, and what each part says; a builder may end a part with a line end or without."""
    parts = [part for part in message.walk() if not part.is_multipart()]
    return structure(message), [
        (part.get_content_charset(), part["Content-Transfer-Encoding"], lines_alike(part.get_content()).rstrip("\n"))
        for part in parts
    ]


def addresses(message: EmailMessage) -> list[tuple[str, str]]:
    return [(each.display_name, each.addr_spec) for name in ("From", "Reply-To") for each in message[name].addresses]


@given(name=TEXT, subject=SUBJECT, author=TEXT)
@example(name="", subject="x", author="")
@example(name="Ann", subject="Ça va, Ann?", author="\n.\n..\n=\n ")
@example(name="x" * 500, subject="x" * 500, author="y" * 2_000)
def test_a_filled_message_equals_one_built_by_the_standard_library(name, subject, author):
    template = compile_message(
        ISSUE,
        escape(author) + html_page(SLOT["name"], SLOT["name"], SLOT["web_url"]),
        author + text_page(SLOT["name"], SLOT["web_url"]),
        CONFIG,
        MARKS,
        subject,
    )
    personal = personaliser().personal(replace(ANN, name=name))
    message = template.fill(personal, DATE)
    greeted, web = personal.name, personal.web_url
    expected = reference(
        personal,
        subject,
        author + text_page(greeted, web),
        escape(author) + html_page(escape(greeted), quote(greeted, safe=""), web),
    )
    parsed = parse(message)
    assert [header for header in parsed if header != "Content-Type"] == [h for h in expected if h != "Content-Type"]
    others = [header for header in parsed if header not in ("Content-Type", "To", "From", "Reply-To")]
    assert [str(parsed[header]) for header in others] == [str(expected[header]) for header in others]
    assert addresses(parsed) == addresses(expected)
    assert mailbox(field(message, "To")) == (expected["To"].addresses[0].display_name, "ann@example.org")
    assert summary(parsed) == summary(parse(expected.as_bytes()))
    assert wire_faults(message) == []


@given(name=st.text(max_size=60), author=st.text(max_size=60))
def test_no_text_at_all_spoils_the_bytes(name, author):
    template = compile_message(ISSUE, author + SLOT["name"], author + SLOT["name"], CONFIG, MARKS)
    assert wire_faults(filled(replace(ANN, name=name), template)) == []


def test_filling_twice_gives_the_same_bytes_and_people_share_all_but_their_values():
    """Standards F5: a retry is the same message."""
    assert filled() == filled()
    other = filled(replace(ANN, id=43, email="bob@example.org", name="Bob"))
    assert field(other, "Content-Type") == field(filled(), "Content-Type")


async def carried(message: bytes, recipient: str, *options: str) -> bytes:
    """The content as a server receives it from a client that stuffs dots and mends line ends."""
    received: list[bytes] = []

    class Sink:
        async def handle_DATA(self, server, session, envelope):  # aiosmtpd's name
            received.append(envelope.content)
            return "250 2.0.0 Ok"

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Server(Sink(), enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            await client.sendmail("newsletter@example.org", [recipient], message, mail_options=list(options))
    return received[0]


@pytest.mark.parametrize(
    ("email", "options"),
    [("ann@example.org", ()), ("jürgen@example.org", ("SMTPUTF8", "BODY=8BITMIME"))],
    ids=["ASCII", "SMTPUTF8"],
)
def test_a_real_client_and_server_change_nothing(email, options):
    """RFC 5321 section 4.5.2: our sender may skip stuffing, since there is nothing to stuff."""
    dots = ".\r\n..\n.x\n" + "." * 200 + "\n.\n"
    template = compile_message(ISSUE, dots + SLOT["name"] + dots, dots + SLOT["name"], CONFIG, MARKS)
    message = filled(replace(ANN, email=email, name=".Ann."), template, utf8=bool(options))
    assert message.replace(b"\r\n.", b"\r\n..") == message
    assert asyncio.run(carried(message, email, *options)) == message
