"""A run over a planned issue against a real server: connections, replies, retries, stopping."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sending import NOW, SLUG
from smtp_relay import HANG_UP, Gate, Relay

from mailer.audience import subscribers
from mailer.errors import RelayError
from mailer.models import Claim, DeliveryState, Outcome, Reply, Step, Subscriber

SECOND = "r002@example.org"


def go(office, clock, wait=False, limit=0):
    """Send what can be sent now."""
    return asyncio.run(office.sending(clock, limit).go(wait))


async def beside(run, step):
    """A run, and what a test does meanwhile, in a thread of its own."""
    balance, _ = await asyncio.gather(run.go(wait=True), asyncio.to_thread(step))
    return balance


def test_as_many_connections_as_configured_are_opened_and_each_is_used_again(office, clock):
    gate = Gate()
    with Relay({"content": [gate, gate, gate, "250 Ok"]}) as relay:
        office.use(relay, connections=3)
        everybody = office.subscribe(count=12)
        office.plan()

        def until_three_wait():
            relay.wait_for(lambda: len(relay.mails) == 3)
            gate.open()

        balance = asyncio.run(beside(office.sending(clock), until_three_wait))
        assert (balance.accepted, relay.received) == (12, everybody)
        assert relay.connections == 3
        assert sorted(Counter(mail.connection for mail in relay.mails)) == [1, 2, 3]


def test_a_reply_is_in_the_log_before_the_next_content_on_that_connection(office, clock):
    """DESIGN section 7, read from another connection to the store."""
    gates = {f"content r00{number}@example.org": Gate() for number in (2, 3)}
    with Relay(gates) as relay:
        office.use(relay)
        office.subscribe(count=3)
        office.plan()
        seen = []

        def look():
            for gate in gates.values():
                gate.wait()
                seen.append(list(office.states().values()))
                gate.open()

        asyncio.run(beside(office.sending(clock), look))
    assert [states[:2] for states in seen] == [["accepted", "claimed"], ["accepted", "accepted"]]


REPLIES = [
    ("RCPT r002@example.org", "450 4.2.1 Mailbox busy", "deferred", 450, "4.2.1", "4.2.1 Mailbox busy", "rcpt"),
    ("RCPT r002@example.org", "452 4.2.2 Full", "deferred", 452, "4.2.2", "4.2.2 Full", "rcpt"),
    ("RCPT r002@example.org", "421 4.3.2 Going down", "deferred", 421, "4.3.2", "4.3.2 Going down", "rcpt"),
    ("RCPT r002@example.org", "550-5.1.1 No\r\n550 such user", "refused", 550, "5.1.1", "5.1.1 No such user", "rcpt"),
    ("RCPT r002@example.org", HANG_UP, "deferred", 0, "", "the server closed the connection", "rcpt"),
    ("DATA r002@example.org", "451 4.3.0 Later", "deferred", 451, "4.3.0", "4.3.0 Later", "data"),
    ("DATA r002@example.org", "554 No [spam] here", "refused", 554, "", "No [spam] here", "data"),
    ("DATA r002@example.org", HANG_UP, "deferred", 0, "", "the server closed the connection", "data"),
    ("content r002@example.org", "451 4.7.1 Greylisted", "deferred", 451, "4.7.1", "4.7.1 Greylisted", "content"),
    ("content r002@example.org", "421 4.7.0 Slow down", "deferred", 421, "4.7.0", "4.7.0 Slow down", "content"),
    ("content r002@example.org", "552 5.3.4 Too big", "refused", 552, "5.3.4", "5.3.4 Too big", "content"),
    ("content r002@example.org", HANG_UP, "unknown", 0, "", "the server closed the connection", "content"),
]


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelining", "plain"])
@pytest.mark.parametrize(
    ("step", "reply", *"state code enhanced text where".split()),
    REPLIES,
    ids=[f"{step.split()[0]}-{reply[:3] or 'cut'}" for step, reply, *_ in REPLIES],
)
def test_a_reply_decides_its_own_delivery_and_no_other(
    office, clock, extensions, step, reply, state, code, enhanced, text, where
):
    with Relay({step: reply}, extensions=extensions) as relay:
        office.use(relay)
        office.subscribe(count=4)
        office.plan()
        go(office, clock)
        received = relay.received
    log = office.log()
    row = log.pop(SECOND)
    assert (row.state, row.code, row.enhanced, row.reply, row.step, row.attempts) == (
        *(state, code, enhanced, text, where, 1),
    )
    assert {other.state for other in log.values()} == {"accepted"}
    assert received == sorted([*log, SECOND] if where == "content" else log)


def test_a_delivery_put_off_is_tried_again_when_it_is_due_and_not_before(office, clock):
    with Relay({f"RCPT {SECOND}": ["450 4.2.1 Busy", "451 4.7.1 Greylisted", "250 Ok"]}) as relay:
        office.use(relay, retry='["5m", "30m"]')
        office.subscribe(count=3)
        office.plan()
        tries = []
        for minutes, seconds in ((0, 0), (4, 59), (0, 1), (29, 59), (0, 1)):
            clock.now += timedelta(minutes=minutes, seconds=seconds)
            go(office, clock)
            row = office.log()[SECOND]
            tries.append((row.attempts, row.state, row.next_at[11:19]))
        assert tries == [
            (1, "deferred", "08:05:00"),
            (1, "deferred", "08:05:00"),
            (2, "deferred", "08:35:00"),
            (2, "deferred", "08:35:00"),
            (3, "accepted", ""),
        ]
        assert relay.received == ["r001@example.org", SECOND, "r003@example.org"]
    assert row.settled_at == "2018-12-14T08:35:00Z"
    assert office.room().store.sendlog.attempts(SLUG, row.subscriber_id) == [
        ("2018-12-14T08:00:00Z", "rcpt", 450, "4.2.1 Busy"),
        ("2018-12-14T08:05:00Z", "rcpt", 451, "4.7.1 Greylisted"),
    ]


def test_retries_used_up_count_as_refused_and_keep_the_reply(office, clock):
    with Relay({"content": "450 4.2.2 Full"}) as relay:
        office.use(relay, retry='["5m"]')
        office.subscribe(count=1)
        office.plan()
        go(office, clock)
        clock.now += timedelta(minutes=5)
        balance = go(office, clock)
        clock.now += timedelta(days=9)
        go(office, clock)
        assert len(relay.mails) == 2
    [row] = office.log().values()
    assert (balance.refused, balance.closed) == (1, True)
    assert (row.state, row.code, row.enhanced, row.reply, row.step, row.attempts) == (
        *("refused", 450, "4.2.2", "gave up after 2 attempts: 4.2.2 Full", "content", 2),
    )


def test_waiting_for_deferred_deliveries_ends_with_their_acceptance(office):
    from mailer.newsroom import clock

    with Relay({"content": ["450 Later", "250 Ok"]}) as relay:
        office.use(relay, retry='["1s"]')
        office.subscribe(count=1)
        office.plan()
        balance = go(office, clock, wait=True)
        assert (balance.accepted, len(relay.mails)) == (1, 2)


def test_a_run_that_waits_can_be_stopped(office, clock):
    with Relay({"content": "450 Later"}) as relay:
        office.use(relay)
        office.subscribe(count=1)
        office.plan()

        async def stopped():
            run = office.sending(clock)
            going = asyncio.ensure_future(run.go(wait=True))
            while run.waiting_until is None:
                await asyncio.wait([going], timeout=0)
            run.stop()
            return await going, run.tally.attempts

        balance, attempts = asyncio.run(stopped())
    assert (balance.deferred, attempts) == (1, 1)


def test_stopping_finishes_what_is_in_flight(office, clock):
    gate = Gate()
    with Relay({"content": gate}) as relay:
        office.use(relay, connections=2)
        office.subscribe(count=20)
        office.plan()
        run = office.sending(clock)

        async def stopped():
            going = asyncio.ensure_future(run.go(wait=True))
            await asyncio.to_thread(relay.wait_for, lambda: len(relay.mails) == 2)
            run.stop()
            gate.open()
            return await going

        balance = asyncio.run(stopped())
        assert balance.accepted == len(relay.mails) < 20
    assert (balance.unknown, balance.claimed, balance.queued) == (0, 0, 20 - balance.accepted)


def test_unknown_is_never_sent_again_by_itself(office, clock):
    with Relay({f"content {SECOND}": HANG_UP}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=3)
        office.plan()
        for _ in range(3):
            balance = go(office, clock)
            clock.now += timedelta(days=1)
        assert (balance.accepted, balance.unknown, balance.closed) == (2, 1, True)
        assert relay.received == everybody


@pytest.mark.parametrize("closes_after", [1, 2, 5])
def test_a_relay_that_hangs_up_after_some_messages_is_nobodys_fault(office, clock, closes_after):
    """Yahoo limits messages per connection by closing without a reply (standards, section 2.4)."""
    with Relay(closes_after=closes_after) as relay:
        office.use(relay)
        everybody = office.subscribe(count=6)
        office.plan()
        go(office, clock)
        assert relay.received == everybody
        assert relay.connections == -(-6 // closes_after)
    assert {(row.state, row.attempts) for row in office.log().values()} == {("accepted", 1)}


def test_a_limit_counts_messages_whatever_the_relay_does_to_connections(office, clock):
    with Relay(closes_after=1) as relay:
        office.use(relay)
        office.subscribe(count=6)
        office.plan()
        balance = go(office, clock, limit=4)
        assert (len(relay.mails), balance.accepted, balance.queued) == (4, 4, 2)


def test_leaving_while_the_message_is_being_announced_wins(office, clock):
    """Standards U12: the content must not go out after the wish to leave is stored."""
    gate = Gate()
    with Relay({f"DATA {SECOND}": gate}) as relay:
        office.use(relay)
        office.subscribe(count=3)
        room = office.plan()

        def leave():
            gate.wait()
            subscribers.remove(office.room().store.audience, SECOND, NOW)
            gate.open()

        balance = asyncio.run(beside(office.sending(clock), leave))
        assert relay.received == ["r001@example.org", "r003@example.org"]
    assert (balance.skipped, balance.accepted) == (1, 2)
    assert office.log()[SECOND].reply == "unsubscribed since the send was planned"
    assert room.store.sendlog.balance(SLUG).closed


def test_many_who_left_do_not_hide_those_behind_them(office, clock):
    """More than one batch of claims is skipped before somebody is left to write to."""
    with Relay() as relay:
        office.use(relay)
        everybody = office.subscribe(count=130)
        room = office.plan()
        for address in everybody[:-1]:
            subscribers.remove(room.store.audience, address, NOW)
        balance = go(office, clock)
        assert relay.received == ["r130@example.org"]
    assert (balance.skipped, balance.accepted, balance.closed) == (129, 1, True)


def test_a_refused_sender_stops_the_run_before_it_burns_the_list(office, clock):
    with Relay({"MAIL": "550 5.1.8 Sender unknown"}) as relay:
        office.use(relay)
        office.subscribe(count=5)
        room = office.plan()
        with pytest.raises(RelayError) as refused:
            go(office, clock)
        url = relay.url
    assert str(refused.value) == (
        f"{url} refuses the sender newsletter@example.org: 550 5.1.8 Sender unknown. "
        f"Nothing is lost; go on with: mailer send {SLUG}"
    )
    assert room.store.sendlog.balance(SLUG).queued == 5


def test_a_server_that_hangs_up_on_an_idle_connection_puts_nobody_off(office, clock, monkeypatch):
    """A slow rate leaves connections idle; that the relay tires of them is no one's fault (standards G3)."""
    monkeypatch.setattr("mailer.deliver.smtp._IDLE", -1.0)  # every connection counts as idle
    with Relay({"MAIL": [HANG_UP, "250 2.1.0 Ok"]}) as relay:
        office.use(relay)
        (one,) = office.subscribe(count=1)
        office.plan()
        assert go(office, clock).accepted == 1
        assert (relay.received, relay.connections, office.log()[one].attempts) == ([one], 2, 1)


