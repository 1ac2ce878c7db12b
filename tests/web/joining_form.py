"""Filling in the forms of the reader's pages as a person does: look, take a moment, send."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from time import monotonic
from typing import Any

import httpx
from conftest import Clock
from smtp_relay import PATIENCE

from mailer.newsroom import Newsroom

MOMENT = timedelta(seconds=5)


def fields(page: str) -> dict[str, str]:
    """The hidden and text fields of a form as they stand, by name."""
    inputs = re.findall(r"<input\b[^>]*>", page)
    named = {name[1]: tag for tag in inputs if (name := re.search(r' name="([^"]+)"', tag)) and "checkbox" not in tag}
    return {name: unescape((re.search(r' value="([^"]*)"', tag) or ["", ""])[1]) for name, tag in named.items()}


def send(client: httpx.Client, clock: Clock, path: str = "/subscribe", **given: Any) -> httpx.Response:
    """Open the form, wait a moment, fill in these fields, send it. `headers` go with both requests."""
    headers = given.pop("headers", {})
    ticket = fields(client.get(path, headers=headers).text)["ticket"]
    clock.now += MOMENT
    return client.post(path, data={"ticket": ticket, **given}, headers=headers)


def links(mails: list[Any], path: str) -> list[str]:
    """The paths of these links in the text parts of mails, in their order."""
    from received import bodies

    texts = (bodies(mail.content)[0] for mail in mails)
    return [found[1] for text in texts if (found := re.search(rf"https://newsletter\.example\.org({path}\S+)", text))]


def with_relay(room: Newsroom, url: str) -> Newsroom:
    """The same newsroom, with this relay."""
    return Newsroom.open(room.root, {**room.env, "MAILER_SMTP_URL": url})


def done(room: Newsroom) -> None:
    """Wait until nothing is left in the outbox; SQLite has no event to wait for."""
    end = monotonic() + PATIENCE
    while room.store.outbox.count():
        assert monotonic() < end, "the outbox never got empty"
