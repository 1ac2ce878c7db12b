"""Header fields as bytes (RFC 5322, RFC 2047): encoded, folded, and never two lines where one was meant."""

from __future__ import annotations

import re
from base64 import b64encode
from email.utils import parseaddr
from urllib.parse import quote

from email_validator import validate_email

_LINE = 76  # RFC 2047 section 2: a line with an encoded-word holds at most 76 characters
_WORD = 75  # and an encoded-word 75
_FRAME = len("=?utf-8?b??=")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PLAIN = re.compile(r"[!-~]{1,60}( [!-~]{1,60})*")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def unstructured(name: str, value: str) -> bytes:
    """A field of free text such as Subject."""
    value = one_line(value)
    if _PLAIN.fullmatch(value) and "=?" not in value:
        return _folded(f"{name}:", value.split(" "))
    return _folded(f"{name}:", _encoded_words(value, _LINE - len(name) - 2))


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """A field with one address, such as From or To. The address goes as it is: see `ascii_address`."""
    display_name = one_line(display_name)
    return _folded(f"{name}:", [*_phrase(display_name, _LINE - len(name) - 2), f"<{address}>"])


def list_id(display_name: str, identifier: str) -> bytes:
    """List-Id (RFC 2919): a phrase and the identifier in angle brackets."""
    return mailbox("List-Id", display_name, identifier)


def mailto(address: str, subject: str | None = None) -> str:
    """A mailto: URI (RFC 6068 section 2: what an address may hold and a URI may not is percent-encoded UTF-8)."""
    uri = f"mailto:{quote(address, safe='@!$*+')}"
    return uri if subject is None else f"{uri}?subject={quote(subject, safe='')}"


def uris(name: str, *addresses: str) -> bytes:
    """A field of RFC 2369: each URI in angle brackets, one on a line, the first on the field's own."""
    listed = ",\r\n ".join(f"<{address}>" for address in addresses)
    return f"{name}: {listed}\r\n".encode("ascii")


def plain(name: str, value: str) -> bytes:
    """A field whose value is ASCII by construction."""
    return f"{name}: {value}\r\n".encode("ascii")


def parts_of(value: str) -> tuple[str, str]:
    """`Name <a@b>` -> the name, and the address with its domain as an A-label (RFC 5890)."""
    name, address = parseaddr(value)
    return name, ascii_address(address)


def ascii_address(address: str) -> str:
    """The address as SMTP without SMTPUTF8 takes it: Unicode domains as A-labels.

    A local part beyond ASCII stays as it is; RFC 2047 forbids an encoded-word there, so only SMTPUTF8 carries it.
    """
    if address.isascii():
        return address
    checked = validate_email(address, check_deliverability=False, test_environment=True)
    return checked.ascii_email or f"{checked.local_part}@{checked.ascii_domain}"


def one_line(value: str) -> str:
    """Without line breaks and control characters: nothing can begin a header of its own (standards F9)."""
    return _BREAKS.sub(" ", value).strip()


def _phrase(text: str, room: int) -> list[str]:
    if not text:
        return []
    if text.isascii() and "=?" not in text:
        written = text if _ATOMS.fullmatch(text) else '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
        if len(written) <= room:
            return [written]
    return _encoded_words(text, room)


def _encoded_words(text: str, room: int) -> list[str]:
    """Base64 encoded-words, split between characters; the first fits into `room`, the others on their lines."""
    if not text:
        return []  # an encoded-word holds at least one character
    words, chunk = [], b""
    limit = (min(room, _WORD) - _FRAME) // 4 * 3
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(chunk) + len(encoded) > limit:
            words.append(chunk)
            chunk, limit = b"", (_WORD - 1 - _FRAME) // 4 * 3
        chunk += encoded
    words.append(chunk)
    return [f"=?utf-8?b?{b64encode(word).decode('ascii')}?=" for word in words]


def _folded(start: str, words: list[str]) -> bytes:
    """Words separated by blanks, on lines of at most 76 characters where blanks allow it."""
    lines = [start]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > _LINE and lines[-1] != start:
            lines.append("")
        lines[-1] += f" {word}"
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")
