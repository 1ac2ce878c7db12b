"""Findings about an issue that is free of mistakes."""

from __future__ import annotations

from mailer.compose import checks
from mailer.compose.checks.material import Material
from mailer.compose.editions import group
from mailer.models import Segment


def found(composition, *segments: Segment) -> list[tuple[str, str, str]]:
    findings = checks.run(Material(composition, *group(composition.issue, segments)))
    return [(each.id, each.severity, each.text) for each in findings]


def test_the_real_issue_is_without_findings(real):
    assert found(real, Segment((), 3), *(Segment((topic,), 2) for topic in real.config.interests)) == []


def test_interests_that_are_no_topics_any_more_are_counted(real):
    segments = Segment(("coops",), 1), Segment(("cooperatives", "coops"), 1), Segment(("old", "green-jobs"), 1)
    assert [one for one in found(real, *segments) if one[0] == "MLR012"] == [
        ("MLR012", "warning", "2 people chose “coops”, which is no topic any more"),
        ("MLR012", "warning", "1 person chose “old”, which is no topic any more"),
    ]
