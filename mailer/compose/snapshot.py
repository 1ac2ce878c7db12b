"""An issue as it was sent, kept so that the archive needs neither issue.md nor its template ever again.

publication = take(composition)                      written with the plan of a send
facts(publication.facts).issue                       title, stories, events ... , without places on disk
pages(publication.pages, facts).html.cut(selection)  any edition, as it was mailed
"""

from __future__ import annotations

import dataclasses
import re
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from pydantic import TypeAdapter

from mailer.compose import pictures
from mailer.compose.composition import Composition
from mailer.compose.editions import MarkedPage
from mailer.compose.marks import Marks
from mailer.models import Issue, Picture, Publication


@dataclass(frozen=True, slots=True)
class Facts:
    """What an issue says of itself, and the words for a reader without a name or without interests."""

    issue: Issue
    reader: str
    everything: str

    @property
    def marks(self) -> Marks:
        """The marks in its pages."""
        return Marks.of(self.issue)


@dataclass(frozen=True, slots=True)
class Pages:
    """The compiled pages, with their marks and slots."""

    html: MarkedPage
    text: MarkedPage


def take(composition: Composition) -> Publication:
    """All of it. Raises PictureError when a picture has become unreadable."""
    issue = composition.issue
    words = composition.theme.words(issue.language)
    told = Facts(_placeless(issue), words["reader"], words["everything"])
    files = dict(pictures.published(picture) for picture in issue.pictures)
    return Publication(
        zlib.compress(_facts().dump_json(told)),
        zlib.compress(_pages().dump_json(Pages(composition.html, composition.text))),
        files | _linked(composition),
    )


def facts(content: bytes) -> Facts:
    """Read what `take` wrote, also an older one: a field it does not know has its default."""
    return _facts().validate_json(zlib.decompress(content))


def pages(content: bytes) -> Pages:
    """Read what `take` wrote."""
    return _pages().validate_json(zlib.decompress(content))


def _linked(composition: Composition) -> dict[str, bytes]:
    """Files beside the issue that its stories link to."""
    issue, folder = composition.issue, composition.issue.path.parent.resolve()
    address = re.escape(f"{composition.config.newsletter.public_url}/{issue.slug}/")
    page = composition.html.cut(composition.everything)
    names = {unquote(name) for name in re.findall(rf'href="{address}([^"#?]+)', page)}
    paths = {name: (folder / name).resolve() for name in sorted(names)}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_relative_to(folder) and path.is_file()}


def _placeless(issue: Issue) -> Issue:
    """Without the newsroom's place on disk: pictures are found by their published names."""

    def moved(picture: Picture) -> Picture:
        return dataclasses.replace(picture, path=Path(picture.name))

    return dataclasses.replace(
        issue,
        path=Path(issue.path.name),
        masthead=issue.masthead and moved(issue.masthead),
        pictures=tuple(moved(picture) for picture in issue.pictures),
        sections=tuple(
            dataclasses.replace(
                section,
                stories=tuple(
                    dataclasses.replace(story, picture=story.picture and moved(story.picture))
                    for story in section.stories
                ),
            )
            for section in issue.sections
        ),
    )


@cache
def _facts() -> TypeAdapter[Facts]:
    return TypeAdapter(Facts)


@cache
def _pages() -> TypeAdapter[Pages]:
    return TypeAdapter(Pages)
