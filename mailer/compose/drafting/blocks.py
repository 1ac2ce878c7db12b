"""The pieces of a draft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

Note = Callable[[int, str], None]  # the line of the draft, and what became of what stands there

NO_ADDRESS = "https://example.org/TODO"  # where a link of the draft leads nowhere; `check` asks for the address
NO_ALT = "TODO: say what the picture shows"


class Kind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    PICTURE = "picture"
    OTHER = "other"  # a table, a quotation, code


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `text` is its Markdown, `words` what a reader sees of it; a picture has its alt text as words."""

    kind: Kind
    text: str
    words: str
    line: int
    level: int = 0  # of a heading: 1 to 6, 0 for the title of the whole document
    bold: bool = False  # a paragraph all in bold
    links: int = 0
    picture: str = ""  # the key of its bytes in the draft's pictures


@dataclass(slots=True)
class Story:
    """A story of the draft. `proposed` maps a topic to the words that speak for it, with how often they stand."""

    title: str
    line: int
    blocks: list[Block] = field(default_factory=list)
    id: str = ""
    proposed: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Section:
    """A section of the draft."""

    title: str
    line: int
    intro: list[Block] = field(default_factory=list)
    stories: list[Story] = field(default_factory=list)
    id: str = ""  # only where another section has the same name


@dataclass(slots=True)
class Draft:
    """A whole draft, in the shape of an issue. `pictures` maps keys to bytes."""

    title: str
    welcome: list[Block]
    sections: list[Section]
    pictures: dict[str, bytes]

    @property
    def stories(self) -> list[Story]:
        """Every story, in order."""
        return [story for section in self.sections for story in section.stories]
