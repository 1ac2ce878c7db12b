"""How what a reader does on a page is put down in the consent journal."""

from __future__ import annotations

from mailer.audience import life
from mailer.audience.registry import Registry
from mailer.models import Channel, Evidence
from mailer.web.visit import Visit


def registry(visit: Visit) -> Registry:
    """The register of subscribers, through this visit's own connection."""
    room = visit.site.room
    return Registry(visit.store, room.config, room.tokens)


def evidence(visit: Visit, channel: Channel, shown: str = "", kind: str = "", token: str = "") -> Evidence:
    """This visit as evidence. `shown` is the text the reader had before them, `kind` the page; `token` its link."""
    language = visit.texts.language
    return Evidence(
        visit.now,
        channel,
        wording=life.wording(registry(visit), kind, language, shown) if shown else "",
        language=language,
        network=visit.client,
        agent=visit.user_agent,
        token=visit.site.room.tokens.name(token) if token else "",
    )
