"""The send log in SQLite: who is in it, and what is durable when (DESIGN section 7)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from sending import NOW, SLUG

from mailer.audience import subscribers
from mailer.errors import Busy, NotFound
from mailer.models import Balance, DeliveryState, Outcome, Reply, Step

LATER = "2018-12-14T08:05:00Z"
OK = Outcome(DeliveryState.ACCEPTED, Reply(250, "2.0.0 Ok", Step.CONTENT, "2.0.0"))
BUSY = Outcome(DeliveryState.DEFERRED, Reply(450, "4.2.1 Busy", Step.RCPT, "4.2.1"))


@pytest.fixture
def log(office):
    """The log of four people, planned."""
    office.subscribe(count=4)
    return office.plan().store.sendlog


def emails(claims):
    return [claim.subscriber.email.partition("@")[0] for claim in claims]


def after_a_crash(office):
    """The log as the next process opens it."""
    return office.room().store.sendlog


def test_a_plan_has_a_row_for_each_active_person_and_no_other(office):
    office.subscribe("a@example.org", "gone@example.org", coops="cooperatives", green="green-jobs")
    room = office.room()
    subscribers.remove(room.store.audience, "gone@example.org", NOW)
    office.plan()
    office.subscribe("late@example.org")
    log = office.room().store.sendlog
    editions = log.editions(SLUG)
    assert {row.email: (str(row.state), editions[row.edition]) for row in log.deliveries(SLUG)} == {
        "a@example.org": ("queued", ("coops", "all")),
        "coops@example.org": ("queued", ("coops", "all")),
        "green@example.org": ("queued", ("all",)),
    }
    assert {row.queued_at for row in log.deliveries(SLUG)} == {NOW}
    assert log.balance(SLUG) == Balance(SLUG, audience=3, queued=3, editions=2)


def test_who_gets_nothing_is_skipped_with_the_reason(office):
    office.write_issue(COOPS_ONLY)
    office.subscribe(green="green-jobs")
    [row] = office.plan().store.sendlog.deliveries(SLUG)
    assert (row.state, row.reply, row.edition, row.settled_at) == (
        *("skipped", "no story matches the interests chosen", "", NOW),
    )


def test_a_claim_is_given_once_until_it_is_released(log):
    first, second = log.claim(SLUG, 3, NOW), log.claim(SLUG, 3, NOW)
    assert (emails(first), emails(second), log.claim(SLUG, 3, NOW)) == (["r001", "r002", "r003"], ["r004"], [])
    log.release(SLUG, first[1:])
    assert emails(log.claim(SLUG, 9, NOW)) == ["r002", "r003"]


def test_those_due_again_come_before_the_rest_of_the_queue(log):
    for claim in log.claim(SLUG, 2, NOW):
        log.record(SLUG, claim, BUSY, NOW, LATER)
    assert (log.next_due(SLUG), emails(log.claim(SLUG, 1, NOW))) == (LATER, ["r003"])
    due = log.claim(SLUG, 9, LATER)
    assert [(email, claim.attempts) for email, claim in zip(emails(due), due, strict=True)] == [
        *(("r001", 1), ("r002", 1), ("r004", 0)),
    ]
    assert log.next_due(SLUG) == ""


def test_a_claim_put_off_before_and_given_back_is_still_due(log):
    [claim] = log.claim(SLUG, 1, NOW)
    log.record(SLUG, claim, BUSY, NOW, LATER)
    log.release(SLUG, [one for one in log.claim(SLUG, 9, LATER) if one.attempts])
    row = log.delivery(SLUG, claim.subscriber.id)
    assert (row.state, row.next_at, row.attempts, row.code) == ("deferred", LATER, 1, 450)


def test_after_a_crash_what_was_offered_is_unknown_and_the_rest_is_open(office, log):
    first, second, third = log.claim(SLUG, 3, NOW)
    log.record(SLUG, first, OK, NOW)
    assert log.offer(SLUG, second.subscriber.id, NOW)
    again = after_a_crash(office)
    assert again.recover(SLUG, LATER) == 1
    assert [str(row.state) for row in again.deliveries(SLUG)] == ["accepted", "unknown", "queued", "queued"]
    unknown = again.delivery(SLUG, second.subscriber.id)
    assert (unknown.email, unknown.attempts, unknown.code, unknown.step, unknown.reply, unknown.settled_at) == (
        *("r002@example.org", 1, 0, "content"),
        *("the process ended after the content went out and before the reply was read", LATER),
    )
    assert (again.recover(SLUG, LATER), emails(again.claim(SLUG, 9, NOW))) == (0, ["r003", "r004"])
    assert third.subscriber.email == "r003@example.org"


def test_a_record_is_there_for_another_process_at_once(office, log):
    [claim] = log.claim(SLUG, 1, NOW)
    log.record(SLUG, claim, OK, LATER)
    row = after_a_crash(office).delivery(SLUG, claim.subscriber.id)
    assert (row.state, row.attempts, row.code, row.enhanced, row.reply, row.step, row.settled_at) == (
        *("accepted", 1, 250, "2.0.0", "2.0.0 Ok", "content", LATER),
    )


def test_attempts_that_were_put_off_are_kept_in_order(log):
    for now in (NOW, LATER):
        [claim] = [one for one in log.claim(SLUG, 4, now) if one.subscriber.email == "r001@example.org"]
        log.record(SLUG, claim, BUSY, now, now)
    assert log.attempts(SLUG, claim.subscriber.id) == [
        (NOW, "rcpt", 450, "4.2.1 Busy"),
        (LATER, "rcpt", 450, "4.2.1 Busy"),
    ]


@pytest.mark.parametrize("when", ["claim", "offer"])
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("unsubscribed", "unsubscribed since the send was planned"),
        ("suppressed", "suppressed since it was planned"),
        ("erased", "erased since the send was planned"),
    ],
)
def test_leaving_wins_until_the_content_goes_out(office, log, when, how, why):
    early = log.claim(SLUG, 4, NOW) if when == "offer" else []
    room = office.room()
    person = subscribers.find(room.store.audience, "r002@example.org")
    if how == "erased":
        subscribers.erase(room.store.audience, room.tokens, person.email, NOW)
    else:
        room.store.audience.set_state(person.id, how, NOW)
    claims = early or log.claim(SLUG, 4, NOW)
    offered = [claim.subscriber.id for claim in claims if log.offer(SLUG, claim.subscriber.id, LATER)]
    assert len(offered) == 3
    row = log.delivery(SLUG, person.id)
    assert (row.state, row.reply, row.attempts) == ("skipped", why, 0)


def test_totals_stay_when_a_person_is_erased(office, log):
    """Standards, section 2.7: the aggregate statistics of past issues stay right; the address is gone."""
    [claim] = log.claim(SLUG, 1, NOW)
    log.record(SLUG, claim, BUSY, NOW, NOW)
    [claim] = log.claim(SLUG, 1, NOW)
    log.record(SLUG, claim, OK, NOW)
    room = office.room()
    subscribers.erase(room.store.audience, room.tokens, "r001@example.org", NOW)
    row = log.delivery(SLUG, claim.subscriber.id)
    assert (row.state, row.email, row.reply, row.code) == ("accepted", "", "", 250)
    assert [reply for *_, reply in log.attempts(SLUG, claim.subscriber.id)] == [""]
    assert (log.balance(SLUG).audience, log.balance(SLUG).accepted) == (4, 1)


def test_settling_one_that_is_erased_keeps_the_state_and_nothing_that_was_said(office, log):
    """Standards, section 2.7, as above: what a relay's log says names the person."""
    [claim] = log.claim(SLUG, 1, NOW)
    number = claim.subscriber.id
    log.record(SLUG, claim, Outcome(DeliveryState.UNKNOWN, Reply(0, "no reply", Step.CONTENT)), NOW)
    room = office.room()
    subscribers.erase(room.store.audience, room.tokens, "r001@example.org", NOW)
    log.settle(SLUG, number, Outcome(DeliveryState.REFUSED, Reply(0, "no r001@example.org", Step.CONTENT)), LATER)
    row = log.delivery(SLUG, number)
    assert (row.state, row.email, row.reply, row.settled_at) == ("refused", "", "", LATER)
    assert [reply for *_, reply in log.attempts(SLUG, number)] == ["", ""]


