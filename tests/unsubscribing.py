"""Somebody on the list, the link in their mails, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conftest import copy_newsroom
from people import NOW

from mailer.audience import life, subscribers
from mailer.audience.registry import Registry
from mailer.models import Channel, Evidence, JournalRow, Subscriber, SubscriberState
from mailer.newsroom import Newsroom

AMINA = "amina@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass(frozen=True, slots=True)
class Reader:
    """One subscriber of a newsroom."""

    room: Newsroom
    id: int

    @classmethod
    def joins(cls, room: Newsroom, email: str = AMINA, language: str = "") -> Reader:
        """Add them."""
        chosen = ["cooperatives"]
        person = subscribers.add(room.store.audience, room.config, room.tokens, email, "Amina", chosen, NOW, language)
        return cls(room, person.id)

    @property
    def link(self) -> str:
        """The path in List-Unsubscribe."""
        return f"/u/{self.room.tokens.sign('unsubscribe', self.id)}"

    @property
    def person(self) -> Subscriber | None:
        """As the store has them now; None when erased."""
        return self.room.store.audience.get(self.id)

    @property
    def state(self) -> SubscriberState | None:
        """Active, unsubscribed, ..."""
        return self.person.state if self.person else None

    @property
    def journal(self) -> list[JournalRow]:
        """What happened to them."""
        return self.room.store.journal.rows(self.id)

    def erase(self) -> None:
        """Delete everything about them."""
        life.erase(registry(self.room), self.id, Evidence(NOW, Channel.OPERATOR))


def registry(room: Newsroom) -> Registry:
    """The register of a newsroom."""
    return Registry(room.store, room.config, room.tokens)


def two_lists(folder: Path) -> dict[str, Newsroom]:
    """Two newsrooms with the same secret key, each with a list_id of its own."""
    rooms = {name: copy_newsroom(folder / name) for name in ("here", "there")}
    rename_list(rooms["there"], "there.example.org")
    return rooms


def rename_list(room: Newsroom, list_id: str, former: str = "") -> None:
    """Write another list_id into the configuration, which must not have been read yet."""
    path = room.root / "pyproject.toml"
    before = 'list_id = "enterprises.example.org"'
    text = path.read_text("utf-8")
    assert text.count(before) == 1
    after = f'list_id = "{list_id}"' + (f'\nformer_list_ids = ["{former}"]' if former else "")
    path.write_text(text.replace(before, after), "utf-8")
