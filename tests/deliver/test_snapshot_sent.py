"""An issue as it was planned, taken from the store: every reader of every edition gets the bytes of the first run."""

from __future__ import annotations

import random
import shutil
from itertools import chain, combinations

import pytest
from conftest import copy_newsroom
from people import NOW, subscribe

from mailer.deliver import plan
from mailer.models import Subscriber
from mailer.newsroom import Newsroom

SLUG = "2018-12"
DATE = "Fri, 14 Dec 2018 08:00:00 +0000"
NAMES = ["", "Amina", "João Müller", "مريم", "=?utf-8?q?x?=", "A\r\nBcc: b@example.org", '<b>"&', "%%name%%", "." * 90]
DOMAINS = ["example.org", "bücher.example.com", "xn--bcher-kva.example.net"]


def readers(interests: list[str], number: int) -> list[Subscriber]:
    """One for each choice of interests, with whatever people may be called."""
    luck = random.Random(number)
    choices = chain.from_iterable(combinations(interests, length) for length in range(len(interests) + 1))
    return [
        Subscriber(f"r{place}@{luck.choice(DOMAINS)}", luck.choice(NAMES), choice)
        for place, choice in enumerate(choices)
    ]


@pytest.mark.parametrize("images", ["link", "embed"])
def test_every_reader_of_every_edition_gets_the_same_bytes_without_a_file(tmp_path, images):
    room = copy_newsroom(tmp_path / "room", issues=True)
    settings = room.root / "pyproject.toml"
    text = settings.read_text("utf-8").replace("\npostal_address", f'\nimages = "{images}"\npostal_address')
    settings.write_text(text, "utf-8")
    composition = room.compose(SLUG)
    people = readers(list(room.config.interests), number=1)
    subscribe(room.store, *people)
    plan.freeze(composition, room.store, NOW)
    assert room.snapshot(SLUG) is None  # nothing was sent yet
    claims = room.store.sendlog.claim(SLUG, len(people), NOW)
    room.store.sendlog.offer(SLUG, claims[0].subscriber.id, NOW)
    first = room.job(composition)
    shutil.rmtree(room.root / "issues")
    shutil.rmtree(room.root / "templates")
    for old, new in (
        ("Enterprises ", "Another "),
        ("newsletter@example.org", "x@example.net"),
        ("Green jobs", "Green"),
    ):
        assert old in text
        text = text.replace(old, new)
    settings.write_text(text, "utf-8")

    later = Newsroom.open(room.root, room.env)
    snapshot = later.snapshot(SLUG)
    assert snapshot is not None
    rest = later.job(snapshot)
    for claim in claims:
        for utf8 in (False, True):
            before, after = (
                job.templates[claim.edition].fill(job.personaliser.personal(claim.subscriber), DATE, utf8)
                for job in (first, rest)
            )
            assert after == before
    assert len(claims) == len(people) == 2 ** len(room.config.interests)
    assert rest.templates.keys() == first.templates.keys() == {claim.edition for claim in claims}
    assert (b"Content-ID:" in after, rest.sender) == (images == "embed", first.sender)
    for opened in (room, later):
        opened.close()
