"""Mails of the pages when the site is stopped while the relay takes its time."""

from __future__ import annotations

import pytest
from joining_form import done, send, with_relay
from public_server import serving
from received import field
from smtp_relay import Gate, Relay

from mailer.web import errands


def test_a_letter_in_conversation_is_mailed_by_whoever_starts_next(newsroom, clock, monkeypatch: pytest.MonkeyPatch):
    """Not a quarter of an hour later: the clock stands still. This relay takes the first one too, after all: it had all
    of it. Both have one Message-ID, so that a mail program shows one (standards F5)."""
    monkeypatch.setattr(errands, "_GRACE", 0.1)
    gate = Gate("250 2.0.0 Ok: queued")
    with Relay({"content": [gate, "250 2.0.0 Ok: queued"]}) as relay:
        room = with_relay(newsroom, relay.url)
        with serving(room, clock) as site:
            send(site, clock, email="nora@example.org")
            gate.wait()
            assert "mailer_outbox{} 1" in site.get("/metrics").text.splitlines()
        assert room.store.outbox.count() == 1
        with serving(room, clock):
            done(room)
        gate.open()
        relay.wait_for(lambda: len(relay.mails) == 2)
        assert len({field(mail.content, "Message-ID") for mail in relay.mails}) == 1
        room.close()
