"""The links an author wrote, each with its words, its address and its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from mailer.compose.checks.material import Material
from mailer.models import Prose, Story

_LINK = re.compile(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_PICTURE = re.compile(r'<img [^>]*?alt="([^"]*)"[^>]*>')
_TAGS = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link of the issue. `pictured` when nothing but a picture carries it; `text` is its alt text then."""

    text: str
    url: str
    line: int
    story: Story | None = None
    pictured: bool = False


def anchors(material: Material) -> Iterator[Anchor]:
    """Every link of an issue, in its order."""
    issue = material.issue
    first = min((section.line for section in issue.sections), default=len(material.source))
    yield from _of(material, issue.intro, range(1, first))
    for section in issue.sections:
        after = min((story.line for story in section.stories), default=len(material.source))
        yield from _of(material, section.intro, range(section.line, after))
        for story in section.stories:
            yield from _of(material, story.body, material.span(story), story)
            if story.link:
                lines = reversed(material.span(story))
                yield Anchor(
                    story.link.text,
                    story.link.url,
                    _line(material, lines, story.link.url, story.link.text, story),
                    story,
                )


def _of(material: Material, prose: Prose, lines: range, story: Story | None = None) -> Iterator[Anchor]:
    start = lines.start
    for found in _LINK.finditer(prose.html):
        url, inside = unescape(found[1]), found[2]
        words = _words(_TAGS.sub("", inside))
        picture = _PICTURE.search(inside)
        pictured = picture is not None and not words
        text = _words(picture[1]) if picture and pictured else words
        line = _line(material, range(start, lines.stop), url, text, story)
        start = max(start, line)
        yield Anchor(text, url, line, story, pictured)


def _line(material: Material, lines: Iterable[int], url: str, text: str, story: Story | None) -> int:
    """Where the link stands: by its address as written or published, else by its words."""
    numbers = list(lines)
    for wanted in (f"({url}", f"({unquote(url)}", f"({url.rpartition('/')[2] or url}", f"[{text}"):
        for line in numbers:
            if wanted in unescape(material.source[line - 1]).replace("(<", "("):
                return line
    return next((line for line in numbers if url in material.source[line - 1]), story.line if story else 0)


def _words(text: str) -> str:
    return " ".join(unescape(text).split())
