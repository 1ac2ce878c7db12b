"""`mailer send` interrupted and killed: nothing lost, nothing twice, and what cannot be known is named."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
from sending import SLUG, finish
from smtp_relay import Gate, Relay

CUT_SHORT = "The last run was cut short: {} went out without a reply being read and are unknown."


def test_killed_three_times_and_run_again_reaches_everybody_once(office):
    """DESIGN section 7: whatever kills the process, at most one delivery per open connection is unknown, and named."""
    with Relay() as relay:
        office.use(relay, connections=4)
        everybody = office.subscribe(count=24)
        held: list[str] = []
        for done in (7, 14, 21):
            # Three replies, then each of the four connections has sent a content and waits.
            relay.follow({"content": ["250 Ok", "250 Ok", "250 Ok", Gate("250 Held")]})
            process = office.start("send", SLUG, "--yes")
            relay.wait_for(lambda done=done: len(relay.mails) == done)
            process.kill()
            killed = finish(process)
            assert killed.code == -signal.SIGKILL
            assert (CUT_SHORT.format(4) in " ".join(killed.err.split())) == bool(held)
            held = sorted(mail.recipient for mail in relay.mails if mail.reply == "250 Held")
        relay.follow({})
        last = office.run("send", SLUG, "--yes")
        assert Counter(relay.received) == Counter(everybody)
    unknown = office.run("log", SLUG, "--state", "unknown", "--format", "json").json
    assert [row["email"] for row in unknown] == held
    assert office.states() == {who: "unknown" if who in held else "accepted" for who in everybody}
    assert last.code == 3
    assert f"12 could not be decided and will not be sent again by themselves: mailer log {SLUG}" in " ".join(
        last.out.split()
    )


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_killed_before_the_content_nothing_is_unknown(office, step):
    gate = Gate()
    with Relay({step: gate}) as relay:
        office.use(relay, connections=2)
        everybody = office.subscribe(count=4)
        process = office.start("send", SLUG, "--yes")
        gate.wait()
        process.kill()
        finish(process)
        gate.open()
        assert relay.received == []
        assert office.run("send", SLUG, "--yes").code == 0
        assert relay.received == everybody


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["ctrl-c", "sigterm", "terminal-closed"]
)
def test_interrupted_finishes_what_is_in_flight_and_says_how_to_go_on(office, number):
    gate = Gate()
    with Relay({"content r001@example.org": gate}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=9)
        process = office.start("send", SLUG, "--yes")
        gate.wait()
        process.send_signal(number)
        told = wait_for_line(process, "Stopping")
        gate.open()
        answer = finish(process)
        states = Counter(office.states().values())
        assert told == "Stopping: finishing what is in flight. Ctrl-C stops at once.\n"
        assert answer.code == 130
        assert answer.err.endswith(f"Stopped. What was in flight is recorded; go on with: mailer send {SLUG}\n")
        assert f"Not finished. Go on with: mailer send {SLUG}" in answer.out
        assert office.states()["r001@example.org"] == "accepted"
        assert states["accepted"] == len(relay.mails)
        assert states == {"accepted": len(relay.mails), "queued": 9 - len(relay.mails)}
        assert office.run("send", SLUG, "--yes").code == 0
        assert relay.received == everybody


def test_interrupted_twice_stops_at_once_and_names_what_is_unknown(office):
    gate = Gate()
    with Relay({"content r001@example.org": gate}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=3)
        process = office.start("send", SLUG, "--yes", "--json")
        gate.wait()
        process.send_signal(signal.SIGINT)
        wait_for_line(process, "Stopping")
        process.send_signal(signal.SIGINT)
        answer = finish(process)
        gate.open()
        assert (answer.code, answer.json["unknown"], answer.json["queued"]) == (130, 1, 2)
        assert answer.err.endswith(f"go on with: mailer send {SLUG}\n")
        assert office.states()["r001@example.org"] == "unknown"
        assert office.run("send", SLUG, "--yes").code == 3
        assert relay.received == everybody


def test_asked_to_stop_twice_it_still_finishes_what_is_in_flight(office):
    """A second `mailer stop`, or a terminal that closes meanwhile, leaves nothing unknown; only Ctrl-C does."""
    gate = Gate()
    with Relay({"content r001@example.org": gate}) as relay:
        office.use(relay)
        office.subscribe(count=3)
        process = office.start("send", SLUG, "--yes")
        gate.wait()
        process.send_signal(signal.SIGTERM)
        wait_for_line(process, "Stopping")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        gate.open()
        answer = finish(process)
    states = office.states()
    assert (answer.code, states["r001@example.org"], states["r003@example.org"]) == (130, "accepted", "queued")
    assert Counter(states.values()) == {"accepted": len(relay.mails), "queued": 3 - len(relay.mails)}


def test_under_nohup_a_closed_terminal_ends_nothing(office):
    gate = Gate()
    with Relay({"content r001@example.org": gate}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=3)
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does; the command inherits it
        try:
            process = office.start("send", SLUG, "--yes")
        finally:
            signal.signal(signal.SIGHUP, before)
        gate.wait()
        process.send_signal(signal.SIGHUP)
        gate.open()
        assert finish(process).code == 0
        assert relay.received == everybody


def test_in_a_terminal_it_asks_and_one_line_moves(office):
    gate = Gate()
    with Relay({"content r002@example.org": gate}) as relay:
        office.use(relay)
        office.subscribe(count=2)
        terminal, inside = os.openpty()
        process = office.start("send", SLUG, stdin=inside, stderr=inside, env={"TERM": "xterm", "COLUMNS": "80"})
        os.close(inside)
        shown = read_until(terminal, "Send? [y/N]")
        os.write(terminal, b"y\n")
        shown += read_until(terminal, "1 of 2,")
        gate.open()
        answer = finish(process)
        os.close(terminal)
    assert "2 people get 1 edition" in shown
    assert answer.code == 0
    assert "Finished: the balance closes." in answer.out


def wait_for_line(process, beginning: str) -> str:
    """Read the command's messages up to this one."""
    for line in process.stderr:
        if line.startswith(beginning):
            return line
    raise AssertionError(f"it ended without saying {beginning}")


def read_until(terminal: int, text: str) -> str:
    """Everything up to this text, which must come."""
    shown = ""
    while text not in shown:
        shown += os.read(terminal, 4096).decode()
    return shown


def test_status_and_log_tell_a_running_send_from_one_that_was_killed(office):
    gate = Gate()
    with Relay({"content": gate}) as relay:
        office.use(relay, connections=1)
        office.subscribe(count=1)
        process = office.start("send", SLUG, "--yes")
        gate.wait()
        running = office.run("status", SLUG)
        process.kill()
        finish(process)
        killed, log = office.run("status", SLUG), office.run("log", SLUG, "--state", "unknown")
        gate.open()
    cut_short = (
        "The last run was cut short while it held 1: those on their way, at most one a connection, will be unknown. Go"
    )
    assert f"Process {process.pid} is sending it now; end that with: mailer stop {SLUG}\n" in running.out
    assert cut_short in " ".join(killed.out.split())
    assert log.out == f"Nobody is unknown in {SLUG}.\n"
    assert log.err.startswith(cut_short)