def test_queueing_again_touches_what_is_refused_and_nothing_else(log):
    refused, accepted = log.claim(SLUG, 2, NOW)
    log.record(SLUG, refused, Outcome(DeliveryState.REFUSED, Reply(550, "no", Step.RCPT)), NOW)
    log.record(SLUG, accepted, OK, NOW)
    for claim in (refused, accepted):
        log.queue_again(SLUG, claim.subscriber.id, "by hand", LATER)
    assert [str(row.state) for row in log.deliveries(SLUG)] == ["queued", "accepted", "queued", "queued"]
    assert log.attempts(SLUG, accepted.subscriber.id) == []
    assert emails(log.claim(SLUG, 4, LATER)) == ["r001", "r003", "r004"]


def test_a_plan_is_touched_by_the_first_offer_and_not_by_a_claim(log):
    claims = log.claim(SLUG, 2, NOW)
    before = log.plan(SLUG).touched
    log.offer(SLUG, claims[0].subscriber.id, NOW)
    assert (before, log.plan(SLUG).touched) == (False, True)


def test_forgetting_a_plan_leaves_none(office, log):
    log.forget(SLUG)
    assert (log.plan(SLUG), log.plans()) == (None, [])
    for ask in (log.balance, log.editions, log.deliveries, log.next_due):
        with pytest.raises(NotFound, match=f"^issue {SLUG} has not been planned yet"):
            ask(SLUG)
    office.subscribe("new@example.org")
    assert office.plan().store.sendlog.balance(SLUG).audience == 5


