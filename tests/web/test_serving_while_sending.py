"""Pages are served while a send runs, on one SQLite file: nothing fails, nothing is lost, nothing stalls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from conftest import Clock
from public_server import serving
from sending import SLUG, finish
from smtp_relay import Gate, Relay
from unsubscribing import ONE_CLICK, Reader

from mailer.models import Event, SubscriberState

PEOPLE, LEAVING = 400, 100
SLOWEST = 5.0  # seconds for one request; SQLite would wait 30 for a writer that holds on


def test_people_leave_while_a_send_runs_at_full_rate_and_every_one_of_them_counts(office):
    """The send stands still until the first has left; then both go on at once."""
    gate = Gate("250 2.0.0 Ok: queued")
    with Relay({"content": gate}) as relay:
        office.use(relay, connections=4)
        office.subscribe(count=PEOPLE)
        room = office.room()
        links = [Reader(room, number).link for number in range(PEOPLE, PEOPLE - LEAVING, -1)]
        sending = office.start("send", SLUG, "--yes")
        gate.wait()
        with serving(room, Clock()) as site, ThreadPoolExecutor(8) as pool:
            first = site.post(links[0], data=ONE_CLICK)
            gate.open()
            answers = [first, *pool.map(lambda link: site.post(link, data=ONE_CLICK), links[1:])]
            pages = list(pool.map(lambda link: site.get(link), links))
        assert finish(sending).code == 0
    assert {answer.status_code for answer in answers + pages} == {200}
    assert max(answer.elapsed.total_seconds() for answer in answers) < SLOWEST
    gone = [Reader(room, number) for number in range(PEOPLE - LEAVING + 1, PEOPLE + 1)]
    assert {reader.state for reader in gone} == {SubscriberState.UNSUBSCRIBED}
    assert {tuple(row.event for row in reader.journal) for reader in gone} == {(Event.ADDED, Event.LEFT)}
    states = office.states()
    assert set(states.values()) == {"accepted", "skipped"}
    assert states[f"r{PEOPLE:03d}@example.org"] == "skipped"
    assert sorted(email for email, state in states.items() if state == "accepted") == relay.received
    assert room.store.journal.verify().problems == ()
