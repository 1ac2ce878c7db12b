"""Paces, kept against real servers: limits that outlive a restart, domains side by side, several relays."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sending import SLUG, finish
from smtp_relay import Gate, Relay

from mailer.deliver.job import Tally


def go(office, clock) -> Tally:
    """One run of its own process, as far as it may go now."""
    run = office.sending(clock)
    asyncio.run(run.go(wait=False))
    return run.tally


def go_with(office, clock, step) -> Tally:
    """A run, and what a test does meanwhile, in a thread of its own."""

    async def both(run):
        await asyncio.gather(run.go(wait=False), asyncio.to_thread(step))
        return run.tally

    return asyncio.run(both(office.sending(clock)))


def accepted(office) -> int:
    return list(office.states().values()).count("accepted")


def by_domain(relay: Relay) -> dict[str, int]:
    return dict(Counter(recipient.partition("@")[2] for recipient in relay.received))


def test_a_limit_an_hour_rolls_on_over_restarts(office, clock):
    with Relay() as relay:
        office.use(relay, connections=2, more='limits = "3/h"')
        office.subscribe(count=5)
        office.plan()
        sent = []
        for minutes in (0, 30, 29, 1, 0):
            clock.now += timedelta(minutes=minutes)
            go(office, clock)
            sent.append(accepted(office))
    assert sent == [3, 3, 3, 5, 5]
    assert set(office.states().values()) == {"accepted"}


def test_what_is_refused_before_its_content_does_not_count(office, clock):
    with Relay({"RCPT r002@example.org": "550 5.1.1 no such user"}) as relay:
        office.use(relay, more='limits = ["100/s", "2/d"]')
        office.subscribe(count=3)
        office.plan()
        go(office, clock)
    assert list(office.states().values()) == ["accepted", "refused", "accepted"]


def test_mail_to_one_domain_does_not_wait_for_another(office, clock):
    with Relay() as relay:
        office.use(relay, more='domains = { "example.com" = "2/h" }')
        office.subscribe(*(f"a{number}@example.com" for number in range(150)), count=3)
        office.plan()
        go(office, clock)
        assert by_domain(relay) == {"example.com": 2, "example.org": 3}
        clock.now += timedelta(hours=1)
        go(office, clock)
        assert by_domain(relay) == {"example.com": 4, "example.org": 3}


def test_a_warm_up_begins_with_the_first_message_and_grows_by_days(office, clock):
    with Relay() as relay:
        office.use(relay, more="warmup = [2, 3]")
        office.subscribe(count=9)
        office.room().job(office.room().compose(SLUG)).gates(office.room().store.sendlog.pace, 1)  # a forecast is none
        office.plan()
        sent = []
        for hours in (0, 23, 1, 23, 1):
            clock.now += timedelta(hours=hours)
            go(office, clock)
            sent.append(accepted(office))
    assert sent == [2, 2, 5, 5, 9]


def test_a_connection_carries_no_more_messages_than_configured(office, clock):
    with Relay() as relay:
        office.use(relay, more="messages_per_connection = 2")
        office.subscribe(count=5)
        office.plan()
        go(office, clock)
    assert Counter(mail.connection for mail in relay.mails) == {1: 2, 2: 2, 3: 1}
    assert not any(event == "RSET" for _, event in relay.events)


def test_a_domain_that_asks_for_less_is_slowed_and_the_log_shows_it(office, clock):
    busy = {f"content b{number}@example.com": "451 4.7.1 slow down" for number in (30, 31, 32)}
    with Relay(busy) as relay:
        office.use(relay)
        office.subscribe(*(f"b{number}@example.com" for number in range(10, 35)), count=20)
        office.plan()
        tally = go(office, clock)
    [change] = office.room().store.sendlog.pace.slowdowns(SLUG)
    assert (change.name, change.reply, list(tally.slowed)) == ("example.com", "451 4.7.1 slow down", ["example.com"])
    assert change.rate == round(tally.slowed["example.com"], 3) > 0
    assert Counter(office.states().values()) == {"accepted": 42, "deferred": 3}
    shown = office.run("log", SLUG, "--pace").out
    assert "example.com" in shown
    assert "451 4.7.1 slow down" in shown
    assert office.run("status", SLUG, "--json").json["pace"] == [
        {"at": change.at, "name": "example.com", "rate": change.rate, "reply": change.reply}
    ]


@pytest.mark.parametrize(
    "reply",
    ["451 4.7.1 Greylisting in action, come back later", "450 4.2.1 mailbox busy", "452 4.2.2 mailbox full"],
    ids=["greylisting", "a mailbox", "a full one"],
)
def test_what_concerns_one_recipient_slows_nothing(office, clock, reply):
    """Many servers put off the first message to each address; that says nothing of the rate."""
    with Relay({"RCPT": reply}) as relay:
        office.use(relay)
        office.subscribe(count=30)
        office.plan()
        tally = go(office, clock)
    assert (tally.slowed, office.room().store.sendlog.pace.slowdowns(SLUG)) == ({}, [])


def several(*relays: tuple[Relay, str]) -> str:
    return "".join(f'\n[[tool.mailer.smtp.relays]]\nurl = "{relay.url}"\n{lines}\n' for relay, lines in relays)


@pytest.mark.parametrize(("weights", "shares"), [((1, 1), (100, 100)), ((3, 1), (150, 50))], ids=["even", "3 to 1"])
def test_relays_share_the_mail_by_their_weights(office, clock, weights, shares):
    gate, other = Gate(), Gate()
    with Relay({"content": gate}) as one, Relay({"content": other}) as two:
        more = several(
            (one, f"weight = {weights[0]}\nconnections = 2"), (two, f"weight = {weights[1]}\nconnections = 2")
        )
        office.use("smtp://127.0.0.1:1", more=more)
        everybody = office.subscribe(count=200)
        office.plan()

        def until_both_are_at_work():
            gate.wait()
            other.wait()
            gate.open()
            other.open()

        go_with(office, clock, until_both_are_at_work)
    assert sorted(one.received + two.received) == everybody
    assert abs(len(one.mails) - shares[0]) <= 20  # the slack of 8 a weight, and what is in flight


def test_when_a_relay_is_away_another_does_its_work(office, clock):
    with Relay() as gone:
        url = gone.url
    with Relay() as here:
        more = f'\n[[tool.mailer.smtp.relays]]\nurl = "{url}"\n' + several((here, ""))
        office.use("smtp://127.0.0.1:1", more=more)
        everybody = office.subscribe(count=30)
        office.plan()
        go(office, clock)
    assert here.received == everybody


def test_a_relay_that_refuses_the_sender_is_left_and_its_message_goes_through_the_other(office, clock):
    gate = Gate()
    with Relay({"MAIL": "550 5.7.1 not here"}) as strict, Relay({"content": gate}) as open_one:
        office.use("smtp://127.0.0.1:1", more=several((strict, "weight = 5"), (open_one, "")))
        everybody = office.subscribe(count=30)
        office.plan()

        def until_it_refused():
            strict.wait_for(lambda: any(event.startswith("MAIL") for _, event in strict.events))
            gate.open()

        away = go_with(office, clock, until_it_refused).away
        assert list(away) == [strict.url]
        assert "550 5.7.1 not here" in away[strict.url]
    assert (open_one.received, strict.mails) == (everybody, [])


def test_a_relay_that_was_left_out_is_named_at_the_end(office):
    gate = Gate()
    with Relay({"MAIL": "550 5.7.1 not here"}) as strict, Relay({"content": gate}) as open_one:
        office.use("smtp://127.0.0.1:1", more=several((strict, "weight = 5"), (open_one, "")))
        office.subscribe(count=30)
        process = office.start("send", SLUG, "--yes")
        strict.wait_for(lambda: any(event.startswith("MAIL") for _, event in strict.events))
        gate.open()
        answer = finish(process)
        refusal = f"{strict.url} refuses the sender newsletter@example.org: 550 5.7.1 not here"
    assert (answer.code, answer.err.splitlines()[-1]) == (0, f"A relay was left out: {refusal}")


def test_a_login_without_a_password_names_the_variable_of_that_relay(office):
    office.subscribe(count=1)
    with Relay(login=("ann", "secret")) as relay:
        office.use("smtp://127.0.0.1:1", more=several((relay, 'name = "backup-one"')))
        answer = office.run("send", SLUG, "--yes")
    assert (answer.code, "; no password is set (MAILER_SMTP_PASSWORD_BACKUP_ONE). " in answer.err) == (4, True)


def test_each_relay_keeps_its_own_limit_and_the_other_takes_the_rest(office, clock):
    gate = Gate()
    with Relay() as small, Relay({"content": gate}) as large:
        office.use("smtp://127.0.0.1:1", more=several((small, 'limits = "4/h"'), (large, "")))
        office.subscribe(count=40)
        office.plan()

        def until_it_is_used_up():
            small.wait_for(lambda: len(small.mails) == 4)
            gate.open()

        go_with(office, clock, until_it_is_used_up)
    assert (len(small.mails), len(large.mails)) == (4, 36)


def test_every_relay_has_a_password_of_its_own(office, clock, monkeypatch):
    monkeypatch.setenv("MAILER_SMTP_PASSWORD_BACKUP_ONE", "secret two")
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "secret one")
    gate = Gate()
    with Relay({"content": gate}, login=("ann", "secret one")) as one, Relay(login=("bob", "secret two")) as two:
        office.use("smtp://127.0.0.1:1", more=several((one, ""), (two, 'name = "backup-one"')))
        office.subscribe(count=60)
        office.plan()

        def until_both_have_some():
            two.wait_for(lambda: bool(two.mails))
            gate.wait()
            gate.open()

        tally = go_with(office, clock, until_both_have_some)
    assert tally.away == {}
    assert len(one.mails) + len(two.mails) == 60
