"""Topics, and the people who chose them."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.errors import nearest
from mailer.models import Finding, Severity

UNUSED = rule(
    "MLR010",
    Severity.WARNING,
    "a topic that no story has",
    "who chose only this topic gets what is for everybody, if anything",
)
NOTHING = rule("MLR011", Severity.NOTE, "people for whom nothing is left", "they get no mail, and wonder why")
UNKNOWN = rule("MLR012", Severity.WARNING, "chosen interests that are no topics", "what these people want can't be met")
SINGLE = rule(
    "MLR120", Severity.NOTE, "an edition with a single story", "their mail is mostly frame"
)  # fmt: skip
UNREAD = rule("MLR121", Severity.WARNING, "a story that nobody gets", "it was written for no one")
UNSORTED = rule(
    "MLR122", Severity.NOTE, "the only story without topics",
    "everybody gets it, whatever they chose; perhaps its topics were forgotten",
)  # fmt: skip
_ENOUGH = 4  # stories; in a smaller issue one story is no small edition, and one without topics no exception


def check(material: Material) -> Iterator[Finding]:
    """Topics without a story, people without anything, interests that are no topics any more, odd editions."""
    known = material.composition.config.interests
    covered = {topic for story in material.issue.stories for topic in story.topics}
    for topic, label in known.items():
        if topic not in covered:
            yield material.finding(
                UNUSED, f"no story has the topic “{topic}” ({label})", f"add topics={topic} to a story it fits"
            )
    for segment in material.nothing_left:
        text = f"{segment.count} people chose {', '.join(segment.interests)} and get no mail: no story is left for them"
        yield material.finding(NOTHING, text, "add a story with one of these topics, or for everybody")
    for interest, count in sorted(_unknown(material).items()):
        people = "1 person" if count == 1 else f"{count} people"
        text = f"{people} chose “{interest}”, which is no topic any more"
        fix = f"put it back under [interests], or import them again with other topics. {nearest(interest, known)}"
        yield material.finding(UNKNOWN, text, fix)
    yield from _editions(material)
    yield from _unsorted(material)


def _editions(material: Material) -> Iterator[Finding]:
    """Editions of one story, and stories in none of the editions."""
    if len(material.issue.stories) < _ENOUGH or not material.editions:
        return
    shown = {story for edition in material.editions for story in edition.selection}
    for story in material.issue.stories:
        alone = [edition for edition in material.editions if edition.selection == (story.id,)]
        if alone:
            count = alone[0].count
            text = f"{count} people get only this story" if count != 1 else "1 person gets only this story"
            yield material.finding(
                SINGLE, text, "add its topics to another story that fits, or one for everybody", story=story,
                editions=(alone[0].key,),
            )  # fmt: skip
        if story.id not in shown:
            text = f"nobody gets this story: nobody chose {' or '.join(story.topics)}"
            yield material.finding(UNREAD, text, "add a topic that people chose, or take its topics out", story=story)


def _unsorted(material: Material) -> Iterator[Finding]:
    without = [story for story in material.issue.stories if not story.topics]
    if len(without) == 1 and len(material.issue.stories) > _ENOUGH:
        text = "this is the only story without topics"
        yield material.finding(
            UNSORTED, text, "give it topics=, or silence this if it is for everybody", story=without[0]
        )


def _unknown(material: Material) -> dict[str, int]:
    """How many chose an interest that the configuration has no longer."""
    counts: dict[str, int] = {}
    served = (segment for edition in material.editions for segment in edition.segments)
    for segment in (*served, *material.nothing_left):
        for interest in set(segment.interests) - set(material.composition.config.interests):
            counts[interest] = counts.get(interest, 0) + segment.count
    return counts
