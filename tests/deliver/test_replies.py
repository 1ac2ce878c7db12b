"""Every step at which a conversation can turn, each with its state, reply and step in the log (RFC 5321 sec. 4.2)."""

from __future__ import annotations

import asyncio

import pytest
from sending import SLUG
from smtp_relay import HANG_UP, Gate, Relay

from mailer.errors import RelayError

USUAL = {"MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 Go on", "content": "250 2.0.0 Ok"}
STEPS = tuple(USUAL)
WAYS = pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelined", "step by step"])


def send_three(office, clock, step: str, reply: str, extensions: tuple[str, ...]):
    """Three messages over one connection; the second meets `reply` at `step`. Returns the rows and the relay."""
    with Relay({step: [USUAL[step], reply, USUAL[step]]}, extensions=extensions) as relay:
        office.use(relay, connections=1, timeout="2s")
        people = office.subscribe(count=3)
        office.plan()
        asyncio.run(office.sending(clock).go(wait=False))
    rows = office.log()
    return [rows[who] for who in people], relay, people


@WAYS
@pytest.mark.parametrize(
    ("step", "code"),
    [(step, code) for step in STEPS for code in (421, 450, 451, 452, 454) if (step, code) != ("MAIL", 421)],
)
def test_4xx_puts_one_off_and_leaves_the_others_alone(office, clock, step, code, extensions):
    (first, second, third), relay, people = send_three(office, clock, step, f"{code} 4.7.0 Not now", extensions)
    assert (second.state, second.code, second.enhanced, second.reply, second.step, second.attempts) == (
        *("deferred", code, "4.7.0", "4.7.0 Not now"),
        *(step.lower(), 1),
    )
    assert (first.state, third.state) == ("accepted", "accepted")
    assert {people[0], people[2]} <= set(relay.received)


@WAYS
def test_421_at_mail_behind_a_message_is_a_goodbye_and_nobody_waits(office, clock, extensions):
    """Yahoo and others end a connection after some messages (standards G3); the next is sent over a new one at once."""
    rows, relay, people = send_three(office, clock, "MAIL", "421 4.7.0 Enough", extensions)
    assert [(row.state, row.attempts) for row in rows] == [("accepted", 1)] * 3
    assert (relay.received, relay.connections) == (sorted(people), 2)


@WAYS
@pytest.mark.parametrize("code", [550, 552, 553, 554])
@pytest.mark.parametrize("step", STEPS[1:])
def test_5xx_refuses_one_and_leaves_the_others_alone(office, clock, step, code, extensions):
    (first, second, third), _, _ = send_three(office, clock, step, f"{code} 5.1.1 No", extensions)
    assert (second.state, second.code, second.enhanced, second.reply, second.step) == (
        *("refused", code, "5.1.1", "5.1.1 No"),
        step.lower(),
    )
    assert (first.state, third.state) == ("accepted", "accepted")


@WAYS
def test_a_message_too_big_at_mail_is_refused_and_the_others_go_on(office, clock, extensions):
    """RFC 1870 section 6.1: 552 to MAIL is about this message's size."""
    (first, second, third), _, _ = send_three(office, clock, "MAIL", "552 5.3.4 Too big", extensions)
    assert (first.state, second.state, third.state) == ("accepted", "refused", "accepted")


@WAYS
@pytest.mark.parametrize("code", [550, 553, 554])
def test_a_refused_sender_stops_the_issue_and_refuses_nobody(office, clock, code, extensions):
    with Relay({"MAIL": f"{code} 5.7.1 Not you"}, extensions=extensions) as relay:
        office.use(relay, connections=1)
        office.subscribe(count=3)
        office.plan()
        with pytest.raises(RelayError, match=f"refuses the sender .*{code} 5.7.1 Not you"):
            asyncio.run(office.sending(clock).go(wait=False))
    assert list(office.states().values()) == ["queued"] * 3


@WAYS
@pytest.mark.parametrize(
    ("step", "state"), [("RCPT", "deferred"), ("DATA", "deferred"), ("content", "unknown")], ids=STEPS[1:]
)
def test_a_broken_connection_is_deferred_before_the_dot_and_unknown_behind_it(office, clock, step, state, extensions):
    """RFC 1047: behind the final dot nobody can know."""
    (first, second, third), _, _ = send_three(office, clock, step, HANG_UP, extensions)
    assert (second.state, second.code, second.step) == (state, 0, step.lower())
    assert (first.state, third.state) == ("accepted", "accepted")


@WAYS
@pytest.mark.parametrize(
    ("said", "state", "kept"),
    [
        ("250-2.0.0 Ok\r\n250-and\r\n250 more", "accepted", "2.0.0 Ok and more"),
        ("250 " + "long " * 3_000, "accepted", ("long " * 3_000)[:1_000]),
        ("250", "accepted", ""),
        ("299 Whatever", "accepted", "Whatever"),
        ("354 Go on", "unknown", "Go on"),
        ("999 What?", "unknown", "What?"),
        ("HTTP/1.1 400 Bad Request", "unknown", "the server said something that is no SMTP reply: 'HTTP/1.1 400 Bad R"),
        ("250 " + "x" * 70_000, "unknown", "the reply is longer than 65536 bytes"),
    ],
    ids=["many lines", "15 KB", "no text", "another 2xx", "354", "999", "another protocol", "70 KB"],
)
def test_odd_replies_to_the_content_are_kept_and_never_sent_again(office, clock, said, state, kept, extensions):
    (first, second, third), relay, people = send_three(office, clock, "content", said, extensions)
    assert (second.state, second.reply[: len(kept)]) == (state, kept)
    assert (first.state, third.state) == ("accepted", "accepted")
    assert relay.received == sorted(people)
    assert office.run("status", SLUG, "--json").json["unknown"] == (state == "unknown")


@WAYS
def test_a_reply_that_never_comes_is_unknown_after_the_time_out(office, clock, extensions):
    with Relay({"content": Gate()}, extensions=extensions) as relay:
        office.use(relay, connections=1, timeout="1s")
        (one,) = office.subscribe(count=1)
        office.plan()
        asyncio.run(office.sending(clock).go(wait=False))
    row = office.log()[one]
    assert (row.state, row.reply, row.step) == ("unknown", "no reply within 1 seconds", "content")
