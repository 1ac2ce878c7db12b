"""The words of an issue as a reader meets them: passage by passage, each with the line it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

from mailer.compose import markup, rawhtml
from mailer.models import Issue, Story

if TYPE_CHECKING:
    from markdown_it.token import Token

OBJECT = "\ufffc"  # stands for a picture or code, whose signs are none of prose
_ADDRESS = re.compile(r"\b(?:https?://|www\.)[^\s<>]*[^\s<>.,;:!?)]|[\w.+-]+@[\w-]+\.[\w.-]*\w|(?<!\w)[@#]\w+")
_TAG = re.compile(r"""<(?P<close>/?)(?P<name>[a-z]\w*)(?:[^>]*\slang=["']?(?P<language>[\w-]+))?""", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?…؟])[”’»\")]*\s+(?=[“‘«\"'(¿¡]*[^\W\d_a-zà-öø-ÿ])")


class Kind(Enum):
    """What a passage is."""

    FRONT = auto()  # a value of the front matter
    TITLE = auto()
    PROSE = auto()  # a paragraph
    ITEM = auto()  # of a list
    CELL = auto()  # of a table
    LINE = auto()  # a paragraph that is wholly a link, or wholly stressed: a button, a by-line
    ALT = auto()  # what a picture shows


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words in one language. `text` keeps the line breaks of the file; addresses are blanked out in `prose`."""

    text: str
    line: int
    kind: Kind
    language: str
    story: Story | None = None
    ends_in_link: bool = False  # behind its last full stop stands a link, and nothing else
    foreign: tuple[
        tuple[int, int, str], ...
    ] = ()  # from, to, language of what stands in a tag, a link or [words] with lang=

    def language_at(self, position: int) -> str:
        """The language of a character."""
        return next((one for start, end, one in self.foreign if start <= position < end), self.language)

    @property
    def languages(self) -> set[str]:
        """Every language in it."""
        return {self.language, *(language for _, _, language in self.foreign)}

    def line_at(self, position: int) -> int:
        """The 1-based line of the file on which a character stands."""
        return self.line + self.text.count("\n", 0, position)

    @property
    def prose(self) -> str:
        """The text with each web or mail address replaced by one sign repeated, so that positions stay."""
        return without_addresses(self.text)

    @property
    def sentences(self) -> list[str]:
        """Its sentences, split where a stop and a blank stand before a capital or an uncased letter."""
        return _SENTENCE.split(self.prose)


@lru_cache(4096)  # most rules ask, for each passage
def without_addresses(text: str) -> str:
    """A text with each web or mail address replaced by one sign repeated."""
    return _ADDRESS.sub(lambda found: OBJECT * len(found[0]), text)


def of(source: Sequence[str], issue: Issue) -> Iterator[Passage]:
    """Every passage of an issue, in the order of its file."""
    yield from _front(source, issue)
    stories = {story.line: story for story in issue.stories}
    sections = {section.line for section in issue.sections}
    story: Story | None = None
    kinds = [Kind.PROSE]
    line, solitary = 1, False
    for token in markup.parse("\n".join(source)):
        if token.map:
            line = markup.line_of(token)
        if token.type == "heading_open":
            story = stories.get(line) or (None if line in sections else story)
        language = story.language if story and story.language else issue.language
        if token.type in _CONTAINERS:
            kinds.append(_CONTAINERS[token.type])
        elif token.type in _CLOSINGS:
            kinds.pop()
        elif token.type == "html_block" and (words := rawhtml.words(token.content)):
            own = _TAG.match(token.content.strip())
            yield Passage(words, line, Kind.PROSE, (own and own["language"]) or language, story)
        elif token.type == "inline":
            solitary = kinds[-1] is Kind.PROSE and _is_line(token)
            yield from _inline(token, line, Kind.LINE if solitary else kinds[-1], language, story)


_CONTAINERS: Mapping[str, Kind] = {
    "heading_open": Kind.TITLE, "list_item_open": Kind.ITEM, "td_open": Kind.CELL, "th_open": Kind.CELL,
}  # fmt: skip
_CLOSINGS = {name.replace("_open", "_close") for name in _CONTAINERS}


def _front(source: Sequence[str], issue: Issue) -> Iterator[Passage]:
    values = {"title": issue.title, "subject": issue.subject, "preheader": issue.preheader}
    if issue.masthead:
        values["masthead_alt"] = issue.masthead.alt
    for line, row in enumerate(source[1:], 2):
        if row.rstrip() == "---":
            return
        key = row.partition(":")[0]
        if values.get(key):
            yield Passage(values[key], line, Kind.FRONT, issue.language)


def _inline(inline: Token, line: int, kind: Kind, language: str, story: Story | None) -> Iterator[Passage]:
    text, before = "", ""
    opened: list[tuple[str, int, str]] = []
    foreign: list[tuple[int, int, str]] = []
    for child in inline.children or ():
        if child.type == "link_open":
            before = text
        if child.type in ("link_open", "span_open"):
            opened.append((child.type, len(text), str(child.attrGet("lang") or "")))
        elif child.type in ("link_close", "span_close"):
            while opened:  # a tag left open within ends here
                name, start, spoken = opened.pop()
                foreign += [(start, len(text), spoken)] * bool(spoken)
                if name == child.type.replace("_close", "_open"):
                    break
        elif child.type == "image":
            yield Passage(child.content, line + text.count("\n"), Kind.ALT, language, story)
            text += OBJECT
        elif child.type == "text":
            text += child.content
        elif child.type == "code_inline":
            text += OBJECT
        elif child.type in ("softbreak", "hardbreak"):
            text += "\n"
        elif child.type == "html_inline" and child.content.lower().startswith("<br"):
            text += " "
        elif child.type == "html_inline" and (tag := _TAG.match(child.content)):
            if not tag["close"]:
                opened.append((tag["name"].lower(), len(text), tag["language"] or ""))
            elif opened and opened[-1][0] == tag["name"].lower():
                _, start, spoken = opened.pop()
                foreign += [(start, len(text), spoken)] * bool(spoken)
    if text.strip(OBJECT + " \n"):
        last = inline.children[-1].type if inline.children else ""
        linked = last == "link_close" and before.rstrip().endswith((".", "!", "?", "…", "؟", ":"))
        yield Passage(text, line, kind, language, story, linked, tuple(foreign))


def _is_line(inline: Token) -> bool:
    """Whether one link, or one run of emphasis, is all there is."""
    children = [child for child in inline.children or () if child.type != "text" or child.content.strip()]
    if len(children) < 2 or not children[0].type.endswith("_open") or children[0].type == "span_open":
        return False
    depth = 0
    for position, child in enumerate(children):
        depth += child.nesting
        if depth == 0:
            return position == len(children) - 1
    return False
