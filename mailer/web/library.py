"""The issues that went out, read from the store once: what was sent never changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import monotonic

from starlette.exceptions import HTTPException

from mailer.compose import snapshot
from mailer.compose.snapshot import Facts, Pages
from mailer.models import Issue, Story
from mailer.store.base import Archive

_FRESH = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Sent:
    """An issue of the archive."""

    facts: Facts
    planned_at: str

    @property
    def issue(self) -> Issue:
        """What it says of itself."""
        return self.facts.issue

    @property
    def published(self) -> datetime:
        """When it was planned to go out, in UTC."""
        return datetime.fromisoformat(self.planned_at)

    @property
    def events(self) -> tuple[Story, ...]:
        """Its stories with a date."""
        return tuple(story for story in self.issue.stories if story.event)


@dataclass(slots=True)
class Library:
    """Facts are kept in memory, some 20 KB an issue; pages are read when they are shown."""

    _known: dict[str, Sent] = field(default_factory=dict)
    _latest: tuple[Sent | None, float] = (None, -_FRESH)  # and when it was looked for
    _looking: Lock = field(default_factory=Lock)

    def all(self, archive: Archive) -> list[Sent]:
        """Every issue that went out, the newest first."""
        found = (self._read(archive, slug) for slug in archive.issues())
        sent = [one for one in found if one]
        return sorted(sent, key=lambda one: (one.issue.date, one.planned_at), reverse=True)

    @property
    def knows_latest(self) -> bool:
        """Whether the latest issue was looked for a moment ago."""
        return monotonic() - self._latest[1] < _FRESH

    def latest(self, archive: Archive) -> Sent | None:
        """The newest issue that went out, looked for once a second at most: a plan of a million takes 60 ms to read."""
        with self._looking:  # of many who ask at once, one looks
            if not self.knows_latest:
                self._latest = next(iter(self.all(archive)), None), monotonic()
            return self._latest[0]

    def find(self, archive: Archive, slug: str) -> Sent:
        """One of them. Raises HTTPException 404."""
        if found := self._read(archive, slug):
            return found
        raise HTTPException(404)

    def pages(self, archive: Archive, sent: Sent) -> Pages:
        """Its pages."""
        content = archive.pages(sent.issue.slug)
        if content is None:
            raise HTTPException(404)
        return snapshot.pages(content)

    def _read(self, archive: Archive, slug: str) -> Sent | None:
        if slug not in self._known and (row := archive.facts(slug)):
            self._known[slug] = Sent(snapshot.facts(row[1]), row[0])
        return self._known.get(slug)
