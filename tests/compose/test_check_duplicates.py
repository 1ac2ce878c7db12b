"""The two doubled stories of the newsletter this tool was made for, as they went out in December 2018."""

from __future__ import annotations

import time

from conftest import ROOT
from drafts import compose

from mailer.compose.checks import duplicates
from mailer.compose.checks.material import Material

PAIRS = (ROOT / "tests/data/checks/source-pairs.md").read_text("utf-8")


def found(material: Material) -> list[tuple[str, str, str]]:
    return [(one.id, one.story, one.text.split(" of line")[0]) for one in duplicates.check(material)]


def test_the_verbatim_pair_and_the_near_pair_of_the_source_text_are_found(tmp_path):
    assert found(Material(compose(tmp_path, PAIRS))) == [
        ("MLR100", "sierra-leone-again", "this is the story"),  # but for straight and curly quotes
        ("MLR101", "score-again", "97% of this story stands in that"),
    ]


def test_stories_of_an_earlier_issue_are_found_once(tmp_path):
    composition = compose(tmp_path, PAIRS)
    before = [one[1] for one in found(Material(composition, earlier=[composition.issue] * 3)) if one[0] == "MLR102"]
    assert sorted(before) == ["score", "score-again", "sierra-leone", "sierra-leone-again"]


def test_a_year_of_earlier_issues_takes_under_half_a_second(real):
    material = Material(real, earlier=[real.issue] * 12)
    material.before  # noqa: B018  reading them is not measured
    start = time.process_time()
    assert len(found(material)) == sum(len(duplicates._shingles(story)) >= 10 for story in real.issue.stories)
    assert time.process_time() - start < 0.5
