"""The same story twice: in the issue, or in one before.

Stories are compared by their runs of four words (shingles; Broder, On the resemblance and containment of documents,
1997), without case, accents of typing such as curly quotes, addresses and markup. The measure is containment, the part
of the shorter story's shingles that the longer one has: a copy that was cut, or has another closing line, stays near 1.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Issue, Severity, Story

_RUN = 4  # words of a shingle; 3 and 5 tell the December 2018 pairs apart from the rest as well
_FEW = 10  # a story of fewer shingles is an invitation or a notice, alike by nature
_NEAR = 0.5  # in December 2018: 0.97 for the pair with another last line, at most 0.08 for two different stories
_NOTE = re.compile(r"\[\d+\]|<[^<>\s]+>")  # the references of the text part

TWICE = rule(
    "MLR100", Severity.WARNING, "a story stands in the issue twice",
    "readers take the second for a mistake, and stop reading",
)  # fmt: skip
NEARLY = rule(
    "MLR101", Severity.WARNING, "two stories are nearly the same",
    "readers look for the difference, and find that one was forgotten",
)  # fmt: skip
BEFORE = rule(
    "MLR102", Severity.WARNING, "a story ran in an earlier issue",
    "who read it then takes the whole issue for old news",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Each story that repeats one above it, or one of an earlier issue."""
    seen: list[tuple[Story, frozenset[str]]] = []
    for story in material.issue.stories:
        shingles = _shingles(story)
        for other, its in seen:
            alike = _containment(shingles, its)
            if shingles == its and alike:
                text = f"this is the story of line {other.line}, “{other.title}”, word for word"
                yield material.finding(TWICE, text, "take one of the two out", story=story)
                break
            if alike >= _NEAR:
                text = f"{alike:.0%} of this story stands in that of line {other.line}, “{other.title}”, too"
                yield material.finding(NEARLY, text, "keep the better one, or tell each its own news", story=story)
                break
        seen.append((story, shingles))
    yield from _before(material, seen, material.before)


def _before(
    material: Material, stories: Sequence[tuple[Story, frozenset[str]]], earlier: Sequence[Issue]
) -> Iterator[Finding]:
    where: dict[str, list[int]] = {}
    for number, (_, shingles) in enumerate(stories):
        for shingle in shingles:
            where.setdefault(shingle, []).append(number)
    told: set[int] = set()
    for issue in earlier:
        for other in issue.stories:
            its = _shingles(other)
            shared = Counter(number for shingle in its for number in where.get(shingle, ()))
            for number in sorted(set(shared) - told):
                story, shingles = stories[number]
                alike = _containment(shingles, its)
                if alike >= _NEAR:
                    told.add(number)
                    text = f"{alike:.0%} of this story ran in issue {issue.slug} as “{other.title}”"
                    fix = "take it out, or write what is new since then"
                    yield material.finding(BEFORE, text, fix, story=story)


def _shingles(story: Story) -> frozenset[str]:
    text = unicodedata.normalize("NFKC", _NOTE.sub(" ", story.body.text)).casefold()
    words = re.findall(r"\w+", re.sub(r"['’]", "", text))
    return frozenset(" ".join(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1))


def _containment(one: frozenset[str], other: frozenset[str]) -> float:
    fewer = min(len(one), len(other))
    return len(one & other) / fewer if fewer >= _FEW else 0.0
