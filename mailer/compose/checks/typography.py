"""Small signs: dashes, quotation marks, stops and blanks, the same throughout an issue. Notes, all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import OBJECT, Kind, Passage
from mailer.compose.checks.rules import Rule, rule
from mailer.models import Finding, Severity

# By purpose: the ways it is written.
_DASHES: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "between words": {
        "-": re.compile(r"(?<=[^\W\d_]) - (?=[^\W\d_])"),
        "–": re.compile(r"(?<=\w) – (?=\w)"),
        "—": re.compile(r"(?<=\w) ?— ?(?=\w)"),
    },
    "between numbers": {
        "-": re.compile(r"(?<![\w./-])(\d{1,4})-(?!0)(\d{1,4})(?![\w/-])"),
        "–": re.compile(r"(?<=\d)–(?=\d)"),
    },
}
_QUOTES: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "quotation marks": {"straight": re.compile(r'(?<!\d)"'), "curly": re.compile("[“”]")},
    "apostrophes": {"straight": re.compile(r"(?<=[^\W\d_])'"), "curly": re.compile(r"(?<=[^\W\d_])’")},
}
_ENDS = ".!?…؟:;。۔"
_CLOSING = ' \n”’»")]' + OBJECT
_FEW = 5  # words; a shorter last paragraph is a line such as “Geneva, 24 June 2019”
_DOUBLED = re.compile(r"(?<![./\\])\.\.(?![./\\])|(?<!,),,(?!,)|\.\s\.(?!\w|\s?\.)")
_BLANKS = re.compile(r"(?<=\S)[ \t]{2,}(?=\S)")
_BEFORE = re.compile(r"(?<=\w)[ \t\u00a0\u202f]+([,.;:!?،؛؟])(?=\s|$)")
_BEFORE_FRENCH = re.compile(r"(?<=\w)[ \t\u00a0\u202f]+([,.])(?=\s|$)")

DASHES = rule("MLR143", Severity.NOTE, "different dashes for one purpose", "the issue looks patched together")
QUOTES = rule("MLR144", Severity.NOTE, "straight and curly marks side by side", "the issue looks patched together")
NO_STOP = rule(
    "MLR145", Severity.NOTE, "a story without a full stop at its end", "readers wonder whether the end was lost"
)  # fmt: skip
DOUBLED = rule("MLR146", Severity.NOTE, "a doubled stop or comma", "readers stumble over it")
BLANKS = rule("MLR147", Severity.NOTE, "two blanks in a row", "the text part shows the gap")
BEFORE = rule(
    "MLR148", Severity.NOTE, "a blank before a punctuation mark", "wrapped, a line may begin with the mark"
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """The signs of the whole issue, then those of each passage."""
    yield from _mixed(material, _DASHES, DASHES, "dashes {} stand both as {} and as {}", "use {} throughout")
    yield from _mixed(material, _QUOTES, QUOTES, "{} are both {} and {}", "use the {} ones throughout")
    yield from _ends(material)
    for passage in material.passages:
        french = passage.language.startswith("fr")
        what = "“{}” in “{}”"
        yield from _each(material, passage, DOUBLED, _DOUBLED, what, "keep one, or write … for an omission")
        yield from _each(material, passage, BLANKS, _BLANKS, "two blanks in “{1}”", "keep one")
        before = _BEFORE_FRENCH if french else _BEFORE
        yield from _each(material, passage, BEFORE, before, "a blank before the mark in “{1}”", "take the blank out")


def _mixed(
    material: Material, purposes: Mapping[str, Mapping[str, re.Pattern[str]]], rule: Rule, text: str, fix: str
) -> Iterator[Finding]:
    """One finding a purpose, at the first place of the form that is rarest."""
    passages = [passage for passage in material.passages if passage.language == material.issue.language]
    for purpose, forms in purposes.items():
        places = {
            form: [place for one in passages for place in _places(one, pattern)] for form, pattern in forms.items()
        }
        used = sorted((form for form in places if places[form]), key=lambda form: len(places[form]))
        if len(used) > 1:
            passage, position = places[used[0]][0]
            told = text.format(purpose, used[-1], used[0])
            yield material.finding(rule, told, fix.format(used[-1]), passage.line_at(position), passage.story)


def _places(passage: Passage, pattern: re.Pattern[str]) -> Iterator[tuple[Passage, int]]:
    for found in pattern.finditer(passage.prose):
        if not found.groups() or int(found[1]) < int(found[2]):  # a range rises
            yield passage, found.start()


def _ends(material: Material) -> Iterator[Finding]:
    for story in material.issue.stories:
        own = [passage for passage in material.passages if passage.story is story]
        last = next((passage for passage in reversed(own) if passage.kind not in (Kind.LINE, Kind.ALT)), None)
        if not last or last.kind is not Kind.PROSE or last.ends_in_link or len(last.text.split()) < _FEW:
            continue
        end = last.prose.rstrip(_CLOSING)
        if end and end[-1] not in _ENDS and not last.prose.rstrip().endswith(OBJECT):
            text = f"the story ends with “{' '.join(last.text.split()[-4:])}”, without a full stop"
            yield material.finding(NO_STOP, text, "add it, or the words that were lost", last.line_at(len(end)), story)


def _each(
    material: Material, passage: Passage, rule: Rule, pattern: re.Pattern[str], what: str, fix: str
) -> Iterator[Finding]:
    if found := pattern.search(passage.prose):
        start, end = max(0, found.start() - 15), found.end() + 10
        text = what.format(found[0], passage.text[start:end].strip().replace("\n", " "))
        yield material.finding(rule, text, fix, passage.line_at(found.end() - 1), passage.story)