def test_the_balance_counts_every_state_and_the_seconds_of_all_runs(log):
    first, second, _ = log.claim(SLUG, 3, NOW)
    log.record(SLUG, first, OK, NOW)
    log.record(SLUG, second, BUSY, NOW, LATER)
    log.add_seconds(SLUG, 1.25)
    log.add_seconds(SLUG, 2.5)
    balance = log.balance(SLUG)
    assert balance == Balance(SLUG, 4, accepted=1, deferred=1, queued=1, claimed=1, editions=1, seconds=3.75)
    assert (balance.open, balance.closed) == (3, False)


def test_rows_of_one_state(log):
    for claim in log.claim(SLUG, 2, NOW):
        log.record(SLUG, claim, OK, NOW)
    rows = Counter(str(row.state) for row in log.deliveries(SLUG, DeliveryState.ACCEPTED))
    assert rows == {"accepted": 2}


HOLD = """\
import sys
from pathlib import Path
from mailer.store import open_store
store = open_store("sqlite:" + sys.argv[1], Path("/"), bytes)
with store.sendlog.lock(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_an_issue_is_sent_by_one_process_and_a_killed_one_holds_it_no_longer(office, log):
    """The kernel drops the lock with the process, however that ends."""
    path = str(office.root / "subscribers" / "mailer.db")
    command = [sys.executable, "-c", HOLD, path, SLUG]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy) as busy, log.lock(SLUG):
            pytest.fail("two processes hold it")
        with log.lock("another-issue"):
            pass
        holder.kill()
    assert str(busy.value) == (
        f"issue {SLUG} is being sent by process {holder.pid}. Wait for it, look with mailer status {SLUG}, "
        f"or end it with mailer stop {SLUG}"
    )
    with log.lock(SLUG):
        pass


COOPS_ONLY = """\
---
title: Enterprises Newsletter
date: 2018-12-14
subject: One story
preheader: Only about cooperatives, and nothing else at all for anybody
---

# News

## Cooperatives grow {#coops topics=cooperatives}

They grow fast.
"""
