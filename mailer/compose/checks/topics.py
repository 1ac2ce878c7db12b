"""MLR010, MLR011: topics and the people who chose them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.compose.composition import Composition
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
