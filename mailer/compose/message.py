"""An edition -> MIME with slots; and the slots filled for one subscriber.

    multipart/alternative
     |- text/plain
     `- text/html, or multipart/related when pictures are embedded
         |- text/html
         `- image/png, image/jpeg ...

    template = compile_message(issue, html, text, config, marks)      once per edition
    template.fill(personal, date)                                     bytes, once per person

Filling parses nothing and scans no body: constant runs are quoted-printable already, with a soft line break on both
sides of each slot, so that a value is encoded by itself. No line begins with a dot, so the bytes are what DATA
carries and what a reader's program stores, alike (RFC 5321 section 4.5.2 has nothing to stuff).
"""

from __future__ import annotations

import binascii
import hashlib
import html as htmllib
import re
from base64 import encodebytes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from mailer.compose import headers
from mailer.compose.marks import Marks
from mailer.compose.personal import Personal
from mailer.models import Issue, Picture
from mailer.settings import Config

_LEADING_DOTS = re.compile(rb"(?m)^\.+")
# A line of 76 and more that ends without a soft break: where to break it, never inside an escape.
_OVERLONG = re.compile(rb"(?m)^(.{70,72}(?<!=)(?<!=.))(.{3,7}[^=\n])$")
_OPEN_URL = re.compile(r"\b(?:href|src)\s*=\s*(\"[^\"]+|'[^']+)$", re.IGNORECASE)

# How a value is written where it stands.
_Escape = Callable[[str], str]


def _as_text(value: str) -> str:
    return value


def _as_html(value: str) -> str:
    return htmllib.escape(value, quote=True)


def _as_url(value: str) -> str:
    return quote(value, safe="", errors="replace")


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A message with everything in it but one person's values."""

    constant_headers: bytes
    runs: tuple[bytes, ...]  # always one more than slots
    slots: tuple[int, ...]  # indexes into values
    values: tuple[tuple[str, _Escape], ...]  # distinct slots, each with how it is escaped

    def fill(self, personal: Personal, date: str, utf8: bool = False) -> bytes:
        """The whole message, CRLF line ends, ready for DATA. `date` is an RFC 5322 date-time.

        With `utf8` the address keeps its Unicode form (RFC 6532), for a relay that offers SMTPUTF8.
        """
        encoded: dict[str, bytes] = {}  # most values are alike in text and in HTML
        filled = []
        for name, escape in self.values:
            value = escape(getattr(personal, name))
            if value not in encoded:
                encoded[value] = qp(value)
            filled.append(encoded[value])
        pieces = [personal.headers(date, utf8), self.constant_headers, self.runs[0]]
        for slot, run in zip(self.slots, self.runs[1:], strict=True):
            pieces += (filled[slot], run)
        return b"".join(pieces)


def compile_message(
    issue: Issue,
    html: str,
    text: str,
    config: Config,
    marks: Marks,
    subject: str = "",
    carried: Mapping[str, bytes] | None = None,
) -> MessageTemplate:
    """Encode an edition once. `html` and `text` are cut pages with their slots still in them.

    `carried` has the embedded pictures by their published names; without it they are read from their files.
    """
    boundary = "=_" + hashlib.sha256(f"{html}\0{text}".encode()).hexdigest()[:24]
    embedded = [picture for picture in issue.pictures if picture.content_id and f"cid:{picture.content_id}" in html]
    body: list[tuple[str, str] | bytes] = [_part_head(boundary, "text/plain"), ("text", text)]
    related = boundary + "r"
    if embedded:
        opening = f'Content-Type: multipart/related; type="text/html";\r\n boundary="{related}"\r\n\r\n'
        body.append(f"--{boundary}\r\n{opening}".encode("ascii"))
    body += [_part_head(related if embedded else boundary, "text/html"), ("html", html)]
    body += [_picture_part(related, picture, carried) for picture in embedded]
    if embedded:
        body.append(f"--{related}--\r\n".encode("ascii"))
    body.append(f"--{boundary}--\r\n".encode("ascii"))
    return _template(_constant_headers(issue, config, subject, boundary), body, marks)


