"""Ended at random moments, again and again, then run to the end: nothing lost, nothing twice, the rest named.

KILLS=500 SEED=7 python -m pytest tests/deliver/test_kills.py      more of it, other moments
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter

import pytest
from sending import SLUG
from smtp_relay import Relay

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("SEED", "2018"))
MARGIN = 20  # mails that may come between the moment and its signal, however busy the machine is


@pytest.mark.parametrize("connections", [4, 50])
def test_whatever_ends_a_send_everybody_gets_the_issue_once_or_is_named(office, connections):
    """DESIGN section 7: at most one delivery for each open connection is unknown, each time the process is killed."""
    chance = random.Random(SEED + connections)
    ends = [chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]) for _ in range(KILLS // 2)]
    with Relay() as relay:
        office.use(relay, connections=connections)
        everybody = office.subscribe(count=(50 + MARGIN + connections) * len(ends) + 200)
        for number in ends:
            target = len(relay.mails) + chance.randint(1, 50)
            relay.hold_at(target + MARGIN)
            process = office.start("send", SLUG, "--yes")
            relay.wait_for(lambda target=target: len(relay.mails) >= target)
            process.send_signal(number)
            relay.hold_at(0)
            process.communicate()
            assert process.returncode == (-signal.SIGKILL if number is signal.SIGKILL else 130)
        office.run("send", SLUG, "--yes")
        received = Counter(mail.recipient for mail in relay.mails)
    states = office.states()
    accepted = {who for who, state in states.items() if state == "accepted"}
    unknown = {who for who, state in states.items() if state == "unknown"}
    assert accepted | unknown == set(everybody)  # nobody is lost
    assert max(received.values()) == 1  # nobody gets it twice
    assert accepted <= set(received)  # what the log calls accepted has come
    assert set(received) - accepted <= unknown  # and what came without the log knowing is named
    announced = {said.partition("<")[2].partition(">")[0] for _, said in relay.events if said.startswith("RCPT")}
    assert unknown <= announced  # none is called so that was never offered
    assert len(unknown) <= connections * ends.count(signal.SIGKILL)
