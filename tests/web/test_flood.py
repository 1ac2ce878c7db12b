"""A flood of the subscribe form: it makes few letters, for an address and for a network (standards P1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from joining_form import MOMENT, done, fields
from public_server import serving

from mailer.audience.joining import ASKS_AN_HOUR, LETTERS_A_DAY
from mailer.web import abuse

pytest_plugins = ["mailing_site"]


@pytest.fixture(autouse=True)
def calm(monkeypatch):
    """The whole site's own limit is out of the way: what is shown here are the other two."""
    monkeypatch.setattr(abuse, "RUSH", 10_000)


def flood(site: httpx.Client, clock, requests: list[tuple[str, str]]) -> set[tuple[int, str]]:
    """Send the form for (address, network) pairs, four at a time; returns the different answers."""
    ticket = fields(site.get("/subscribe").text)["ticket"]
    clock.now += MOMENT

    def send(request: tuple[str, str]) -> tuple[int, str]:
        email, network = request
        answer = site.post("/subscribe", data={"ticket": ticket, "email": email},
                           headers={"X-Forwarded-For": network})  # fmt: skip
        return answer.status_code, answer.text.replace(email, "ADDRESS")

    with ThreadPoolExecutor(4) as pool:
        return set(pool.map(send, requests))


def test_P1_one_address_from_many_networks(room, relay, clock):
    with serving(room, clock) as site:
        answers = flood(site, clock, [("victim@example.org", f"203.0.113.{n}") for n in range(100)])
        done(room)
    assert [status for status, _ in answers] == [200]
    assert relay.received == ["victim@example.org"] * LETTERS_A_DAY


@pytest.mark.parametrize(
    "network", ["203.0.113.7", "2001:db8:1:2::{n:x}"], ids=["one address", "addresses of one IPv6 network"]
)
def test_P1_many_addresses_from_one_network(room, relay, clock, network):
    requests = [(f"victim{n}@example.org", network.format(n=n + 1)) for n in range(100)]
    with serving(room, clock) as site:
        answers = flood(site, clock, requests)
        done(room)
    assert [status for status, _ in answers] == [200], "the same page for all: nobody learns of a limit"
    assert len(relay.received) == ASKS_AN_HOUR


def test_P1_the_limit_of_a_network_ends_after_an_hour_and_others_may_ask_meanwhile(room, relay, clock):
    with serving(room, clock) as site:
        flood(site, clock, [(f"a{n}@example.org", "203.0.113.7") for n in range(30)])
        flood(site, clock, [("other@example.org", "198.51.100.1")])
        done(room)
        assert len(relay.received) == ASKS_AN_HOUR + 1
        clock.now += timedelta(hours=1, seconds=1)
        flood(site, clock, [("late@example.org", "203.0.113.7")])
        done(room)
    assert len(relay.received) == ASKS_AN_HOUR + 2
    assert {"late@example.org", "other@example.org"} <= set(relay.received)


def test_a_flood_keeps_nobody_from_leaving(room, clock):
    """What is limited is what makes mail, nothing else."""
    link = f"/u/{room.tokens.sign('unsubscribe', 0)}"
    with serving(room, clock) as site:
        flood(site, clock, [(f"a{n}@example.org", "203.0.113.7") for n in range(40)])
        answer = site.post(link, data={"List-Unsubscribe": "One-Click"}, headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == 200
