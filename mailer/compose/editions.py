"""Which stories for which interests, and cutting an edition out of the marked page.

    whole = MarkedPage.parse(html, Marks.of(issue), issue)
    whole.cut(select(issue, ("green-jobs",)))       == the page rendered from these stories alone, byte for byte

An edition is a selection of stories; everybody with the same selection shares it, whatever their interests.
"""

from __future__ import annotations

import dataclasses
import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailer.compose import page
from mailer.compose.marks import Marks
from mailer.compose.theme import Theme
from mailer.models import Edition, Issue, Segment, Selection
from mailer.settings import Config

# MRML closes and reopens Outlook's conditional comments between neighbours; npm mjml merges them. Merged after the
# cut, because what neighbours what depends on the selection: 1.5 KB of a full issue.
OUTLOOK_SEAM = "<![endif]--><!--[if mso | IE]>"


def select(issue: Issue, interests: Sequence[str]) -> Selection:
    """The stories a subscriber with these interests gets; all of them when no interest is chosen."""
    return tuple(story.id for story in issue.stories if story.suits(tuple(interests)))


def key(selection: Selection) -> str:
    """A short stable name for a selection."""
    return hashlib.sha256("\n".join(selection).encode("ascii")).hexdigest()[:12]


def group(issue: Issue, segments: Iterable[Segment]) -> tuple[list[Edition], list[Segment]]:
    """Segments by the selection they get, the longest edition first; and those for whom nothing is left."""
    sharing: dict[Selection, list[Segment]] = {}
    for segment in segments:
        sharing.setdefault(select(issue, segment.interests), []).append(segment)
    nothing = sharing.pop((), [])
    editions = [Edition(key(selection), selection, tuple(shared)) for selection, shared in sharing.items()]
    return sorted(editions, key=lambda edition: (-len(edition.selection), edition.key)), nothing


def restrict(issue: Issue, selection: Selection) -> Issue:
    """The issue as if only these stories had been written; sections that fall empty disappear."""
    chosen = set(selection)
    sections = (
        dataclasses.replace(section, stories=tuple(story for story in section.stories if story.id in chosen))
        for section in issue.sections
    )
    return dataclasses.replace(issue, sections=tuple(section for section in sections if section.stories))


def rendered_alone(issue: Issue, selection: Selection, theme: Theme, config: Config) -> tuple[str, str]:
    """HTML and text of an edition, rendered from its stories alone: the slow way, which cutting must equal."""
    edition, marks = restrict(issue, selection), Marks.of(issue, live=False)
    rendered = page.render(edition, theme, config, marks)
    return rendered.replace(OUTLOOK_SEAM, ""), theme.text(edition, config, marks).replace(OUTLOOK_SEAM, "")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of the page and what it belongs to; `counted` pieces hold a section's number of stories instead."""

    text: str
    section: str | None
    story: str | None
    counted: str | None = None


@dataclass(frozen=True, slots=True)
class MarkedPage:
    """A rendered page, split at its marks."""

    pieces: tuple[_Piece, ...]
    story_sections: dict[str, str]

    @classmethod
    def parse(cls, text: str, marks: Marks, issue: Issue) -> MarkedPage:
        """Split a page. Raises ValueError when the template is wrong.

        That is when its marks do not pair up, or when it shows a story meant for some without marks, to everybody.
        """
        pieces: list[_Piece] = []
        section: str | None = None
        story: str | None = None
        position = 0
        for start, found in marks.parts(text):
            if start > position:
                pieces.append(_Piece(text[position:start], section, story))
            position = found.end()
            if counted := found["counted"]:
                pieces.append(_Piece("", section, story, counted))
                continue
            opens = None if found["close"] else found["id"]
            current = section if found["kind"] == "section" else story
            if (opens is None and current != found["id"]) or (opens is not None and current is not None):
                raise ValueError(f"begin and close of {found['kind']} “{found['id']}” do not pair up")
            if found["kind"] == "section":
                section = opens
            else:
                story = opens
        if section or story:
            raise ValueError(f"begin({section or story}) is never closed")
        pieces.append(_Piece(text[position:], None, None))
        marked = {piece.story for piece in pieces if piece.text.strip()}
        for told in issue.stories:
            if told.topics and told.id not in marked:
                raise ValueError(f"story “{told.id}” stands outside begin and close: everybody would get it")
        homes = {story.id: section.id for section in issue.sections for story in section.stories}
        return cls(tuple(pieces), homes)

    def cut(self, selection: Selection) -> str:
        """The page of these stories alone. No parsing: a choice of pieces and a join."""
        stories = set(selection)
        counts: dict[str, int] = {}
        for story in selection:
            home = self.story_sections[story]
            counts[home] = counts.get(home, 0) + 1
        return "".join(
            str(counts.get(piece.counted, 0)) if piece.counted else piece.text
            for piece in self.pieces
            if (piece.story is None or piece.story in stories) and (piece.section is None or piece.section in counts)
        ).replace(OUTLOOK_SEAM, "")

    def with_picture(self, old: str, new: str) -> MarkedPage:
        """The HTML page with a picture from another address; links that lead to the old one stay."""
        shown = re.compile(f'(?<!href="){re.escape(html.escape(old))}(?=["\')])')
        pieces = (dataclasses.replace(piece, text=shown.sub(html.escape(new), piece.text)) for piece in self.pieces)
        return dataclasses.replace(self, pieces=tuple(pieces))
