"""Unsubscribe mails: the `mailto:` way of List-Unsubscribe (RFC 2369 section 3.2), which carries its token as subject.

The token speaks for itself: whoever has it may leave, from whatever address they write. Never acted on, and left for a
person to look at: automatic answers, returned mail, and what carries no genuine token. Nothing is ever answered, so
that no two programs can write to each other without end (RFC 3834 section 2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser

from mailer.audience import life
from mailer.audience.mailboxes import Mailbox
from mailer.audience.registry import Registry
from mailer.models import Channel, Evidence, SubscriberState

_SUBJECT = 1000  # characters that are looked at
_TOKEN = re.compile(r"(?<![\w-])-?[0-9a-z]{1,13}[.A-Z][\w-]{16}(?![\w-])", re.ASCII)  # as tokens.py makes them
_GONE = (SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED)


@dataclass(slots=True)
class Tally:
    """What became of the mails of a mailbox. The last two were left where they are."""

    unsubscribed: int = 0
    again: int = 0  # of people who had left before, or were erased
    tests: int = 0  # of the links of test mails
    automatic: int = 0  # automatic answers and returned mail
    unknown: int = 0  # without a genuine token


def process(registry: Registry, mailbox: Mailbox, now: str) -> Tally:
    """Act on every unsubscribe mail, then put it away.

    In this order: whatever ends the process, the next run finds each mail not acted on, and those in between again,
    which changes nothing.
    """
    tally = Tally()
    for name, head in mailbox.heads():
        mail: Message = BytesHeaderParser().parsebytes(head)
        if _is_automatic(mail):
            tally.automatic += 1
        elif (found := _token(registry, mail)) is None:
            tally.unknown += 1
        else:
            number, token = found
            person = life.get(registry, number)
            life.leave(registry, number, Evidence(now, Channel.MAILTO, token=registry.tokens.name(token)))
            mailbox.done(name)
            if not number:
                tally.tests += 1
            elif person is None or person.state in _GONE:
                tally.again += 1
            else:
                tally.unsubscribed += 1
    return tally


def _is_automatic(mail: Message) -> bool:
    """Whether a program wrote it on its own account (RFC 3834 section 5, RFC 5321 section 4.5.5, RFC 6522)."""
    submitted = [re.split(r"[\s;(]", str(value).strip(), maxsplit=1)[0].lower()
                 for value in mail.get_all("Auto-Submitted", [])]  # fmt: skip
    return (
        any(value != "no" for value in submitted)
        or any(str(value).strip() == "<>" for value in mail.get_all("Return-Path", []))
        or mail.get_content_type() == "multipart/report"
    )


def _token(registry: Registry, mail: Message) -> tuple[int, str] | None:
    """The number in the first genuine token of the subject, whatever programs wrote around it, and the token."""
    for found in _TOKEN.finditer(_decoded(str(mail.get("Subject", ""))[:_SUBJECT])):
        number = registry.tokens.read("unsubscribe", found[0])
        if number is not None:
            return number, found[0]
    return None


def _decoded(subject: str) -> str:
    """Without the encoded-words of RFC 2047, where they can be read."""
    try:
        return str(make_header(decode_header(subject)))
    except (MessageError, LookupError, ValueError):
        return subject
