"""`mailer send`: plan, ask, send, balance; again to go on."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from conftest import ISSUE
from sending import NOW, SLUG, finish, parsed
from smtp_relay import Gate, Relay

from mailer.audience import subscribers


def test_everybody_gets_their_edition_once(office):
    with Relay() as relay:
        office.use(relay)
        everybody = office.subscribe("all@example.org", coops="cooperatives", green="green-jobs")
        answer = office.run("send", SLUG, "--yes")
    assert (answer.code, relay.received) == (0, everybody)
    texts = {mail.recipient: parsed(mail).get_body(("plain",)).get_content() for mail in relay.mails}
    assert {who: "Cooperatives grow" in text for who, text in texts.items()} == {
        "all@example.org": True,
        "coops@example.org": True,
        "green@example.org": False,
    }
    assert all("Something for all of us." in text for text in texts.values())
    assert office.states() == dict.fromkeys(everybody, "accepted")


def test_editions_head_counts_relay_and_forecast_are_shown_before_the_question(office):
    with Relay() as relay:
        office.use(relay, connections=3)
        office.subscribe(count=2, coops="cooperatives", green="green-jobs")
        answer = office.run("send", SLUG, "--rate", "0.01", typed="n\n")
        url = relay.url
    shown = " ".join(answer.err.split())
    assert "no interests chosen; Cooperatives 2 " in shown
    said = re.escape(
        f"4 people get one of 2 editions of 2019-01. Relay {url}, 3 connections; "
        "4 to send, under the limits in about 5 minutes: until "
    )
    assert re.search(rf"{said}\w+ \d+ \w+ \d+:\d+\. Send\? \[y/N\] Nothing was sent\.$", shown)
    assert (answer.code, answer.out, relay.connections) == (1, "", 0)


@pytest.mark.parametrize(
    ("typed", "code", "mails"),
    [("y\n", 0, 1), ("YES\n", 0, 1), ("n\n", 1, 0), ("\n", 1, 0), ("yes please\n", 1, 0), ("", 1, 0)],
    ids=["y", "yes", "n", "return", "else", "no-terminal"],
)
def test_only_yes_sends(office, typed, code, mails):
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=1)
        answer = office.run("send", SLUG, typed=typed)
    assert (answer.code, len(relay.mails)) == (code, mails)
    assert ("--yes answers" in answer.err) == (typed == "")
    assert (office.room().store.sendlog.plan(SLUG) is not None) == bool(mails)


def test_the_closing_table_counts_every_state_and_says_what_next(office):
    with Relay({"RCPT r002@example.org": "550 5.1.1 no such user", "RCPT r003@example.org": "450 4.2.2 full"}) as relay:
        office.use(relay)
        office.subscribe(count=4, green="green-jobs")
        office.write_issue(ONLY_COOPS)
        answer = office.run("send", SLUG, "--yes", "--no-wait")
    lines = [line.split() for line in answer.out.splitlines() if line.strip()]
    counts = {words[0]: int(words[1]) for words in lines[2:8]}
    assert counts == {"accepted": 2, "refused": 1, "skipped": 1, "unknown": 0, "deferred": 1, "queued": 0}
    assert lines[8][:2] == ["audience", "5"]
    assert answer.out.endswith(f"Not finished. Go on with: mailer send {SLUG}\n")
    assert answer.code == 3


def test_who_subscribes_after_the_plan_is_not_in_it(office):
    with Relay() as relay:
        office.use(relay)
        office.subscribe("early@example.org", "second@example.org")
        office.run("send", SLUG, "--yes", "--limit", "1")
        office.subscribe("late@example.org")
        answer = office.run("send", SLUG, "--yes")
        assert relay.received == ["early@example.org", "second@example.org"]
    assert "2019-01 was planned for 2 people; 1 is open." in answer.err
    assert "late@example.org" not in office.states()


def test_a_finished_send_asks_and_sends_nothing_again(office):
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=2)
        office.run("send", SLUG, "--yes")
        answer = office.run("send", SLUG)
    assert (answer.code, len(relay.mails), relay.connections) == (0, 2, 1)
    assert "Finished: the balance closes." in answer.out
    assert "Send?" not in answer.err


def test_nobody_subscribed_plans_nothing(office):
    office.use("smtp://127.0.0.1:1")
    answer = office.run("send", SLUG, "--yes")
    assert (answer.code, answer.err) == (
        1,
        "Error: nobody is subscribed yet. Begin with: mailer subscribers import FILE.csv\n",
    )
    assert office.room().store.sendlog.plan(SLUG) is None


@pytest.mark.parametrize("leave", [subscribers.remove, "erase"], ids=["unsubscribed", "erased"])
def test_leaving_between_planning_and_sending_wins(office, leave):
    """Standards U12: also for recipients already queued."""
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=3)
        office.run("send", SLUG, "--yes", "--limit", "1")
        room = office.room()
        if leave == "erase":
            subscribers.erase(room.store.audience, room.tokens, "r002@example.org", NOW)
        else:
            leave(room.store.audience, "r002@example.org", NOW)
        answer = office.run("send", SLUG, "--yes", "--json")
    assert relay.received == ["r001@example.org", "r003@example.org"]
    assert (answer.code, answer.json["skipped"], answer.json["accepted"]) == (0, 1, 2)
    [row] = [row for row in office.log().values() if row.state == "skipped"]
    assert (row.email, row.reply) == {
        "erase": ("", "erased since the send was planned"),
    }.get(leave, ("r002@example.org", "unsubscribed since the send was planned"))


def test_limit_ends_a_run_and_the_next_goes_on(office):
    with Relay() as relay:
        office.use(relay, connections=2)
        everybody = office.subscribe(count=5)
        answers = [office.run("send", SLUG, "--yes", "--limit", "2") for _ in range(3)]
        assert ([answer.code for answer in answers], relay.received) == ([3, 3, 0], everybody)
    assert answers[0].err.endswith(f"Ended as --limit says, with 3 queued. Go on with: mailer send {SLUG}\n")
    assert "Ended" not in answers[2].err


def test_dry_run_shows_and_keeps_nothing(office):
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=2, green="green-jobs")
        answer = office.run("send", SLUG, "--dry-run", "--json")
    assert answer.json == {
        "issue": SLUG, "audience": 3, "accepted": 0, "refused": 0, "deferred": 0, "unknown": 0, "skipped": 0,
        "queued": 3, "editions": 2, "seconds": 0.0,
    }  # fmt: skip
    assert answer.err.endswith("Nothing was sent: this was a dry run.\n")
    assert (answer.code, relay.connections, office.room().store.sendlog.plan(SLUG)) == (0, 0, None)


def test_json_is_the_only_thing_on_standard_output(office):
    with Relay({"RCPT r002@example.org": "554 5.7.1 no"}) as relay:
        office.use(relay)
        office.subscribe(count=2)
        answer = office.run("send", SLUG, "--json", typed="y\n")
    seconds = answer.json["seconds"]
    assert answer.json == {
        "issue": SLUG, "audience": 2, "accepted": 1, "refused": 1, "deferred": 0, "unknown": 0, "skipped": 0,
        "queued": 0, "editions": 1, "seconds": seconds,
    }  # fmt: skip
    assert answer.code == 3
    assert office.run("status", SLUG, "--json").json == answer.json | {"begin_at": "", "pace": []}


def test_a_changed_issue_is_refused_with_what_changed_and_planned_anew_when_nothing_was_sent(office):
    with Relay() as relay:
        office.use(relay)
        office.subscribe("first@example.org")
        planned = office.plan().store.sendlog.plan(SLUG)
        office.write_issue(CHANGED)
        office.subscribe("second@example.org")
        refused = office.run("send", SLUG, "--yes")
        assert (refused.code, refused.err) == (
            1,
            f"Error: issue {SLUG} has changed since it was planned at {planned.planned_at}:\n"
            "  - story “coops” changed\n  - the front matter changed\n"
            f"Nothing was sent yet: plan it anew with: mailer send {SLUG} --replan\n",
        )
        declined = office.run("send", SLUG, "--replan", typed="n\n")
        assert (declined.code, office.room().store.sendlog.plan(SLUG)) == (1, planned)
        assert office.run("send", SLUG, "--replan", "--yes").code == 0
        assert relay.received == ["first@example.org", "second@example.org"]


@pytest.mark.parametrize(
    "reply", ["250 2.0.0 Ok", "450 4.2.1 later", "550 5.1.1 no"], ids=["accepted", "deferred", "refused"]
)
def test_what_was_partly_sent_can_neither_change_nor_be_planned_anew(office, reply):
    with Relay({"content": reply}) as relay:
        office.use(relay)
        office.subscribe(count=2)
        office.run("send", SLUG, "--yes", "--limit", "1", "--no-wait")
        replanned = office.run("send", SLUG, "--yes", "--replan")
        office.write_issue(CHANGED)
        assert len(relay.mails) == 1
        changed = office.run("send", SLUG, "--yes", "--no-wait")
        assert {parsed(mail)["Subject"] for mail in relay.mails} == {"Two stories"}
        assert relay.received == ["r001@example.org", "r002@example.org"]
    assert (replanned.code, replanned.err) == (
        1,
        f"Error: issue {SLUG} is partly sent and cannot be planned anew; go on with: mailer send {SLUG}\n",
    )
    assert "who still wait" in changed.err


def test_a_second_send_of_the_same_issue_is_refused_with_the_process_named(office):
    gate = Gate("250 2.0.0 Ok")
    with Relay({"content": gate}) as relay:
        office.use(relay)
        office.subscribe(count=1)
        first = office.start("send", SLUG, "--yes")
        gate.wait()
        second = office.run("send", SLUG, "--yes")
        gate.open()
        assert finish(first).code == 0
        assert len(relay.mails) == 1
    assert (second.code, second.err) == (
        1,
        f"Error: issue {SLUG} is being sent by process {first.pid}. Wait for it, look with mailer status {SLUG}, "
        f"or end it with mailer stop {SLUG}\n",
    )


ONLY_COOPS = """\
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
CHANGED = """\
---
title: Enterprises Newsletter
date: 2018-12-14
subject: Two stories, one of them mended
preheader: One about cooperatives, one for everybody, and nothing else at all
---

Welcome.

# News {#news}

## Cooperatives grow {#coops topics=cooperatives}

They [grow faster](https://example.org/grow).

[Read the report](https://example.org/report){.button}

## For everybody {#all}

Something for all of us.
"""


