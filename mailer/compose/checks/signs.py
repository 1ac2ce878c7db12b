"""Signs that were meant to format something and do not: a word processor's bullets, Markdown that was not read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import Kind, Passage
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

# By what is told and how to mend it; each at most once a passage.
_SIGNS = (
    (re.compile(r"^[ \t]*[•‣▪◦●○■□➢·\uf0b7\uf0a7](?=\s|\w)", re.MULTILINE),
     "“{}” makes no list; its lines run together",
     "begin each line with - and a blank, and leave an empty line above the first"),
    (re.compile(r"^[ \t]*\|.*\|[ \t]*$", re.MULTILINE), "“{}” is no row of a table",
     "put a line such as |---|---| under the first row, with as many parts, and an empty line above it"),
    (re.compile(r"\*\*"), "“{}” has no partner and stresses nothing",
     "put it right before the first word and right behind the last, or take it out"),
    (re.compile("[\ue000-\uf8ff]"), "{code} is a sign of a font that readers do not have",
     "write the sign that is meant"),
)  # fmt: skip
_KINDS = (Kind.PROSE, Kind.ITEM, Kind.CELL, Kind.LINE)

LITERAL = rule(
    "MLR149", Severity.WARNING, "a sign that formats nothing", "readers see the sign itself, or a box, in running text"
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Each passage for itself; of a sign that two patterns know, the first tells."""
    for passage in material.passages:
        if passage.kind in _KINDS:
            yield from _of(material, passage)


def _of(material: Material, passage: Passage) -> Iterator[Finding]:
    text = passage.prose
    for pattern, what, fix in _SIGNS:
        if found := pattern.search(text):
            told = what.format(found[0].strip(), code=f"U+{ord(found[0][-1]):04X}")
            yield material.finding(LITERAL, told, fix, passage.line_at(found.start()), passage.story)
            text = pattern.sub(lambda one: " " * len(one[0]), text)
