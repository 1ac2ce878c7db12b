"""Fixtures: the reader's pages, and the relay that takes their mails. Tests name them with `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from conftest import Clock
from joining_form import with_relay
from public_server import serving
from smtp_relay import Relay

from mailer.newsroom import Newsroom


@pytest.fixture
def relay() -> Iterator[Relay]:
    """Keeps every mail it is given."""
    with Relay() as relay:
        yield relay


@pytest.fixture
def room(newsroom: Newsroom, relay: Relay) -> Iterator[Newsroom]:
    """The newsroom of the pages: its mails go to the relay."""
    room = with_relay(newsroom, relay.url)
    yield room
    room.close()


@pytest.fixture
def client(room: Newsroom, clock: Clock) -> Iterator[httpx.Client]:
    """Asks for the room's pages."""
    with serving(room, clock) as client:
        yield client
