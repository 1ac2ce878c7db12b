"""The mails that the reader's pages send: confirm, you are subscribed already, confirm the new address, my data.

Each says who writes, why, what its link does and until when, and nothing else (standards P1, P7): no List-Id, since it
is no mail of the list, and Auto-Submitted, so that no absence notice answers it (RFC 3834 section 5).
"""

from __future__ import annotations

import hashlib
import textwrap
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from mailer.compose import headers
from mailer.compose.message import qp
from mailer.models import Letter, LetterKind
from mailer.settings import Newsletter
from mailer.web.site import Site
from mailer.web.texts import Texts

_COLUMNS = 72  # of the text part
_PATHS = {
    LetterKind.CONFIRM: "/confirm/",
    LetterKind.ALREADY: "/p/",
    LetterKind.CONFIRM_ADDRESS: "/address/",
    LetterKind.MY_DATA: "/data/",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says: its paragraphs stand before and behind the link."""

    subject: str
    before: tuple[str, ...]
    button: str
    after: tuple[str, ...]


def compose(site: Site, letter: Letter, chosen: tuple[str, ...], date: datetime) -> bytes:
    """The whole mail, CRLF line ends, ready for DATA. `chosen` are the labels of the interests that were asked for."""
    texts = site.texts_for(letter.language)
    words = words_of(site, letter.kind, texts, chosen, until(letter, texts))
    link = site.address(f"{_PATHS[letter.kind]}{letter.token}")
    text = _text(site.room.config.newsletter, words, link, texts)
    html = site.fill("letter.html", texts, words=words, url=link)
    boundary = "=_" + hashlib.sha256(f"{html}\0{text}".encode()).hexdigest()[:24]
    parts = [
        f"--{boundary}\r\nContent-Type: {kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode("ascii")
        + qp(content if content.endswith("\n") else f"{content}\n")
        for kind, content in (("text/plain", text), ("text/html", html))
    ]
    return b"".join((*_headers(site, letter, words.subject, date, boundary), *parts, f"--{boundary}--\r\n".encode()))


def words_of(site: Site, kind: LetterKind, texts: Texts, chosen: tuple[str, ...], until: str) -> Words:
    """The words of a letter, which also are what the consent journal keeps of it."""
    newsletter = site.room.config.newsletter.name
    ignore = texts("If it was not you, you need not do anything: nothing changes without this link.")
    if kind is LetterKind.CONFIRM:
        return Words(
            texts("Please confirm that you want {newsletter}", newsletter=newsletter),
            (
                texts("Somebody, probably you, asked us to send {newsletter} to this address.", newsletter=newsletter),
                texts("Topics: {topics}.", topics=texts(", ").join(chosen))
                if chosen
                else texts("Topics: all of them."),
                texts("Please confirm it with this link. It opens a page with a button."),
            ),
            texts("Confirm the subscription"),
            (
                texts("The link is good until {until}.", until=until),
                texts("If it was not you, you need not do anything: you will get no other mail, and we forget this "
                      "address."),
            ),
        )  # fmt: skip
    if kind is LetterKind.ALREADY:
        return Words(
            texts("You get {newsletter} already", newsletter=newsletter),
            (
                texts("Somebody, probably you, asked us to send {newsletter} to this address.", newsletter=newsletter),
                texts("You are subscribed already, and nothing has changed. With this link you choose your topics, "
                      "your language or another address, and leave if you want to."),
            ),
            texts("Your preferences"),
            (),
        )  # fmt: skip
    if kind is LetterKind.CONFIRM_ADDRESS:
        return Words(
            texts("Please confirm your new address for {newsletter}", newsletter=newsletter),
            (
                texts("A subscriber of {newsletter}, probably you, asked us to write to this address from now on.",
                      newsletter=newsletter),
                texts("Please confirm it with this link. It opens a page with a button."),
            ),
            texts("Confirm the new address"),
            (texts("The link is good until {until}.", until=until), ignore),
        )  # fmt: skip
    return Words(
        texts("Your data at {newsletter}", newsletter=newsletter),
        (
            texts("Somebody, probably you, asked what {newsletter} holds about this address.", newsletter=newsletter),
            texts("With this link you can download all of it, or have it erased. Do not pass it on."),
        ),
        texts("See my data"),
        (texts("The link is good until {until}.", until=until), ignore),
    )


def until(letter: Letter, texts: Texts) -> str:
    """When its link ends: a day, and for a link of an hour the time."""
    if not letter.expires_at:
        return ""
    end = datetime.fromisoformat(letter.expires_at)
    day = texts.dates.long(end.date())
    return texts("{day}, {time} UTC", day=day, time=f"{end:%H:%M}") if letter.kind is LetterKind.MY_DATA else day


def _text(newsletter: Newsletter, words: Words, link: str, texts: Texts) -> str:
    rule = "=" * min(len(newsletter.name), _COLUMNS)
    blocks = [f"{newsletter.name}\n{rule}", *map(_wrapped, words.before), f"{words.button}\n{link}"]
    blocks += [*map(_wrapped, words.after), "-" * 8]
    if newsletter.reply_to:
        address = headers.parts_of(newsletter.reply_to)[1]
        blocks.append(texts("Need help? Write to {address}.", address=address))
    return "\n\n".join([*blocks, _wrapped(f"{newsletter.name}, {newsletter.postal_address}")]) + "\n"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def _headers(site: Site, letter: Letter, subject: str, date: datetime, boundary: str) -> list[bytes]:
    newsletter = site.room.config.newsletter
    recipient = headers.ascii_address(letter.to)
    # What a stranger typed must not reach a mailbox that never asked for it.
    name = "" if letter.kind in (LetterKind.CONFIRM, LetterKind.CONFIRM_ADDRESS) else headers.one_line(letter.name)
    # The same at every attempt, so that a reader's program shows one of two (standards F5).
    number = site.room.tokens.digest("letter", letter.token)[:24]
    lines = [
        headers.mailbox("From", *headers.parts_of(newsletter.sender)),
        headers.mailbox("To", name, recipient),
        headers.unstructured("Subject", subject),
        headers.plain("Date", format_datetime(date)),
        headers.plain("Message-ID", f"<letter.{number}@{newsletter.sender_domain}>"),
        headers.plain("Auto-Submitted", "auto-generated"),
        headers.plain("MIME-Version", "1.0"),
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii"),
    ]
    if newsletter.reply_to:
        lines.insert(1, headers.mailbox("Reply-To", *headers.parts_of(newsletter.reply_to)))
    return lines
