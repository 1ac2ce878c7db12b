"""What lies on the desk: the last good proof of an issue, what is found in it, and the mistakes made since."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from mailer.audience import segments
from mailer.compose import checks
from mailer.compose.checks import reading
from mailer.compose.checks.material import Material
from mailer.compose.checks.reading import Reading
from mailer.compose.composition import Composition, Renewal
from mailer.errors import InputError, MailerError
from mailer.models import Edition, Finding, Issue, Problem, Segment
from mailer.newsroom import Newsroom
from mailer.web import texts
from mailer.web.watching import Watch

_CONFIGURATIONS = ("mailer.toml", "pyproject.toml")
_PAGE_FIRST = 0.2  # seconds in which a change gets onto the page before the rules take the processor


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in an issue, and how hard it is to read: each story by its id, all of it by an empty one."""

    issue: Issue
    findings: tuple[Finding, ...] = ()
    reading: Mapping[str, Reading] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proof:
    """A composed issue and who gets it.

    What was last `checked` may be the issue of the proof before, so that the page does not jump; None at first.
    """

    number: int  # grows with every proof
    composition: Composition
    editions: tuple[Edition, ...]
    nothing_left: tuple[Segment, ...]
    checked: Checked | None

    @property
    def segments(self) -> Iterator[Segment]:
        """Everybody, by the interests they chose."""
        for edition in self.editions:
            yield from edition.segments
        yield from self.nothing_left


class Desk:
    """One issue of a newsroom, read again whenever one of its files changes.

    `revision` grows with every change of what is to be seen; `change` is set with the next.
    """

    def __init__(self, room: Newsroom, slug: str) -> None:
        """Raises ConfigError, or NotFound when there is no such issue; a mistake in the issue is shown, not raised."""
        self.room = Newsroom.open(room.root, room.env)  # its own, closed when its configuration changes
        self.slug = slug
        _ = self.room.config
        with suppress(InputError):
            self.room.issue(slug)
        self.proof: Proof | None = None
        self.mistakes: tuple[Problem, ...] = ()
        self.revision = 0
        self.change = asyncio.Event()
        self._renewal = Renewal()
        self._watch = Watch(self._places)
        self._read(set())

    async def follow(self) -> None:
        """Look for findings, and follow every save, for ever."""
        checking = asyncio.create_task(self._check())
        try:
            async for paths in self._watch.changes():
                self._read(paths)
                checking.cancel()
                checking = asyncio.create_task(self._check())
        finally:
            checking.cancel()

    def close(self) -> None:
        """Close the newsroom."""
        self.room.close()

    def _places(self) -> list[Path]:
        """The issue, the templates, the configuration, and the subscribers, whose commits stand in the -wal first."""
        root = self.room.root
        configurations = [root / name for name in _CONFIGURATIONS]
        return [root / "issues" / self.slug, root / "templates", *configurations, *self._store_files()]

    def _store_files(self) -> list[Path]:
        config = self.room.__dict__.get("config")  # a wrong one was reported when it was read
        file = (config.store.url if config else "sqlite:subscribers/mailer.db").removeprefix("sqlite:")
        return [self.room.root / f"{file}{ending}" for ending in ("", "-wal")]

    def _read(self, paths: set[Path]) -> None:
        """Make a new proof. A mistake leaves the last good one where it is."""
        try:
            if any(path.name in _CONFIGURATIONS and path.parent == self.room.root for path in paths):
                self._reopen()
            only_people = bool(paths) and paths <= set(self._store_files()) and not self.mistakes
            kept = self.proof.composition if self.proof and only_people else None
            composition = kept or self.room.compose(self.slug, self._renewal)
            editions, nothing_left = segments.of(composition.issue, self.room.store.audience)
            before = self.proof.checked if self.proof else None
            self.proof = Proof(self.revision + 1, composition, tuple(editions), tuple(nothing_left), before)
            self.mistakes = ()
        except Exception as error:  # whatever happens, the page stays
            self.mistakes = self._told(error)
        self._announce()

    def _reopen(self) -> None:
        """The newsroom with its new configuration; the old one stays when that is wrong."""
        fresh = Newsroom.open(self.room.root, self.room.env)
        _ = fresh.config
        self.room.close()
        self.room = fresh

    async def _check(self) -> None:
        """In a thread, and behind the page: what a change looks like is not kept waiting by what is wrong with it."""
        await asyncio.sleep(_PAGE_FIRST)
        proof = self.proof
        if proof is None:
            return
        try:
            checked = await asyncio.to_thread(self._checked, proof)
            mistakes = self.mistakes
        except Exception as error:
            checked, mistakes = Checked(proof.composition.issue), self._told(error)
        if self.proof is proof:
            self.proof, self.mistakes = replace(proof, checked=checked), mistakes
            self._announce()

    def _checked(self, proof: Proof) -> Checked:
        room, composition = self.room, proof.composition
        earlier = room.earlier(composition.issue)
        material = Material(composition, proof.editions, proof.nothing_left, earlier, room.root)
        material.english = texts.untranslated(room.config)
        found = tuple(finding for finding in checks.run(material) if not finding.silenced)
        return Checked(composition.issue, found, {"": reading.of(material), **reading.by_story(material)})

    def _told(self, error: Exception) -> tuple[Problem, ...]:
        if isinstance(error, InputError):
            return error.problems
        if isinstance(error, MailerError):
            return (Problem("", 0, str(error)),)
        # Only its type: what it says may hold a subscriber.
        what = f"This is a mistake in mailer, not in your files: {type(error).__name__}. Please report it"
        return (Problem("", 0, what),)

    def _announce(self) -> None:
        self.revision += 1
        self.change.set()
        self.change = asyncio.Event()
