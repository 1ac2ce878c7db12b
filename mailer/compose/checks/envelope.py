"""What stands in the inbox before a mail is opened: sender, subject, preheader."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher

from mailer.compose import headers
from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

_LONGEST_SUBJECT = 60  # characters; telephones show some 40, wide screens 60 to 70
_PREHEADER = (40, 110)  # characters: shorter ones pull in words of the page, of longer ones the end is never seen
_ALIKE = 0.8  # of difflib's ratio
_REPLY = re.compile(r"^(?:re|fwd?|aw|rv|tr|رد)\s*:", re.IGNORECASE)

NO_SUBJECT = rule(
    "MLR130", Severity.WARNING, "no subject",
    "the newsletter's title stands in its place, the same each time, and nobody learns what is new",
)  # fmt: skip
LONG = rule(
    "MLR131", Severity.WARNING, "a subject over 60 characters", "the inbox cuts it off there, on telephones at 40"
)
LOUD = rule(
    "MLR132", Severity.WARNING, "a subject in capitals, with a false Re:, or with several exclamation marks",
    "spam looks like that, to readers and to filters",
)  # fmt: skip
NO_PREHEADER = rule(
    "MLR133", Severity.WARNING, "no preheader",
    "mail programs show beside the subject whatever comes first, such as a link",
)  # fmt: skip
LENGTH = rule(
    "MLR134", Severity.WARNING, "a preheader that is too short or too long",
    "words of the page fill the room that a short one leaves; the end of a long one is never seen",
)  # fmt: skip
REPEATS = rule(
    "MLR135", Severity.WARNING, "a preheader that repeats the subject", "the second line of the inbox is wasted"
)  # fmt: skip
SENDER = rule(
    "MLR136", Severity.WARNING, "a sender's name with emoji, capitals or Re:",
    "Gmail's rules for senders forbid it, and filters hold it against every mail",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Subject, preheader, and the name of the sender."""
    yield from _subject(material)
    yield from _preheader(material)
    name = headers.parts_of(material.composition.config.newsletter.sender)[0]
    if fault := _loud(name) or ("an emoji" if any(_is_emoji(sign) for sign in name) else ""):
        fix = "write the institution's plain name in sender, under [newsletter]"
        yield material.finding(SENDER, f"the sender's name “{name}” has {fault}", fix, path="mailer.toml")


def _subject(material: Material) -> Iterator[Finding]:
    issue, line = material.issue, material.key_line("subject")
    if not line or not re.search(r":\s*\S", material.source[line - 1].replace('""', "").replace("''", "")):
        fix = "add a line subject: that says in 60 characters what is in it"
        yield material.finding(NO_SUBJECT, "there is no subject", fix, line)
        return
    if len(issue.subject) > _LONGEST_SUBJECT:
        text = f"the subject has {len(issue.subject)} characters, more than {_LONGEST_SUBJECT}"
        yield material.finding(LONG, text, "say the most important thing first, and cut the rest", line)
    if fault := _loud(issue.subject):
        yield material.finding(LOUD, f"the subject has {fault}", "write it as a plain sentence", line)


def _preheader(material: Material) -> Iterator[Finding]:
    issue, line = material.issue, material.key_line("preheader")
    low, high = _PREHEADER
    if not issue.preheader:
        fix = f"add a line preheader: of {low} to {high} characters that goes on where the subject ends"
        yield material.finding(NO_PREHEADER, "there is no preheader", fix, line)
    elif _repeats(issue.preheader, issue.subject):
        text = "the preheader says what the subject says"
        yield material.finding(REPEATS, text, "write what else is in the issue", line)
    elif not low <= len(issue.preheader) <= high:
        text = f"the preheader has {len(issue.preheader)} characters"
        yield material.finding(LENGTH, text, f"make it {low} to {high} characters long", line)


def _loud(text: str) -> str:
    letters = [sign for sign in text if sign.isalpha()]
    if _REPLY.match(text):
        return f"“{text.split(':')[0]}:” though it answers nobody"
    if len(letters) > 8 and len(text.split()) > 1 and text.isupper():
        return "capitals only"
    return "several exclamation marks" if text.count("!") > 1 else ""


def _is_emoji(sign: str) -> bool:
    """Symbols from ⌚ on; below are ™, ℠ and the like."""
    return ord(sign) >= 0x231A and unicodedata.category(sign) in ("So", "Sk")


def _repeats(preheader: str, subject: str) -> bool:
    one, other = (" ".join(re.findall(r"\w+", text.casefold())) for text in (preheader, subject))
    return (
        one in other or (bool(other) and one.startswith(other)) or SequenceMatcher(None, one, other).ratio() >= _ALIKE
    )
