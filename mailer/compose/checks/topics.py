"""Topics, and the people who chose them."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.errors import nearest
from mailer.models import Finding, Severity

UNUSED = rule("MLR010", Severity.WARNING, "a topic that no story has", "who chose only this topic gets nothing of it")
NOTHING = rule("MLR011", Severity.NOTE, "people for whom nothing is left", "they get no mail, and wonder why")
UNKNOWN = rule("MLR012", Severity.WARNING, "chosen interests that are no topics", "what these people want can't be met")


def check(material: Material) -> Iterator[Finding]:
    """Topics without a story, interests without anything, interests that are no topics any more."""
    known = material.composition.config.interests
    covered = {topic for story in material.stories() for topic in story.topics}
    for topic, label in known.items():
        if topic not in covered:
            text = f"no story has the topic “{topic}”; who chose only {label} gets what is for everybody"
            yield material.finding(UNUSED, text, f"add topics={topic} to a story it fits")
    for segment in material.nothing_left:
        text = f"{segment.count} people chose {', '.join(segment.interests)} and get no mail: no story is left for them"
        yield material.finding(NOTHING, text, "add a story with one of these topics, or for everybody")
    for interest, count in sorted(_unknown(material).items()):
        people = "1 person" if count == 1 else f"{count} people"
        text = f"{people} chose “{interest}”, which is no topic any more"
        fix = f"put it back under [interests], or import them again with other topics. {nearest(interest, known)}"
        yield material.finding(UNKNOWN, text, fix)


def _unknown(material: Material) -> dict[str, int]:
    """How many chose an interest that the configuration has no longer."""
    counts: dict[str, int] = {}
    served = (segment for edition in material.editions for segment in edition.segments)
    for segment in (*served, *material.nothing_left):
        for interest in set(segment.interests) - set(material.composition.config.interests):
            counts[interest] = counts.get(interest, 0) + segment.count
    return counts