def test_an_issue_with_errors_says_so_before_the_question_and_one_without_does_not(office):
    office.subscribe(count=1)
    told = f"It has 2 errors, which readers would meet. See them: mailer check {SLUG}\n"
    assert "mailer check" not in office.run("send", SLUG, typed="n\n").err
    todo = "[One](https://example.org/TODO) and [another](https://example.org/TODO).\n"
    office.write_issue(f"{ISSUE}\n{todo}")
    answer = office.run("send", SLUG, typed="n\n")
    assert (answer.code, answer.err.count(told)) == (1, 1)
    assert answer.err.index(told) < answer.err.index("Send?")
    unasked = office.run("send", SLUG, "--yes")
    assert (unasked.code, office.room().store.sendlog.plan(SLUG)) == (1, None)
    assert "--yes answers only for an issue without errors" in unasked.err


@pytest.mark.parametrize(
    ("script", "more", "why", "minutes"),
    [
        ({}, 'limits = "1/h"', "a limit is used up, with 2 queued", 60),
        ({}, 'limits = "1/d"', "a limit is used up, with 2 queued", 1440),
        ({}, "warmup = [1, 2]", "a limit is used up, with 2 queued", 1440),
        ({}, '[tool.mailer.smtp.domains]\n"example.org" = "1/h"', "a limit is used up, with 2 queued", 60),
        (
            {"RCPT": ["450 4.2.1 Busy", "250 Ok"]},
            'limits = "1/h"',
            "a limit is used up, with 1 queued and 1 deferred",
            5,
        ),
        ({"RCPT": "450 4.2.1 Busy"}, "", "what was put off is not due yet, with 3 deferred", 5),
    ],
    ids=["an hour", "a day", "warm-up", "a domain's", "an hour, and deferred", "deferred"],
)
def test_a_run_that_does_not_wait_exits_with_3_and_says_what_is_left_and_when_it_may_go(
    office, script, more, why, minutes
):
    begun = datetime.now(UTC).astimezone()
    with Relay(script) as relay:
        office.use(relay, more=more)
        office.subscribe(count=3)
        answer = office.run("send", SLUG, "--yes", "--no-wait")
    said = re.search(r"Nothing more may go now: (.*)\. Go on, from (.*), with: mailer send 2019-01\n$", answer.err)
    assert (answer.code, said[1]) == (3, why)
    after = datetime.fromisoformat(said[2]).astimezone() - begun
    assert timedelta(minutes=minutes - 1) <= after <= timedelta(minutes=minutes + 3)


def test_an_issue_in_a_newsroom_without_any_is_told_so(office):
    shutil.rmtree(office.root / "issues")
    (office.root / "issues").mkdir()
    answer = office.run("send", SLUG, "--yes")
    told = f"Error: there is no issue “{SLUG}” in {office.root}/issues. There is none yet.\n"
    assert (answer.code, answer.err) == (1, told)
