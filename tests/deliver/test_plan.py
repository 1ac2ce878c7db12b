"""Freezing an audience, and what may still change afterwards."""

from __future__ import annotations

import pytest
from conftest import ISSUE
from sending import NOW, SLUG

from mailer.deliver import plan
from mailer.errors import PlanChanged


def stands(office, replan=False):
    room = office.room()
    return plan.unplanned(room.compose(SLUG), room.store, replan) is None


def test_no_plan_then_a_plan_that_stands(office):
    office.subscribe(count=1)
    before = stands(office)
    office.plan()
    assert (before, stands(office), stands(office, replan=True)) == (False, True, False)


def test_the_forecast_is_what_freezing_gives(office):
    office.write_issue(ISSUE[: ISSUE.index("## For everybody")])
    office.subscribe(count=2, coops="cooperatives", green="green-jobs")
    room = office.room()
    forecast = plan.forecast(room.compose(SLUG), room.store)
    assert (forecast.balance(SLUG).queued, forecast.balance(SLUG).skipped) == (3, 1)
    assert office.plan().store.sendlog.balance(SLUG) == forecast.balance(SLUG)


CHANGES = {
    "story": (lambda text: text.replace("Something for all", "Nothing for all"), "story “all” changed"),
    "new-story": (
        lambda text: text + "\n## More {#more}\n\nMore.\n",
        "the list of stories changed\n  - story “more” is new",
    ),
    "gone": (
        lambda text: text[: text.index("## For everybody")],
        "the list of stories changed\n  - story “all” is gone",
    ),
    "section": (lambda text: text.replace("# News {", "# Our news {"), "the sections changed"),
    "subject": (lambda text: text.replace("subject: Two", "subject: 2"), "the front matter changed"),
    "welcome": (lambda text: text.replace("Welcome.", "Hello."), "the welcome changed"),
}


@pytest.mark.parametrize("which", CHANGES)
def test_a_change_of_the_issue_is_named(office, which):
    change, named = CHANGES[which]
    office.subscribe(count=1)
    office.plan()
    office.write_issue(change(ISSUE))
    with pytest.raises(PlanChanged) as changed:
        stands(office)
    assert str(changed.value) == (
        f"issue {SLUG} has changed since it was planned at {NOW}:\n  - {named}\n"
        f"Nothing was sent yet: plan it anew with: mailer send {SLUG} --replan"
    )
    assert stands(office, replan=True) is False


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("pyproject.toml", "1211 Geneva 22", "1202 Geneva", "the newsletter's settings changed"),
        ("pyproject.toml", '"Green jobs"', '"Green work"', "the interests changed"),
        ("templates/enterprises/inline.css", "", "p { margin: 0 }\n", "templates/enterprises/inline.css changed"),
    ],
    ids=["settings", "interests", "template"],
)
def test_a_change_around_the_issue_is_named(office, file, old, new, named):
    office.subscribe(count=1)
    office.plan()
    path = office.root / file
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(PlanChanged, match=f"\n  - {named}\n"):
        stands(office)


def test_blank_lines_and_the_relay_change_nothing_that_is_sent(office):
    office.subscribe(count=1)
    office.plan()
    office.use("smtps://another.example.org", connections=9)
    office.write_issue(ISSUE.replace("\n\nWelcome.", "\n\n\n\nWelcome."))
    assert stands(office) is True


def test_many_changes_are_counted_and_not_all_listed(office):
    office.subscribe(count=1)
    office.write_issue(ISSUE + "".join(f"\n## Story {number}\n\nText.\n" for number in range(30)))
    office.plan()
    office.write_issue()
    with pytest.raises(PlanChanged) as changed:
        stands(office)
    lines = str(changed.value).splitlines()
    assert (len(lines), lines[21]) == (23, "  - and 11 more")
