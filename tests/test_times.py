"""Times are written so that they sort as text, in whatever zone they were taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from mailer.times import minute_of, shifted, timestamp

GENEVA = timezone(timedelta(hours=1))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.builds(datetime.fromtimestamp, st.floats(0, 253_000_000_000), zones)  # to the year 9987


def test_a_time_is_kept_in_utc_without_its_fraction():
    assert timestamp(datetime(2018, 12, 14, 0, 30, 59, 999_999, GENEVA)) == "2018-12-13T23:30:59Z"


@given(moments, moments)
def test_times_sort_as_text(one, other):
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    assert (timestamp(one) < timestamp(other)) == (one < other)


@given(moments)
def test_a_time_is_read_as_it_was_written(moment):
    assert datetime.fromisoformat(timestamp(moment)) == moment.replace(microsecond=0)


def test_a_time_is_shifted_over_the_end_of_a_leap_february():
    assert shifted("2020-02-28T23:00:00Z", timedelta(hours=1)) == "2020-02-29T00:00:00Z"
    assert shifted("2020-03-01T00:00:00Z", timedelta(seconds=-1)) == "2020-02-29T23:59:59Z"


def test_minutes_are_counted_from_the_epoch():
    assert minute_of(datetime(1970, 1, 1, 0, 1, 59, tzinfo=UTC)) == 1
    assert minute_of(datetime(1970, 1, 2, 1, 0, tzinfo=GENEVA)) == 1440
