"""MLR010, MLR011, MLR012: topics and the people who chose them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.compose.composition import Composition
from mailer.errors import nearest
from mailer.models import Finding, Segment, Severity


def check(composition: Composition, nothing_left: Sequence[Segment]) -> Iterator[Finding]:
    """Topics without a story, and interests for which the issue has nothing."""
    path = f"issues/{composition.issue.slug}/issue.md"
    covered = {topic for story in composition.issue.stories for topic in story.topics}
    for topic, label in composition.config.interests.items():
        if topic not in covered:
            text = f"no story has the topic “{topic}”; who chose only {label} gets what is for everybody"
            yield Finding("MLR010", Severity.WARNING, path, 0, text, f"add topics={topic} to a story it fits")
    for segment in nothing_left:
        text = f"{segment.count} people chose {', '.join(segment.interests)} and get no mail: no story is left for them"
        yield Finding("MLR011", Severity.NOTE, path, 0, text, "add a story with one of these topics, or for everybody")


def check_chosen(composition: Composition, segments: Sequence[Segment]) -> Iterator[Finding]:
    """Interests that subscribers chose and the configuration has no longer."""
    known = composition.config.interests
    counts: dict[str, int] = {}
    for segment in segments:
        for interest in segment.interests:
            if interest not in known:
                counts[interest] = counts.get(interest, 0) + segment.count
    for interest, count in sorted(counts.items()):
        people = "1 person" if count == 1 else f"{count} people"
        text = f"{people} chose “{interest}”, which is no topic any more"
        fix = f"put it back under [interests], or import them again with other topics. {nearest(interest, known)}"
        yield Finding("MLR012", Severity.WARNING, f"issues/{composition.issue.slug}/issue.md", 0, text, fix)
