"""A newsroom: a folder on disk -> everything a command needs. The only place that chooses a store or asks the clock."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mailer import config as configuration
from mailer.compose.attributes import ID
from mailer.config import Relay
from mailer.errors import InputError, NotFound, nearest
from mailer.models import Issue, Problem
from mailer.settings import Config
from mailer.store import SqliteStore, open_store
from mailer.times import timestamp
from mailer.tokens import Tokens

if TYPE_CHECKING:
    from mailer.audience.registry import Registry
    from mailer.compose.composition import Composition, Renewal
    from mailer.compose.reading import Reading
    from mailer.compose.snapshot import Snapshot
    from mailer.compose.theme import Theme
    from mailer.deliver.dkim import Signer
    from mailer.deliver.job import Job
    from mailer.store.base import Plan

# Names that are addresses of the reader's pages already, which come before an issue's: web/public.py.
RESERVED = frozenset({"address", "confirm", "data", "feed", "healthz", "metrics", "p", "subscribe", "u"})
_LOOKED_BACK = 12  # issues: a year of a monthly; reading each takes some 30 ms


def clock() -> datetime:
    """The time now, with the local offset from UTC."""
    return datetime.now(UTC).astimezone()


def today() -> str:
    """The day now in UTC, as the store writes it: `2018-12-14`."""
    return timestamp(clock())[:10]


def sample_folder() -> Path:
    """The sample newsroom: inside an installed package, or the repository this package stands in."""
    inside = Path(__file__).parent / "sample"
    return inside if inside.is_dir() else Path(__file__).parent.parent


@dataclass(frozen=True)
class Newsroom:
    """An opened newsroom. Nothing is read before it is asked for."""

    root: Path
    env: Mapping[str, str]

    @classmethod
    def open(cls, root: Path, env: Mapping[str, str] = os.environ) -> Newsroom:
        """Open the folder. Its configuration is read when first needed. Raises NotFound."""
        try:
            return cls(root.resolve(), env)
        except RuntimeError:
            raise NotFound(f"{root} is no folder: its symbolic links lead in a circle") from None

    @cached_property
    def config(self) -> Config:
        """The configuration. Raises ConfigError."""
        return configuration.load(self.root, self.env)

    @cached_property
    def tokens(self) -> Tokens:
        """Signs links with the list's id and the newsroom's key, which is made when there is none."""
        newsletter = self.config.newsletter
        keys = configuration.key_ring(self.root, self.env)
        return Tokens(newsletter.list_id, *keys, former=newsletter.former_list_ids)

    @cached_property
    def store(self) -> SqliteStore:
        """The store. Raises StoreError."""
        return self.open_store()

    @cached_property
    def registry(self) -> Registry:
        """The register of subscribers. Raises ConfigError or StoreError."""
        from mailer.audience.registry import Registry

        return Registry(self.store, self.config, self.tokens)

    def open_store(self) -> SqliteStore:
        """Another connection to the store, for a thread of its own. Raises StoreError."""
        return open_store(self.config.store.url, self.root, lambda: self.tokens.derive("journal"))

    @cached_property
    def relays(self) -> tuple[Relay, ...]:
        """The relays with their passwords."""
        return configuration.relays(self.config, self.env)

    @property
    def relay(self) -> Relay:
        """The first of them, for a single mail."""
        return self.relays[0]

    @cached_property
    def signer(self) -> Signer | None:
        """Signs what is sent, where [dkim] asks for it. Raises ConfigError when a key is not in order."""
        return self._signer_for(self.config)

    def _signer_for(self, config: Config) -> Signer | None:
        if config.dkim is None:
            return None
        from mailer.deliver import dkim  # with cryptography, 40 ms

        return dkim.load(self.root, config, configuration.dkim_key(self.env))

    @property
    def issues(self) -> list[str]:
        """The slugs of all issues, the newest first."""
        return sorted((path.parent.name for path in self.root.glob("issues/*/issue.md")), reverse=True)

    def issue(self, slug: str, before: Reading | None = None) -> Issue:
        """Read an issue; what stands in it as it stood `before` is not read again.

        Raises NotFound, or InputError with every mistake in it.
        """
        config = self.config  # first: whoever is in a wrong folder should hear that
        path = self.root / "issues" / slug / "issue.md"
        if not path.parent.is_dir() or "/" in slug or slug in ("", ".", ".."):
            raise NotFound(f"there is no issue “{slug}” in {self.root / 'issues'}. {nearest(slug, self.issues)}")
        if not ID.fullmatch(slug):  # it is part of addresses and of Message-ID
            what = "this folder's name may hold small letters, digits and single hyphens; rename it"
            raise InputError([Problem(f"issues/{slug}", 0, what)])
        if slug in RESERVED:
            what = f"/{slug} is an address of the reader's pages; rename this folder, such as 2019-03"
            raise InputError([Problem(f"issues/{slug}", 0, what)])
        from mailer.compose import source

        return source.load(path, f"issues/{slug}/issue.md", config, before)

    def earlier(self, than: Issue) -> Iterator[Issue]:
        """The issues dated before this one, the newest first, at most twelve; one with a mistake in it is left out."""
        found = 0
        for slug in self.issues:
            try:
                issue = self.issue(slug)
            except InputError:
                continue
            if issue.date < than.date:
                yield issue
                found += 1
                if found == _LOOKED_BACK:
                    return

    def compose(self, slug: str, before: Renewal | None = None) -> Composition:
        """Read and render an issue; what stands in it as it stood `before` is taken from there.

        Raises NotFound or InputError.
        """
        from mailer.compose.composition import Composition

        issue = self.issue(slug, before.reading if before else None)
        return Composition.of(issue, self._theme_of(issue), self.config, before.rendering if before else None)

    def snapshot(self, slug: str) -> Snapshot | None:
        """An issue as it was planned, when something of it was sent; None also where an old plan kept too little."""
        from mailer.compose import snapshot

        plan, archive = self.store.sendlog.plan(slug), self.store.archive
        facts, pages = archive.facts(slug), archive.pages(slug)
        if plan is None or not plan.touched or facts is None or pages is None:
            return None
        told = snapshot.facts(facts[1])
        config = snapshot.config_of(told, self.config)
        if config is None:
            return None
        names = [picture.name for picture in told.issue.pictures if picture.content_id]
        carried = {name: content for name in names if (content := archive.file(slug, name)) is not None}
        return snapshot.Snapshot(told, snapshot.pages(pages), config, carried)

    def differences(self, plan: Plan) -> list[str]:
        """How an issue is not what it was when it was planned, in words; also why it cannot be read any more."""
        from mailer.compose.composition import changes, fingerprint

        try:
            issue = self.issue(plan.issue)
            return changes(plan.fingerprint, fingerprint(issue, self._theme_of(issue), self.config))
        except InputError as error:
            return [str(problem) for problem in error.problems]
        except NotFound:
            return [f"issues/{plan.issue} is gone"]
        except OSError as error:
            return [f"{error.filename} cannot be read: {error.strerror}"]

    def sender_domain(self, slug: str) -> str:
        """The domain in an issue's Message-IDs: of the sender it was planned with."""
        from mailer.compose import snapshot

        found = self.store.archive.facts(slug)
        config = snapshot.config_of(snapshot.facts(found[1]), self.config) if found else None
        return (config or self.config).newsletter.sender_domain

    def _theme_of(self, issue: Issue) -> Theme:
        try:
            return self.theme(issue.template)
        except NotFound as error:
            raise InputError([Problem(*self._named(issue), str(error))]) from None

    def _named(self, issue: Issue) -> tuple[str, int]:
        """Where the issue's template is named: the file as people name it, and the line."""
        lines = issue.path.read_text("utf-8-sig").split("\n---", 1)[0].splitlines()
        line = next((number for number, line in enumerate(lines, 1) if line.startswith("template:")), 0)
        if line:
            return f"issues/{issue.slug}/issue.md", line
        return configuration.place(self.root, "newsletter.template")

    def theme(self, name: str) -> Theme:
        """Read a template folder. Raises NotFound or InputError."""
        from mailer.compose.theme import Theme

        folder = self.root / "templates" / name
        if not folder.is_dir():
            known = [path.name for path in sorted((self.root / "templates").glob("*")) if path.is_dir()]
            raise NotFound(f"there is no template “{name}” in templates/. {nearest(name, known)}")
        return Theme.load(folder, f"templates/{name}")

    def job(
        self, composition: Composition | Snapshot, rate: float = 0.0, limit: int = 0, keep_going: bool = False
    ) -> Job:
        """Everything the engine needs to send an issue; before it is planned, all but its editions."""
        from mailer.compose import headers
        from mailer.deliver.job import Job

        smtp = self.config.smtp
        signer = self._signer_for(composition.config)  # a key that is wrong is told before anything is planned
        issue = composition.issue.slug
        planned = self.store.sendlog.editions(issue) if self.store.sendlog.plan(issue) else {}
        templates = {key: composition.template(selection) for key, selection in planned.items()}
        return Job(
            issue=issue,
            templates=signer.over(templates) if signer else templates,
            personaliser=composition.personaliser(self.tokens),
            sender=headers.parts_of(composition.config.newsletter.sender)[1],
            relays=self.relays,
            retry=smtp.retry,
            timeout=smtp.timeout.total_seconds(),
            domains=smtp.domains,
            warmup=smtp.warmup,
            rate=rate,
            limit=limit,
            keep_going=keep_going,
        )

    def close(self) -> None:
        """Close the store, if it was opened."""
        if "store" in self.__dict__:
            self.store.close()
