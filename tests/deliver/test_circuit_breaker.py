"""Too many refusals pause an issue before a bad setting burns the list."""

from __future__ import annotations

from sending import SLUG
from smtp_relay import Relay

NO = "550 5.7.1 Go away"


def test_twenty_refusals_pause_the_issue_and_say_why(office):
    with Relay({"RCPT": [NO] * 100}) as relay:
        office.use(relay, connections=1)
        office.subscribe(count=30)
        answer = office.run("send", SLUG, "--yes", "--json")
    states = list(office.states().values())
    assert (answer.code, states.count("refused"), states.count("queued")) == (3, 20, 10)
    told = " ".join(answer.err.split())
    assert "paused: 20 of the last 20 were refused, this one at rcpt with: 550 5.7.1 Go away." in told
    assert f"go on with: mailer send {SLUG} --keep-going" in told


def test_keep_going_overrides(office):
    with Relay({"RCPT": [NO] * 30}) as relay:
        office.use(relay, connections=1)
        office.subscribe(count=30)
        answer = office.run("send", SLUG, "--yes", "--keep-going")
    assert (answer.code, set(office.states().values())) == (3, {"refused"})


def test_a_few_refusals_among_many_do_not(office):
    with Relay({"RCPT": ["250 Ok", NO] * 19}) as relay:
        office.use(relay, connections=1)
        office.subscribe(count=38)
        assert office.run("send", SLUG, "--yes").code == 3
    assert list(office.states().values()).count("refused") == 19
    assert "queued" not in office.states().values()
