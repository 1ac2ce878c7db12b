"""The world of a rehearsal does what it is told, the same each time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mailer.deliver.world import CLEAR, HARSH, MILD, World

PEOPLE = [f"reader{number}@example.org" for number in range(20_000)]
CONTENT = "From: a\r\n\r\n..dot\r\n.\r\n"


async def talk(world: World, *said: str, end: bool = False) -> list[str]:
    """Say all of it, each piece as one packet, and read until the server closes."""
    reader, writer = await asyncio.open_connection(*world.url.removeprefix("smtp://").split(":"))
    for piece in said:
        writer.write(piece.encode())
        await writer.drain()
    heard = (await reader.read()).decode().split("\r\n")[:-1]
    writer.close()
    await writer.wait_closed()
    return [line for line in heard if not line.startswith("250-")]


def one_message(address: str, *, rest: str = "QUIT\r\n") -> str:
    return f"MAIL FROM:<a@example.org>\r\nRCPT TO:<{address}>\r\nDATA\r\n{CONTENT}{rest}"


def hear(climate, *conversations: tuple[str, ...], seed: int = 1):
    """What each conversation hears, one after another, and the world behind them."""
    world = World(climate, seed)

    async def run():
        async with world:
            return [await talk(world, *said) for said in conversations]

    return asyncio.run(run()), world


TAKEN = ["220 localhost ESMTP", "250 2.1.0 Ok", "250 2.1.5 Ok", "354 End with a dot", "250 2.0.0 Ok: taken",
         "221 2.0.0 Bye"]  # fmt: skip


@pytest.mark.parametrize("size", [1, 7, 10_000], ids=["byte by byte", "7 bytes", "at once"])
def test_a_message_is_taken_however_it_is_split_over_packets(size):
    text = one_message("a@example.org")
    [heard], world = hear(CLEAR, tuple(text[at : at + size] for at in range(0, len(text), size)))
    assert (heard, dict(world.taken)) == (TAKEN, {"a@example.org": 1})


def test_messages_pipelined_behind_each_other_are_all_taken():
    text = one_message("a@example.org", rest=one_message("b@example.org"))
    [heard], world = hear(CLEAR, (text,))
    assert heard == [*TAKEN[:-1], *TAKEN[1:]]
    assert dict(world.taken) == {"a@example.org": 1, "b@example.org": 1}


OK = "250 2.0.0 Ok: taken"
NOTHING = "354 End with a dot"  # the last that is heard
FATES = [
    ("greylisted", ["451 4.7.1 Greylisted, try again in 5 minutes", OK], 1),
    ("busy", ["450 4.2.1 The mailbox is busy"] * 2 + [OK], 1),
    ("going down", ["421 4.3.2 The server is going down", OK], 1),
    ("put off", ["451 4.3.0 Try again later", OK], 1),
    ("full", ["452 4.2.2 The mailbox is full"] * 7, 0),
    ("over quota", ["552 5.2.2 The mailbox is over its quota"] * 3, 0),
    ("no such user", ["550 5.1.1 There is no such user"] * 3, 0),
    ("cut", [NOTHING, OK], 1),
    ("taken without a word", [NOTHING, OK], 2),
    ("dropped without a word", [NOTHING, OK], 1),
]


@pytest.mark.parametrize(("fate", "answers", "taken"), FATES, ids=[fate for fate, *_ in FATES])
def test_a_fault_strikes_where_and_as_often_as_it_says(fate, answers, taken):
    climate = replace(CLEAR, shares={fate: 1.0})
    heard, world = hear(climate, *[(one_message("a@example.org"),)] * len(answers))
    follows = ("221", "502", "554")  # the goodbye, and what a content is told that nobody asked for
    assert [[line for line in lines if not line.startswith(follows)][-1] for lines in heard] == answers
    assert world.taken["a@example.org"] == taken
    assert world.undecided == ({"a@example.org"} if NOTHING in answers else set())


def test_connections_are_turned_away_by_turns_and_end_after_some_messages():
    two = one_message("a@example.org", rest=one_message("b@example.org"))
    climate = replace(CLEAR, refuses_every=2, closes_after=1)
    heard, _ = hear(climate, (two,), ("",), (two,), ("",))
    enough = [*TAKEN[:-1], "421 4.7.0 Enough for one connection"]
    assert heard == [enough, [], enough, ["421 4.3.2 Too many connections, come back later"]]


@pytest.mark.parametrize("climate", [MILD, HARSH], ids=["mild", "harsh"])
def test_shares_are_what_the_climate_says_and_follow_from_the_seed(climate):
    first, again, other = ([World(climate, seed).fate(one) for one in PEOPLE[:500]] for seed in (1, 1, 2))
    assert first == again != other
    world = World(climate, 5)
    met = [world.fate(one) for one in PEOPLE]
    for fate, share in climate.shares.items():
        assert met.count(fate) / len(PEOPLE) == pytest.approx(share, rel=0.25, abs=0.0006)
    slow = sum(world.delay(one) > climate.latency for one in PEOPLE)
    assert slow / len(PEOPLE) == pytest.approx(climate.slow, rel=0.1)
