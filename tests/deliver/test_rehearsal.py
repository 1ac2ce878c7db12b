"""A rehearsal: the real engine against a world that is not kind, and both accounts held against each other."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sending import NOW, SLUG

from mailer.deliver import leap, plan, rehearsal
from mailer.deliver.job import Tally
from mailer.deliver.world import CLEAR, World
from mailer.models import Segment
from mailer.newsroom import Newsroom

START = datetime(2018, 12, 14, 8, tzinfo=UTC)
ALL_AT_ONCE = {"greylisted": 0.1, "busy": 0.1, "going down": 0.1, "put off": 0.1, "full": 0.1,
               "over quota": 0.1, "no such user": 0.1, "cut": 0.1, "taken without a word": 0.1,
               "dropped without a word": 0.05}  # fmt: skip


def rehearse(office, climate, count, seed=1, world=World):
    """Send to this world so many invented people. Returns the report, the log and the world."""
    room = office.room()
    rehearsal.invent(room.store.audience, count, [Segment((), 1)], seed, NOW)

    async def play():
        async with world(climate, seed) as sink:
            stage = Newsroom.open(room.root, dict(room.env) | {"MAILER_SMTP_URL": sink.url})
            with closing(stage):
                composition = stage.compose(SLUG)
                plan.freeze(composition, stage.store, NOW)
                job, log = stage.job(composition), stage.store.sendlog
                report = await rehearsal.rehearse(job, log, sink, leap.clock(START), Tally())
                return report, list(log.deliveries(SLUG)), sink

    return leap.run(play())


def test_in_a_clear_world_everybody_gets_it_at_once(office):
    report, log, world = rehearse(office, CLEAR, 50)
    assert (report.balance.accepted, report.attempts, report.later, report.good) == (50, 50, 0, True)
    assert Counter(row.email for row in log) == world.taken


@pytest.mark.parametrize(("seed", "closes_after"), [(1, 1_000), (2, 3)], ids=["", "connections end"])
def test_whatever_befalls_a_person_the_log_says_what_the_server_did(office, seed, closes_after):
    """Each fault on a tenth of the people, and every thirtieth connection turned away."""
    office.use("smtp://127.0.0.1:1", connections=4, retry='["5m", "30m", "2h"]')
    climate = replace(CLEAR, shares=ALL_AT_ONCE, refuses_every=30, closes_after=closes_after)
    report, log, world = rehearse(office, climate, 200, seed)
    assert (report.lost, report.doubled, report.wrong) == ((), (), ())
    states = {row.email: row.state.value for row in log}
    fates = {who: world.fate(who) for who in states}
    unsaid = {"taken without a word", "dropped without a word"}
    refused = {"full", "over quota", "no such user"}
    for who, fate in fates.items():
        if fate == "cut":  # deferred and sent again, when the end was seen before the dot was written
            assert states[who] in ("accepted", "unknown")
        else:
            assert states[who] == ("unknown" if fate in unsaid else "refused" if fate in refused else "accepted")
    assert set(fates.values()) == {*ALL_AT_ONCE, ""}
    assert report.unknowns == {"the server closed the connection (content)": report.balance.unknown}
    assert report.refusals == {
        "550 5.1.1 There is no such user (rcpt)": list(fates.values()).count("no such user"),
        "552 5.2.2 The mailbox is over its quota (content)": list(fates.values()).count("over quota"),
        "452 gave up after 4 attempts: 4.2.2 The mailbox is full (rcpt)": list(fates.values()).count("full"),
    }
    assert timedelta(minutes=155) <= report.took < timedelta(minutes=165)  # 5, 30, 120 and what it had to do
    assert report.paused.startswith("paused: 20 of the last ")


class Forgetful(World):
    """Says it took what it did not take, for r010 and those behind."""

    def delay(self, address):
        if address >= "reader0000010":
            del self.taken[address]
        return super().delay(address)


class Twofold(World):
    """Delivers everything twice."""

    def delay(self, address):
        self.taken[address] += 1
        return super().delay(address)


class Silent(World):
    """Delivers and says no, so that the log is wrong."""

    def fault(self, address):
        found = super().fault(address)
        if found:
            self.taken[address] += 1
        return found


@pytest.mark.parametrize(
    ("world", "shares", "expected"),
    [
        (Forgetful, {}, (3, 0, 0)),
        (Twofold, {}, (0, 12, 0)),
        (Silent, {"no such user": 1.0}, (0, 0, 12)),
    ],
    ids=["lost", "doubled", "wrong"],
)
def test_what_does_not_agree_is_found(office, world, shares, expected):
    report, *_ = rehearse(office, replace(CLEAR, shares=shares), 12, world=world)
    assert (len(report.lost), len(report.doubled), len(report.wrong), report.good) == (*expected, False)


def test_an_unknown_one_that_the_server_did_reply_to_is_wrong(office):
    class Decided(World):
        """Claims that it replied."""

        undecided = property(lambda self: set(), lambda self, value: None)

    climate = replace(CLEAR, shares={"dropped without a word": 1.0})
    report, *_ = rehearse(office, climate, 1, world=Decided)
    assert (report.balance.unknown, len(report.wrong), report.good) == (1, 1, False)


def test_the_forecast_grows_with_the_people_and_leaves_out_the_waits(office):
    """One connection, three round trips for the first message and two for each behind it: here and there, at 100 ms."""
    office.use("smtp://127.0.0.1:1", connections=1, retry='["5m"]')
    report, *_ = rehearse(office, replace(CLEAR, latency=0.1, shares={"put off": 1.0}), 3)
    assert (report.attempts, report.later) == (6, 3)
    assert report.took > timedelta(minutes=5)
    assert 1 < report.balance.seconds < 5
    assert report.forecast(3_000) == timedelta(seconds=1_000 * report.balance.seconds)


def test_hours_of_latency_take_no_time_and_are_told(office):
    """What makes a rehearsal short: 40 messages at 20 seconds each."""
    office.use("smtp://127.0.0.1:1", connections=2)
    began = time.monotonic()
    report, *_ = rehearse(office, replace(CLEAR, latency=20.0), 40)
    assert report.took > timedelta(seconds=400)
    assert time.monotonic() - began < 60


def test_invented_people_share_their_interests_as_the_segments_do(office):
    room = office.room()
    segments = [Segment((), 100), Segment(("cooperatives",), 300), Segment(("cooperatives", "green-jobs"), 600)]
    rehearsal.invent(room.store.audience, 25_000, segments, 1, NOW)
    shares = {segment.interests: segment.count / 25_000 for segment in room.store.audience.segments()}
    assert shares == pytest.approx({(): 0.1, ("cooperatives",): 0.3, ("cooperatives", "green-jobs"): 0.6}, abs=0.01)
    domains = Counter(person.email.partition("@")[2] for person in room.store.audience.all())
    assert domains["provider1.example.org"] == pytest.approx(2 * domains["provider2.example.org"], rel=0.1)
    assert len(domains) == 30
