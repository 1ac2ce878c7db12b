"""`mailer send --at`: a send that waits for its time, over restarts."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from sending import SLUG, finish
from smtp_relay import Relay


def in_(**span: float) -> datetime:
    return (datetime.now().astimezone() + timedelta(**span)).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def relay(office):
    with Relay() as started:
        office.use(started)
        office.subscribe(count=2)
        yield started


def test_it_is_planned_and_begins_when_run_again_at_its_time(office, relay):
    at = in_(hours=30)
    put_off = office.run("send", SLUG, "--yes", "--no-wait", "--at", f"{at:%Y-%m-%d %H:%M:%S}")
    assert (put_off.code, relay.mails, office.states()) == (3, [], dict.fromkeys(office.states(), "queued"))
    assert f"It begins at {at:%a %Y-%m-%d %H:%M %Z}.\n" in put_off.err
    assert f"{SLUG} begins at {at:%Y-%m-%d %H:%M}: " in put_off.err
    again = office.run("send", SLUG, "--yes", "--no-wait")
    assert (again.code, relay.mails) == (3, [])
    assert office.run("status", SLUG, "--json").json["begin_at"] == stamp(at)
    assert f"It begins at {at:%Y-%m-%d %H:%M %Z}." in office.run("status", SLUG).err
    now = office.run("send", SLUG, "--yes", "--at", "now")
    assert (now.code, len(relay.mails), office.run("status", SLUG, "--json").json["begin_at"]) == (0, 2, "")


def test_a_running_send_waits_for_its_time(office, relay):
    answer = finish(office.start("send", SLUG, "--yes", "--at", in_(seconds=3).isoformat()))
    assert (answer.code, len(relay.mails)) == (0, 2)
    assert min(row.settled_at for row in office.log().values()) >= office.run("status", SLUG, "--json").json["begin_at"]


def test_a_send_that_was_killed_while_it_waited_still_waits(office, relay):
    at = in_(hours=2)
    waiting = office.start("send", SLUG, "--yes", "--at", f"{at:%Y-%m-%d %H:%M}")
    assert waiting.stderr is not None
    for line in waiting.stderr:
        if "begins in" in line:
            break
    waiting.send_signal(signal.SIGKILL)
    waiting.communicate()
    again = office.run("send", SLUG, "--yes", "--no-wait")
    assert (again.code, relay.mails) == (3, [])
    assert f"begins at {at:%Y-%m-%d %H:%M}" in again.err


@pytest.mark.parametrize(
    ("given", "said"),
    [("tomorrow", "write 2018-12-14 08:00, or now"), ("2018-12-14 08:00", "2018-12-14 08:00 is past")],
    ids=["no time", "past"],
)
def test_a_time_that_cannot_be_is_refused(office, given, said):
    answer = office.run("send", SLUG, "--yes", "--at", given)
    assert answer.code == 2
    assert said in answer.err


@pytest.fixture
def in_zurich(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("2100-03-28 02:30", 2, "Error: --at: there is no 2100-03-28 02:30: the clocks go forward over it\n"),
        ("2100-03-28 03:30", 0, "It begins at Sun 2100-03-28 03:30 CEST.\n"),
        ("2100-10-31 02:30", 0, "It begins at Sun 2100-10-31 02:30 CEST.\n"),
        ("2100-10-31 02:30+01:00", 0, "It begins at Sun 2100-10-31 02:30 CET.\n"),
    ],
    ids=["no such hour", "after it", "the first of two", "the second of two"],
)
def test_in_the_nights_when_clocks_change_it_says_which_hour_is_meant(office, relay, in_zurich, given, code, said):
    answer = office.run("send", SLUG, "--dry-run", "--at", given)
    assert (answer.code, said in answer.err) == (code, True)
