"""Every rule finds its seeded fault, where it stands and nothing else, and nothing where there is none."""

from __future__ import annotations

import pickle

import pytest
from corpus import SHOWN, as_expected, cases, expected, findings, rule_of

from mailer.compose.checks import RULES


@pytest.fixture(scope="session")
def found_in(tmp_path_factory, worker_id):
    """What is found in one side of a pair. Each is composed once, whichever of the parallel workers asks first."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "corpus"
    folder.mkdir(exist_ok=True)

    def kept(side):
        path = folder / f"{side.parent.name}-{side.name}"
        if not path.exists():
            fresh = path.with_name(f"{path.name}-{worker_id}")
            fresh.write_bytes(pickle.dumps(findings(side)))
            fresh.replace(path)
        return pickle.loads(path.read_bytes())

    return kept


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_seeded_fault_is_found_where_it_stands_and_nothing_else(case, found_in):
    found = found_in(case / "fault")
    assert [as_expected(one) for one in found if not one.silenced] == expected(case / "fault"), found
    assert {one["id"] for one in expected(case / "fault")} == {rule_of(case)}
    assert all(one.text and one.fix and one.why for one in found)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_why_something_matters_is_not_what_was_found_said_again(case, found_in):
    for one in found_in(case / "fault"):
        found, why = (words.casefold().replace(",", "").split() for words in (one.text, one.why))
        runs = {tuple(found[at : at + 3]) for at in range(len(found) - 2)}
        assert [run for run in zip(why, why[1:], why[2:], strict=False) if run in runs] == []


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_without_the_fault_nothing_is_found(case, found_in):
    assert found_in(case / "clean") == []


def test_every_rule_has_a_pair():
    assert sorted({rule_of(case) for case in cases()}) == sorted(RULES)


def test_precision_and_recall_over_the_corpus_are_one(capsys, found_in):
    """Seeded faults found, and findings that were seeded, over all sides of all pairs."""
    seeded: set[tuple[str, str, str, int]] = set()
    found: set[tuple[str, str, str, int]] = set()
    for case in cases():
        for side in (case / "fault", case / "clean"):
            where = f"{case.name}/{side.name}"
            seeded |= {(where, one["id"], one.get("path", SHOWN), one["line"]) for one in expected(side)}
            found |= {(where, one.id, one.path, one.line) for one in found_in(side) if not one.silenced}
    precision, recall = len(found & seeded) / len(found), len(found & seeded) / len(seeded)
    with capsys.disabled():
        print(f"\n{len(RULES)} rules, {len(seeded)} seeded faults: precision {precision:.2f}, recall {recall:.2f}")
    assert (precision, recall) == (1.0, 1.0), seeded ^ found
