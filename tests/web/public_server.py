"""The reader's pages on a real server: uvicorn on a free port, in a thread, asked by a real HTTP client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from mailer.audience import subscribers
from mailer.deliver import plan
from mailer.models import DeliveryState, Outcome, Reply, Step, Subscriber
from mailer.newsroom import Newsroom
from mailer.web import public
from mailer.web.security import PATIENCE
from mailer.web.server import listen, server

NOW = "2018-12-14T08:00:00Z"


@contextmanager
def serving(
    room: Newsroom, clock: Callable[[], datetime], patience: float = PATIENCE, **headers: Any
) -> Iterator[httpx.Client]:
    """A client of the site, which follows no redirect. `client.base_url` is what a browser opens."""
    listener = listen("127.0.0.1", 0)
    site = server(public.app(room, clock, patience), room.config.web, patience)
    thread = threading.Thread(target=lambda: asyncio.run(site.serve([listener])), daemon=True)
    thread.start()  # the socket listens already: nobody need wait
    with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=20, **headers) as client:
        try:
            yield client
        finally:
            site.should_exit = True
            thread.join(20)


def went_out(room: Newsroom, slug: str, *people: str, interests: Sequence[str] = ()) -> dict[str, Subscriber]:
    """Subscribe these, freeze the issue, and let every delivery be accepted; returns the people by address."""
    audience = room.store.audience
    for address in people:
        subscribers.add(audience, room.config, room.tokens, address, "", list(interests), NOW)
    plan.freeze(room.compose(slug), room.store, NOW)
    begin(room, slug)
    return {person.email: person for person in audience.all()}


def begin(room: Newsroom, slug: str) -> None:
    """Send a planned issue to everybody, as its log has it."""
    for claim in room.store.sendlog.claim(slug, 1000, NOW):
        room.store.sendlog.offer(slug, claim.subscriber.id, NOW)
        accepted = Outcome(DeliveryState.ACCEPTED, Reply(250, "queued", Step.CONTENT))
        room.store.sendlog.record(slug, claim, accepted, NOW)


def draw(path: Path) -> None:
    """A small picture that is fit to be published as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "#0f5c7a").save(path)
