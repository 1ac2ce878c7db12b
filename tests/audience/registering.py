"""A register of one's own, and evidence for what happens in it."""

from __future__ import annotations

from people import CONFIG, NOW, TOKENS, new_store

from mailer.audience import joining
from mailer.audience.registry import Registry
from mailer.models import Channel, Evidence, Subscriber

ANN = "ann@example.org"


def new_registry() -> Registry:
    """Empty, in memory."""
    return Registry(new_store(), CONFIG, TOKENS)


def by(channel: Channel = Channel.LINK, at: str = NOW, **more: str) -> Evidence:
    """How something came about."""
    return Evidence(at, channel, **more)


def joined(registry: Registry, email: str = ANN, at: str = NOW, **choices: object) -> Subscriber:
    """Somebody who asked and confirmed."""
    letter = joining.ask(registry, email, by(Channel.FORM, at), **choices).letter
    assert letter
    return joining.confirm(registry, letter.token, by(at=at))
