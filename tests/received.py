"""A mail as another program reads it: the bytes on the wire, and headers through a decoder that is not ours."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import cast


def parse(message: bytes) -> EmailMessage:
    """The message through Python's parser."""
    return cast(EmailMessage, message_from_bytes(message, policy=policy.SMTP))


def fields(message: bytes) -> list[tuple[str, str]]:
    """The header fields as written, unfolded (RFC 5322 section 2.2.3)."""
    head = message.partition(b"\r\n\r\n")[0].decode("utf-8") + "\r\n"
    return re.findall(r"(?m)^([!-9;-~]+):[ ]?(.*)\r\n", re.sub(r"\r\n(?=[ \t])", "", head))


def field(message: bytes, name: str) -> str:
    """The one field of this name."""
    (value,) = (value for found, value in fields(message) if found.lower() == name.lower())
    return value


def words(value: str) -> str:
    """Text of a field with its encoded-words decoded (RFC 2047 section 6.2: no blank between neighbours)."""
    return str(make_header(decode_header(value))) if "=?" in value else value


def mailbox(value: str) -> tuple[str, str]:
    """The name and the address of `phrase <address>`.

    Written out, since Python's parser before 3.13 keeps the blank between two encoded-words of a phrase.
    """
    found = re.fullmatch(r"(?:(.+) )?<([^<>]+)>", value.strip())
    assert found, value
    phrase = found[1] or ""
    if phrase.startswith('"'):
        assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', phrase), phrase
        return re.sub(r"\\(.)", r"\1", phrase[1:-1]), found[2]
    return words(phrase), found[2]


def wire_faults(message: bytes) -> list[str]:
    """What the bytes hold that a relay might refuse, change or split (standards F1, F2, F7, F11)."""
    head, _, body = message.partition(b"\r\n\r\n")
    faults = []
    if not message.endswith(b"\r\n"):
        faults.append("does not end with CRLF")
    if re.search(rb"\r(?!\n)|(?<!\r)\n|\0", message):
        faults.append("holds a bare CR, a bare LF or NUL")
    if not body.isascii():
        faults.append("has 8-bit content")
    faults += [f"begins with a dot: {line!r}" for line in message.split(b"\r\n") if line.startswith(b".")]
    for line in head.split(b"\r\n"):
        longest = 76 if b"=?" in line else 998 if re.fullmatch(rb"\S*:? ?\S+", line) else 78  # one long word: no fold
        if len(line.decode("utf-8")) > longest or not line.strip():
            faults.append(f"a header line of {len(line)}: {line!r}")
    faults += [f"a body line of {len(line)}: {line!r}" for line in body.split(b"\r\n") if len(line) > 78]
    parts = [part for part in parse(message).walk() if not part.is_multipart()]
    for part in parts:
        lines = part.get_payload().splitlines()
        faults += [f"an encoded line of {len(line)}: {line!r}" for line in lines if len(line) > 76]
    faults += [f"{part.get_content_type()}: {defect!r}" for part in parse(message).walk() for defect in part.defects]
    return faults


def bodies(message: bytes) -> tuple[str, str]:
    """The decoded text and HTML, with line ends as in a text file."""
    parsed = parse(message)
    found = [part for part in parsed.walk() if part.get_content_maintype() == "text"]
    text, html = (part.get_content().replace("\r\n", "\n") for part in found)
    return text, html


def structure(message: EmailMessage) -> object:
    """The types of the parts: `(multipart, [parts])`, or a leaf's own."""
    if message.is_multipart():
        return message.get_content_type(), [structure(part) for part in message.iter_parts()]
    return message.get_content_type()