def qp(text: str) -> bytes:
    """Quoted-printable (RFC 2045 section 6.7): CRLF, lines of at most 76, none beginning with a dot."""
    if len(text) <= 70 and text.isascii() and text.isprintable() and "=" not in text and text[:1] != ".":
        # A blank at the end of a line is lost on the way (rule 3); one before another is not.
        return (f"{text[:-1]}=20" if text.endswith(" ") else text).encode("ascii")
    # b2a_qp leaves a bare CR as it is, and ends soft line breaks as the first line of its input ends.
    encoded = binascii.b2a_qp(text.encode("utf-8", "replace").replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    # It makes lines of 78 where a blank ends a full one; and 76 leave no room for the soft break before a slot.
    encoded = _OVERLONG.sub(rb"\1=\n\2", encoded).replace(b"\n", b"\r\n")
    # A soft line break after each encoded dot, since the line may be full already.
    return _LEADING_DOTS.sub(lambda dots: b"=2E=\r\n" * len(dots[0]), encoded)


def fill_page(content: str, personal: Personal, marks: Marks, html: bool) -> str:
    """A cut page, HTML or text, with one person's values in its slots."""

    def value(found: re.Match[str]) -> str:
        escape = _escape_at(content, found.start()) if html else _as_text
        return escape(getattr(personal, found[1]))

    return marks.slot_pattern().sub(value, content)


def _template(constant_headers: bytes, body: list[tuple[str, str] | bytes], marks: Marks) -> MessageTemplate:
    runs: list[bytes] = [b""]
    slots: list[int] = []
    values: dict[tuple[str, _Escape], int] = {}
    for part in body:
        if isinstance(part, bytes):
            runs[-1] += part
            continue
        kind, content = part
        position = 0
        for found in marks.slot_pattern().finditer(content):
            before = content[position : found.start()]
            encoded = qp(before)
            # A soft line break before a value, unless it begins a line anyway.
            runs[-1] += encoded if not encoded or encoded.endswith(b"\r\n") else encoded + b"=\r\n"
            value = (found[1], _escape_at(content, found.start()) if kind == "html" else _as_text)
            slots.append(values.setdefault(value, len(values)))
            runs.append(b"=\r\n")  # whatever follows a value starts its own line
            position = found.end()
        runs[-1] += qp(content[position:])
        if not content.endswith("\n"):
            runs[-1] += b"\r\n"
    return MessageTemplate(constant_headers, tuple(runs), tuple(slots), tuple(values))


def _escape_at(html: str, position: int) -> _Escape:
    """In a tag's href or src behind other characters a value is part of a URL; anywhere else it is HTML."""
    tag = html.rfind("<", 0, position)
    inside = tag > html.rfind(">", 0, position)
    return _as_url if inside and _OPEN_URL.search(html[tag:position]) else _as_html


def _part_head(boundary: str, content_type: str) -> bytes:
    return (
        f"--{boundary}\r\nContent-Type: {content_type}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode("ascii")


def _picture_part(boundary: str, picture: Picture, carried: Mapping[str, bytes] | None) -> bytes:
    from mailer.compose import pictures  # Pillow takes 60 ms to import, and few newsletters embed

    content = pictures.published(picture)[1] if carried is None else carried[picture.name]
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", picture.name.rpartition("/")[2])
    head = (
        f"--{boundary}\r\nContent-Type: {pictures.content_type(content)}\r\n"
        f"Content-Transfer-Encoding: base64\r\nContent-ID: <{picture.content_id}>\r\n"
        f'Content-Disposition: inline;\r\n filename="{name}"\r\n\r\n'
    ).encode("ascii")
    return head + encodebytes(content).replace(b"\n", b"\r\n")


def _constant_headers(issue: Issue, config: Config, subject: str, boundary: str) -> bytes:
    """What is the same for everybody. Auto-Submitted and Precedence are absent on purpose (standards B12)."""
    newsletter = config.newsletter
    contact = headers.parts_of(newsletter.reply_to or newsletter.sender)[1]
    label = re.sub(r"[^a-z0-9]", "", newsletter.list_id.lower())[:15].ljust(5, "0")  # SenderId: 5 to 15 characters
    lines = [
        headers.mailbox("From", *headers.parts_of(newsletter.sender)),
        headers.unstructured("Subject", subject or issue.subject),
        headers.list_id(newsletter.name, newsletter.list_id),
        headers.plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        headers.uris("List-Help", headers.mailto(contact, "help")),
        headers.uris("List-Owner", headers.mailto(contact)),
        headers.uris("List-Archive", f"{newsletter.public_url}/"),
        headers.plain("List-Post", "NO"),
        headers.plain("Feedback-ID", f"{issue.slug}:issue:newsletter:{label}"),
        headers.plain("MIME-Version", "1.0"),
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii"),
    ]
    if newsletter.reply_to:
        lines.insert(1, headers.mailbox("Reply-To", *headers.parts_of(newsletter.reply_to)))
    return b"".join(lines)