def test_what_a_server_said_before_it_hung_up_is_kept(office, clock):
    """RFC 5321 section 3.8: a server that is about to close says 421."""
    with Relay({"RCPT": ["421 4.3.2 Going down"]}) as relay:
        office.use(relay)
        (one,) = office.subscribe(count=1)
        office.plan()
        go(office, clock)
    row = office.log()[one]
    assert (row.state, row.code, row.reply, row.step) == ("deferred", 421, "4.3.2 Going down", "rcpt")


def test_a_refused_greeting_of_one_connection_does_not_end_in_success(office, clock):
    """Whatever the other connection had taken by then, what is left is told."""
    with Relay({"greeting": ["220 relay", "554 5.3.2 No service"]}) as relay:
        office.use(relay, connections=2)
        office.subscribe(count=300)
        office.plan()
        with pytest.raises(RelayError, match="No service"):
            go(office, clock)
    accepted = sorted(who for who, state in office.states().items() if state == "accepted")
    assert accepted == sorted(relay.received)
    assert list(office.states().values()).count("queued") == 300 - len(accepted) > 0


def test_a_settled_row_is_never_written_again(office, clock):
    """The send log is proof: only what a run holds can be offered or recorded."""
    with Relay() as relay:
        office.use(relay)
        (one,) = office.subscribe(count=1)
        room = office.plan()
        go(office, clock)
    log, row = room.store.sendlog, office.log()[one]
    assert not log.offer("2019-01", row.subscriber_id, "2018-12-15T08:00:00Z")
    claim = Claim(Subscriber(one, id=row.subscriber_id), row.edition, 0)
    log.record("2019-01", claim, Outcome(DeliveryState.REFUSED, Reply(550, "no", Step.RCPT)), "2018-12-15T08:00:00Z")
    assert office.log()[one] == row
