"""An issue as it was planned, kept so that neither its archive nor the rest of its send needs a file ever again.

publication = take(composition)                  written with the plan of a send
facts(publication.facts).issue                   title, stories, events ... , without places on disk
pages(publication.pages).html.cut(selection)     any edition, as it is mailed
Snapshot(facts, pages, ...).template(selection)  its message: the bytes that composition.template(selection) has
"""

from __future__ import annotations

import dataclasses
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import TypeAdapter

from mailer.compose import pictures
from mailer.compose.composition import Composition
from mailer.compose.editions import MarkedPage
from mailer.compose.marks import Marks
from mailer.compose.message import MessageTemplate, compile_message
from mailer.compose.personal import Personaliser
from mailer.models import Issue, Picture, Publication, Selection
from mailer.settings import Config, Newsletter
from mailer.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Facts:
    """What an issue says of itself, the words for a reader without a name or without interests, and who sends it."""

    issue: Issue
    reader: str
    everything: str
    newsletter: dict[str, Any] = field(default_factory=dict)  # the settings; none in the first snapshots
    interests: dict[str, str] = field(default_factory=dict)

    @property
    def marks(self) -> Marks:
        """The marks in its pages."""
        return Marks.of(self.issue)


@dataclass(frozen=True, slots=True)
class Pages:
    """The compiled pages, with their marks and slots."""

    html: MarkedPage
    text: MarkedPage


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An issue as it was planned: to a send what a Composition is, without any of the newsroom's files."""

    facts: Facts
    pages: Pages
    config: Config  # today's, with the newsletter and the interests of that day
    carried: Mapping[str, bytes]  # the pictures that go with its mails, by their published names
    _templates: dict[Selection, MessageTemplate] = field(default_factory=dict)

    @property
    def issue(self) -> Issue:
        """What it says of itself."""
        return self.facts.issue

    def template(self, selection: Selection) -> MessageTemplate:
        """The message of an edition, compiled when first asked for."""
        if selection not in self._templates:
            html, text = self.pages.html.cut(selection), self.pages.text.cut(selection)
            self._templates[selection] = compile_message(
                self.issue, html, text, self.config, self.facts.marks, carried=self.carried
            )
        return self._templates[selection]

    def personaliser(self, tokens: Tokens) -> Personaliser:
        """Makes the personal values of this issue's readers."""
        return Personaliser(self.issue, self.config, tokens, self.facts.reader, self.facts.everything)


def take(composition: Composition) -> Publication:
    """All of it. Raises PictureError when a picture has become unreadable."""
    issue = composition.issue
    words = composition.theme.words(issue.language)
    config = composition.config
    newsletter = config.newsletter.model_dump(mode="json", exclude_unset=True)
    told = Facts(_placeless(issue), words["reader"], words["everything"], newsletter, config.interests)
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


def config_of(told: Facts, today: Config) -> Config | None:
    """The configuration that an issue's mails speak of; None when its snapshot is too old to know."""
    if not told.newsletter:
        return None
    known = {name: value for name, value in told.newsletter.items() if name in Newsletter.model_fields}
    return today.model_copy(update={"newsletter": Newsletter.model_validate(known), "interests": dict(told.interests)})


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
