"""Gates: even rates, rolling windows, a warm-up, and rates that give way. Time is an argument, so nothing waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.deliver.pace import Gate, Meter, Spacing, Warmup, Window
from mailer.models import Limit


def moments(spacing: Spacing, messages: int, start: float = 0.0) -> list[float]:
    """When messages go that go as soon as they may."""
    now, taken = start, []
    for _ in range(messages):
        now += spacing.wait(now)
        spacing.take(now)
        taken.append(round(now, 6))
    return taken


def test_a_rate_is_an_even_spacing():
    assert moments(Spacing(10), 4) == [0.0, 0.1, 0.2, 0.3]


def test_less_than_one_a_second():
    assert moments(Spacing(0.5), 3) == [0.0, 2.0, 4.0]


def test_no_rate_is_no_waiting():
    assert moments(Spacing(), 3) == [0.0, 0.0, 0.0]


def test_time_lost_is_not_caught_up_with_a_burst():
    spacing = Spacing(1)
    moments(spacing, 1)
    assert moments(spacing, 3, start=30) == [30.0, 31.0, 32.0]


def test_trouble_halves_a_rate_once_for_all_that_was_in_flight():
    spacing = Spacing(20)
    assert [spacing.slow(100.0, seen=15), spacing.slow(100.5, seen=15), spacing.slow(101.5, seen=15)] == [
        True,
        False,
        True,
    ]
    assert (spacing.rate, spacing.slowed) == (5.0, True)


def test_trouble_without_a_rate_halves_what_was_seen():
    spacing = Spacing()
    spacing.slow(100.0, seen=300.0)
    assert spacing.rate == 150.0


def test_a_rate_recovers_by_tenths_of_the_full_one_each_ten_seconds_and_then_is_as_configured():
    spacing = Spacing()
    spacing.slow(0.0, seen=100.0)
    rates = [(spacing.recover(float(now)), spacing.rate) for now in (5, 10, 15, 20, 30, 40, 50, 60)]
    assert rates == [
        (False, 50.0), (True, 60.0), (False, 60.0), (True, 70.0), (True, 80.0), (True, 90.0), (True, 0.0), (False, 0.0),
    ]  # fmt: skip
    assert not spacing.slowed


def test_the_slowest_is_a_message_in_ten_seconds():
    spacing = Spacing(1)
    for now in range(0, 100, 2):
        spacing.slow(float(now), seen=0.0)
    assert spacing.rate == 0.1


def test_a_window_lets_the_next_one_go_when_the_oldest_minute_leaves_it():
    window = Window(Limit(3, 3600))
    for minute in (0, 0, 10):
        assert window.wait(minute, 0) == 0
        window.add(minute)
    assert [window.wait(minute, 0) for minute in (10, 59, 60)] == [50, 1, 0]


def test_what_is_in_flight_counts():
    window = Window(Limit(3, 3600))
    window.add(0)
    assert [window.wait(0, in_flight) for in_flight in (0, 1, 2, 3)] == [0, 0, 60, 1]


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 12), st.sampled_from([3600, 86400]))
def test_no_span_of_a_window_ever_holds_more_than_its_limit(pauses, count, seconds):
    window, minute, sent = Window(Limit(count, seconds)), 1000, []
    for pause in pauses:
        minute += pause
        minute += window.wait(minute, 0)
        window.add(minute)
        sent.append(minute)
    for first in sent:
        assert sum(first <= at < first + seconds // 60 for at in sent) <= count


def test_a_window_knows_what_was_sent_before_a_restart():
    window = Window(Limit(5, 3600))
    window.load({900: 4, 970: 2, 999: 2}, minute=1000)
    assert window.wait(1000, 0) == 0
    window.add(1000)
    assert window.wait(1000, 0) == 30


def test_a_warm_up_grows_by_days_and_ends():
    warmup = Warmup((2, 3), began=1000)
    waits = []
    for minute in (1000, 1001, 1002, 1000 + 1440, 1000 + 2000, 1000 + 2001, 1000 + 2002, 1000 + 2880, 1000 + 2880):
        waits.append(warmup.wait(minute, 0))
        if not waits[-1]:
            warmup.add(minute)
    assert waits == [0, 0, 1438, 0, 0, 0, 878, 0, 0]


@pytest.mark.parametrize(
    ("limits", "wait"),
    [
        ((Limit(20, 1),), 0.05),
        ((Limit(60, 60),), 1.0),
        ((Limit(20, 1), Limit(60, 60)), 1.0),
        ((Limit(1, 3600),), 3600.0),
        ((Limit(20, 1), Limit(1, 86400)), 86400.0),
        ((), 0.0),
    ],
    ids=["a second", "a minute", "the slower of two", "an hour", "the later of two", "none"],
)
def test_a_gate_waits_for_the_last_of_its_limits(limits, wait):
    gate = Gate("example.org", limits)
    gate.take(10.0)
    gate.sent(5)
    assert gate.wait(10.0, 5) == pytest.approx(wait)


def test_what_was_taken_and_not_sent_does_not_count():
    gate = Gate("example.org", (Limit(1, 3600),))
    gate.take(0.0)
    assert gate.wait(0.0, 5) > 0
    gate.drop()
    assert gate.wait(0.0, 5) == 0


def test_a_meter_tells_the_rate_of_the_last_seconds():
    meter = Meter()
    for tenth in range(150):
        meter.add("example.org", 100 + tenth / 10)
    assert (meter.count("example.org"), meter.count("example.net")) == (150, 0)
    assert meter.rate("example.org", 115.0) == pytest.approx(10.0)
    meter.add("example.org", 200.0)
    assert meter.count("example.org") == 1
