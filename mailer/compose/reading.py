"""An issue file read again after an edit: its passages that stand as they stood are not parsed a second time.

reading = Reading()
source.load(path, shown, config, reading)     the first time it reads everything
source.load(path, shown, config, reading)     == source.load(path, shown, config), in a tenth of the time

A passage is the front matter and the welcome, the beginning of a section, or a story. What it became is known by its
exact text, the configuration, and the answers to what it asked of the issue's folder: its pictures, and the files it
links to. Where a passage cannot be understood without the others, the file is read whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from markdown_it.token import Token

from mailer.compose import markup, outline
from mailer.compose.assets import IssueAssets
from mailer.compose.frontmatter import FrontMatter
from mailer.models import Picture, Prose, Section, Story
from mailer.settings import Config

Part = FrontMatter | Prose | Section | Story  # Prose is the welcome; a section has no stories yet


@dataclass(frozen=True, slots=True)
class Passage:
    """Some of an issue file, read. `pictures` are those within its text."""

    parts: tuple[Part, ...]
    pictures: tuple[Picture, ...]

    def moved(self, lines: int) -> Passage:
        """The same, so many lines further down."""
        parts = (replace(part, line=part.line + lines) if isinstance(part, Section | Story) else part
                 for part in self.parts)  # fmt: skip
        return replace(self, parts=tuple(parts)) if lines else self


_Stamp = tuple[int, int, int, int]


@dataclass(slots=True)
class _Asking:
    """Hands questions on to the assets, and notes the answers that depend on what lies in the issue's folder."""

    assets: IssueAssets
    links: list[tuple[str, str | None]] = field(default_factory=list)
    pictures: list[tuple[str, str, Picture | None, _Stamp | None]] = field(default_factory=list)

    def link(self, href: str, line: int) -> str | None:
        url = self.assets.link(href, line)
        if url != href.strip():  # else it is an absolute address
            self.links.append((href, url))
        return url

    def picture(self, source: str, alt: str, line: int) -> Picture | None:
        picture = self.assets.picture(source, alt, line)
        self.pictures.append((source, alt, picture, self._stamp(picture, source)))
        return picture

    def still(self, assets: markup.Assets, line: int) -> bool:
        """Whether every answer is what it was."""
        return all(assets.link(href, line) == url for href, url in self.links) and all(
            (stamp and self._stamp(picture, source) == stamp) or assets.picture(source, alt, line) == picture
            for source, alt, picture, stamp in self.pictures
        )

    def _stamp(self, picture: Picture | None, source: str) -> _Stamp | None:
        """Which file lies in a picture's place and when it was written: a tenth of the time of looking at it.

        None where it is reached in another way, such as by a symbolic link.
        """
        if picture is None or str(picture.path) != f"{self.assets.home}/{source}":
            return None
        with suppress(OSError):
            status = os.lstat(picture.path)
            return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
        return None


@dataclass(frozen=True, slots=True)
class _Known:
    passage: Passage
    line: int
    asked: _Asking


@dataclass(slots=True)
class Reading:
    """What is known of an issue file from the time it was last read without a mistake."""

    _config: Config | None = None
    _known: dict[str, _Known] = field(default_factory=dict)
    _now: dict[str, _Known] = field(default_factory=dict)

    def passages(
        self,
        text: str,
        config: Config,
        assets: IssueAssets,
        read: Callable[[list[Token], markup.Assets], Passage],
    ) -> list[Passage] | None:
        """The passages of a file, those that are new made by `read`; None when they depend on each other."""
        if config is not self._config:
            self._config, self._known = config, {}
        self._now, passages = {}, []
        for line, content in outline.passages(text):
            known = self._known.get(content)
            if known is None or not known.asked.still(assets, line):
                tokens = markup.parse_passage(content, line)
                if tokens is None:
                    return None
                asking = _Asking(assets)
                known = _Known(read(tokens, asking), line, asking)
            self._now[content] = known
            passages.append(known.passage.moved(line - known.line))
        return passages if isinstance(passages[0].parts[0], FrontMatter) else None

    def keep(self) -> None:
        """What was last read had no mistake in it."""
        self._known = self._now
