"""settle --as unsent --state refused: what was refused while a setting was wrong is queued again, by the operator."""

from __future__ import annotations

import pytest
from sending import SLUG
from smtp_relay import Relay

WRONG = "550 5.7.1 Sender domain not allowed"
ANN, BEN, CAT, DAN = "ann@example.org", "ben@example.org", "cat@example.org", "dan@example.org"
AGAIN = ("settle", SLUG, "--as", "unsent", "--state", "refused")


@pytest.fixture
def refused(office):
    """A send of which two were refused for a wrong setting, one for another reason, and one was accepted."""
    with Relay({f"RCPT {ANN}": WRONG, f"RCPT {BEN}": WRONG, f"RCPT {CAT}": "550 5.1.1 No such user"}) as relay:
        office.use(relay)
        office.subscribe(ANN, BEN, CAT, DAN)
        assert office.run("send", SLUG, "--yes").code == 3
    return dict.fromkeys((ANN, BEN, CAT), "refused") | {DAN: "accepted"}


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("y\n", 0, ""),
        ("n\n", 1, "Nothing was changed.\n"),
        ("", 2, "no answer\nNothing was changed: there is nobody to ask; --yes answers, --email EMAIL settles one.\n"),
    ],
    ids=["yes", "no", "nobody there"],
)
def test_it_says_who_was_refused_why_and_asks(office, refused, typed, code, said):
    answer = office.run(*AGAIN, typed=typed)
    assert answer.code == code
    assert answer.err == (
        f"3 deliveries were refused:\n  2 × {WRONG}\n  1 × 550 5.1.1 No such user\n"
        "Queue them again only when the cause is mended: providers block who goes on writing to unknown addresses.\n"
        f"Queue all 3 again? [y/N] {said}"
    )
    assert office.states() == (dict.fromkeys(refused, "queued") | {DAN: "accepted"} if code == 0 else refused)


def test_queued_again_they_get_the_issue_once_and_nobody_else_does(office, refused):
    answer = office.run(*AGAIN, "--yes", "--json")
    assert (answer.code, answer.err, answer.json["settled"], answer.json["queued"]) == (0, "", 3, 3)
    with Relay() as mended:
        office.use(mended)
        assert office.run("send", SLUG, "--yes").code == 0
        assert mended.received == [ANN, BEN, CAT]
    assert office.run(*AGAIN).out.splitlines()[-1] == "0 queued again, 0 refused left."


def test_one_person_is_queued_again_unasked(office, refused):
    answer = office.run(*AGAIN, "--email", ANN)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == "1 queued again, 2 refused left."
    assert office.states() == refused | {ANN: "queued"}


def test_the_log_and_explain_say_that_the_operator_did_it(office, refused):
    since = office.log()[ANN].settled_at
    office.run(*AGAIN, "--email", ANN)
    row = office.log()[ANN]
    told = office.run("explain", SLUG, ANN, "--json").json
    shown = office.run("explain", SLUG, ANN).out.splitlines()
    [settled] = told["settled"]
    assert (row.code, row.enhanced, row.reply, row.settled_at) == (0, "", "queued again by the operator", "")
    assert settled == {
        "refused": {"at": since, "step": "rcpt", "code": 550, "reply": WRONG.removeprefix("550 ")},
        "at": settled["at"],
        "why": "queued again by the operator",
    }
    assert told["sentence"] == f"Queued again by the operator at {settled['at']}. Waits to be sent again."
    assert f"  {since} refused at rcpt: {WRONG}" in shown
    assert f"  {settled['at']} queued again by the operator" in shown


def test_who_was_erased_stays_refused_and_counts_no_more(office, refused):
    office.run("subscribers", "erase", CAT, "--yes")
    answer = office.run(*AGAIN, typed="y\n")
    assert answer.err.startswith(f"2 deliveries were refused:\n  2 × {WRONG}\n")
    assert answer.out.splitlines()[-1] == "2 queued again, 1 refused left."


def test_a_pause_for_too_many_refusals_names_the_way_back(office):
    with Relay({"RCPT": WRONG}) as relay:
        office.use(relay)
        office.subscribe(count=30)
        paused = office.run("send", SLUG, "--yes")
    assert f"mend it and queue these again: mailer {' '.join(AGAIN)}" in " ".join(paused.err.split())
