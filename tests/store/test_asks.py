"""Limits count asks in the store, and forget them."""

from __future__ import annotations

from people import new_store

LONG_AGO = "2018-01-01T00:00:00Z"


def test_an_ask_is_counted_unless_one_of_its_limits_is_used_up():
    audience = new_store().audience
    address, network = ("address", "2018-12-14T07:00:00Z", 3), ("network", "2018-12-14T07:00:00Z", 2)
    now = "2018-12-14T08:00:00Z"
    assert [audience.count_ask([address, network], now) for _ in range(3)] == [True, True, False]
    assert [audience.asks(key, LONG_AGO) for key in ("address", "network", "another")] == [2, 2, 0]
    assert audience.asks("address", now) == 0


def test_asks_are_forgotten_after_a_day():
    """They are keyed hashes of addresses and networks. Ten go with each that comes, so that none costs a search."""
    audience = new_store().audience
    keys = [f"key {number}" for number in range(24)]

    def count(key: str, now: str) -> None:
        assert audience.count_ask([(key, LONG_AGO, 1)], now)

    def kept() -> list[str]:
        return [key for key in keys if audience.asks(key, LONG_AGO)]

    for key in keys[:20]:
        count(key, "2018-12-14T08:00:00Z")
    count(keys[20], "2018-12-15T08:00:00Z")
    assert kept() == keys[:21]
    count(keys[21], "2018-12-15T08:00:01Z")
    assert kept() == keys[10:22]
    count(keys[22], "2018-12-15T08:00:01Z")
    count(keys[23], "2018-12-15T08:00:01Z")
    assert kept() == keys[20:]
