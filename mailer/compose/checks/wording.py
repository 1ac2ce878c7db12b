"""Words that stay behind: placeholders, doubled words, brackets and quotation marks without their partner."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.compose.checks import passages
from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import Passage
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

_MARKS = re.compile(
    r"\b(?:TODO|FIXME|TKTK|XXXX+)\b|\bXXX\b(?!e?\s+[A-Z])|\b(?:TBC|TBD|tbc|tbd)\b|lorem ipsum|dolor sit amet"
    r"|\{\{|\}\}|\{%|%\}|\[\[|\]\]|%%|<insert\b|\[(?:insert|your|link|title|name|date)\b[^\]]*\]",
)
# “Todo” is a word of Spanish, shouted at times; as a placeholder it stands before a colon, or alone.
_SPANISH = re.compile(_MARKS.pattern.replace("TODO", "TODO(?=:|\\Z)"))

_UNREAD = {  # Markdown ends an address at a blank
    "because of a blank in its address": (
        re.compile(r"!?\[[^\[\]]*\]\((?:<[^>]*|[^()\s]+[^\S\n][^()]*)\)"),
        "take the blanks out of the address between the round brackets, and out of the file's name",
    ),
    "because of the blank between its brackets": (
        re.compile(r"!?\[[^\[\]]+\]\s+\((?:https?://|www\.|mailto:|images/)[^()\s]*\)"),
        "take that blank out",
    ),
    "because its brackets are the wrong way round": (
        re.compile(r"!?\([^()]+\)\[(?:https?://|www\.|mailto:|images/)[^\[\]\s]*\]"),
        "write [words](address)",
    ),
}

_DOUBLED = re.compile(r"(?<![\w’'-])([^\W\d_]+)\s+(\1)(?![\w’'-])", re.IGNORECASE)
_RIGHTLY = {
    "en": {"had", "that", "very", "so", "no", "long", "many", "much", "never"},
    "fr": {"nous", "vous", "très"},
    "es": {"muy", "no", "casi", "poco"},
    "ar": {"رويدا", "رويدًا", "صفا", "صفًا", "شيئا", "جدا", "جدًا"},
}

_PAIRS = {"(": ")", "[": "]", "{": "}", "«": "»", "“": "”"}
_OWN_QUOTES = {"en", "fr", "es", "ar"}  # German closes with “ and Swedish opens with ”
_ENUMERATION = re.compile(r"(?<![\w(])(?:\d{1,2}|[a-z]|[ivx]{1,4})\)$|[:;]-?\)$")  # “2) the model”, and faces
_INCH = re.compile(r'(?<=\d)"')

LEFT = rule("MLR140", Severity.WARNING, "a placeholder was left in", "it would be mailed as it is")
DOUBLED = rule(
    "MLR141", Severity.WARNING, "a word stands twice", "readers stumble over it, and take the rest for careless"
)
ALONE = rule(
    "MLR142", Severity.WARNING, "a bracket or quotation mark without its partner",
    "readers can't tell where the aside, or somebody else's words, end",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Each passage for itself."""
    for passage in material.passages:
        yield from _placeholders(material, passage)
        yield from _unread(material, passage)
        yield from _doubled(material, passage)
        yield from _alone(material, passage)


def _placeholders(material: Material, passage: Passage) -> Iterator[Finding]:
    marks = _SPANISH if passage.language.startswith("es") else _MARKS
    for found in marks.finditer(passage.text):
        text = f"“{found[0]}” looks like a placeholder"
        yield material.finding(
            LEFT, text, "write what belongs there, or take it out", passage.line_at(found.start()), passage.story
        )
        return  # {{ name }} is one placeholder


def _unread(material: Material, passage: Passage) -> Iterator[Finding]:
    for why, (pattern, fix) in _UNREAD.items():
        for found in pattern.finditer(passage.text):
            written = " ".join(found[0].split())
            text = f"“{written}” is no {'picture' if written[0] == '!' else 'link'}, {why}"
            yield material.finding(LEFT, text, fix, passage.line_at(found.start()), passage.story)


def _doubled(material: Material, passage: Passage) -> Iterator[Finding]:
    rightly = _RIGHTLY.get(passage.language.partition("-")[0], set())
    for found in _DOUBLED.finditer(passage.prose):
        word = found[1].casefold()
        if word in rightly or found[2][0].isupper():  # Bora Bora; a sentence that begins with the word before
            continue
        text = f"“{' '.join(found[0].split())}”: the word stands twice"
        yield material.finding(DOUBLED, text, "take one of them out", passage.line_at(found.start(2)), passage.story)


def _alone(material: Material, passage: Passage) -> Iterator[Finding]:
    if fault := _first_alone(material, passage):
        position, sign = fault
        text = f"{sign} has no partner in “{_around(passage.text, position)}”"
        fix = "add its partner, or take it out"
        yield material.finding(ALONE, text, fix, passage.line_at(position), passage.story)


def _first_alone(material: Material, passage: Passage) -> tuple[int, str] | None:
    text = passage.text  # what is told by another name goes first: an address takes the bracket behind it along
    for told in (*(pattern for pattern, _ in _UNREAD.values()), _MARKS):
        text = told.sub(lambda found: " " * len(found[0]), text)
    text = passages.without_addresses(text)
    language = passage.language.partition("-")[0]
    pairs = _PAIRS if language in _OWN_QUOTES else {"(": ")", "[": "]", "{": "}"}
    opened: list[tuple[int, str]] = []
    for position, sign in enumerate(text):
        if sign in pairs:
            opened.append((position, sign))
        elif sign in pairs.values():
            if not opened or pairs[opened[-1][1]] != sign:
                if _ENUMERATION.search(text[: position + 1]):
                    continue
                return opened[-1] if opened else (position, sign)
            opened.pop()
    if opened and not (opened[-1][1] in "“«" and _goes_on(material, passage, opened[-1][1])):
        return opened[-1]
    if text.count('"') % 2 and not _INCH.search(text):
        return text.rindex('"'), '"'
    if language == "es":
        for first, last in ("¿?", "¡!"):
            if text.count(first) != text.count(last) and (first in text or text.count(last) == 1):
                sign = last if text.count(first) < text.count(last) else first
                return text.index(sign), sign
    return None


def _goes_on(material: Material, passage: Passage, sign: str) -> bool:
    """A quotation of several paragraphs opens each of them, and closes only the last."""
    following = material.passages[material.passages.index(passage) + 1 :]
    return bool(following) and following[0].story is passage.story and following[0].text.startswith(sign)


def _around(text: str, position: int) -> str:
    start = max(0, position - 20)
    return " ".join(text[start : position + 20].split())
