"""Every rule finds its seeded fault, where it stands and nothing else, and nothing where there is none."""

from __future__ import annotations

import pytest
from corpus import SHOWN, as_expected, cases, expected, findings, rule_of

from mailer.compose.checks import RULES


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_seeded_fault_is_found_where_it_stands_and_nothing_else(case):
    found = findings(case / "fault")
    assert [as_expected(one) for one in found if not one.silenced] == expected(case / "fault"), found
    assert {one["id"] for one in expected(case / "fault")} == {rule_of(case)}
    assert all(one.text and one.fix and one.why for one in found)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_without_the_fault_nothing_is_found(case):
    assert findings(case / "clean") == []


def test_every_rule_has_a_pair():
    assert sorted({rule_of(case) for case in cases()}) == sorted(RULES)


def test_precision_and_recall_over_the_corpus_are_one(capsys):
    """Seeded faults found, and findings that were seeded, over all sides of all pairs."""
    seeded: set[tuple[str, str, str, int]] = set()
    found: set[tuple[str, str, str, int]] = set()
    for case in cases():
        for side in (case / "fault", case / "clean"):
            where = f"{case.name}/{side.name}"
            seeded |= {(where, one["id"], one.get("path", SHOWN), one["line"]) for one in expected(side)}
            found |= {(where, one.id, one.path, one.line) for one in findings(side) if not one.silenced}
    precision, recall = len(found & seeded) / len(found), len(found & seeded) / len(seeded)
    with capsys.disabled():
        print(f"\n{len(RULES)} rules, {len(seeded)} seeded faults: precision {precision:.2f}, recall {recall:.2f}")
    assert (precision, recall) == (1.0, 1.0), seeded ^ found
