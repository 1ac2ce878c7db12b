"""Blocks -> sections and stories."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mailer.compose.drafting import spans, titles
from mailer.compose.drafting.blocks import Block, Draft, Kind, Note, Section, Story
from mailer.compose.drafting.spans import Span
from mailer.compose.outline import slug_from_title

_NEWS = "News"  # the section of stories that stand in none
_FILLERS = set("a an and as at by for from in into of on or the to with".split())


def arrange(title: str, blocks: Sequence[Block], pictures: dict[str, bytes], note: Note) -> Draft:
    """The draft in the shape of an issue: every story in a section, no two with one id."""
    title, levelled = _levelled(title, blocks, note)
    draft = Draft(title, [], [], pictures)
    for block in levelled:
        if block.kind is Kind.HEADING and block.level == titles.SECTION:
            draft.sections.append(Section(block.words.removesuffix(":"), block.line))
        elif block.kind is Kind.HEADING and block.level == titles.STORY:
            if not draft.sections:
                note(block.line, f"“{block.words}” stands in no section; it was put into one named {_NEWS}")
                draft.sections.append(Section(_NEWS, block.line))
            draft.sections[-1].stories.append(Story(block.words.removesuffix(":"), block.line))
        else:
            _body(draft).append(block)
    draft.sections = [section for section in draft.sections if _holds_something(section, note)]
    _name(draft)
    _note_doubles(draft, note)
    return draft


def _levelled(title: str, blocks: Sequence[Block], note: Note) -> tuple[str, list[Block]]:
    """The title of the whole, and the blocks with sections at level 1, stories at 2, headings in stories from 3."""
    headings = [block for block in blocks if block.kind is Kind.HEADING]
    for block in headings:
        if block.level == 0:
            title = block.words
    blocks = [block for block in blocks if not (block.kind is Kind.HEADING and block.level == 0)]
    headings = [block for block in headings if block.level]
    levels = sorted({block.level for block in headings})
    if len(levels) > 2 and headings[0].level == levels[0] and sum(block.level == levels[0] for block in headings) == 1:
        title = headings[0].words  # the one heading above all others
        blocks = [block for block in blocks if block is not headings[0]]
        levels = levels[1:]
    if not levels:
        made = titles.infer(blocks)
        first = made[0] if made else None
        if first and first.kind is Kind.HEADING and first.level == titles.STORY and _capital_next(made):
            return first.words, made[1:]
        return title, made
    if len(levels) == 1:
        with_bold = titles.bold_lines(blocks, levels[0] + 1)
        if any(block.kind is Kind.HEADING and block.level > levels[0] for block in with_bold):
            blocks, levels = with_bold, [levels[0], levels[0] + 1]
        else:
            levels = [0, levels[0]]
    depth = {level: number for number, level in enumerate(levels, 1)}
    return title, [_at(block, depth) if block.kind is Kind.HEADING else block for block in blocks]


def _capital_next(made: Sequence[Block]) -> bool:
    """Whether a section follows the first heading before any other story does: then that is the title of the whole."""
    following = [block.level for block in made[1:] if block.kind is Kind.HEADING]
    return following[:1] == [titles.SECTION]


def _at(block: Block, depth: dict[int, int]) -> Block:
    return replace(block, level=depth[block.level])


def _body(draft: Draft) -> list[Block]:
    if not draft.sections:
        return draft.welcome
    section = draft.sections[-1]
    return section.stories[-1].blocks if section.stories else section.intro


def _holds_something(section: Section, note: Note) -> bool:
    """A section with text and no story becomes a story of its own name; an empty one is left out."""
    if section.stories:
        return True
    if not section.intro:
        note(section.line, f"“{section.title}” heads nothing and was left out")
        return False
    note(section.line, f"“{section.title}” holds text and no story; the text was made a story of the same name")
    section.stories.append(Story(section.title, section.line, section.intro))
    section.intro = []
    return True


def _name(draft: Draft) -> None:
    taken: set[str] = set()
    for story in draft.stories:
        words = slug_from_title(story.title, "story").split("-")
        telling = [word for word in words if word not in _FILLERS] or words
        story.id = _free("-".join(telling[:4]), taken)
        _lead(story)
    taken.clear()
    for section in draft.sections:
        id_ = slug_from_title(section.title, "section")
        free = _free(id_, taken)
        section.id = free if free != id_ else ""


def _free(id_: str, taken: set[str]) -> str:
    number, free = 1, id_
    while free in taken:
        number += 1
        free = f"{id_}-{number}"
    taken.add(free)
    return free


def _lead(story: Story) -> None:
    """The first picture of a story comes right under its title; a link at the very end becomes its button."""
    pictures = [block for block in story.blocks if block.kind is Kind.PICTURE]
    if pictures:
        story.blocks.remove(pictures[0])
        story.blocks.insert(0, pictures[0])
    last = story.blocks[-1] if story.blocks else None
    if last is None or last.kind is not Kind.PARAGRAPH:
        return
    found = re.fullmatch(r"(?s)(?:(.*[.!?…][\"”’)]*)\s+)?(\[([^\[\]]{1,60})\]\([^\s()]+\))\.?", last.text)
    if found:
        words = last.words.rstrip(".")[: -len(found[3])].rstrip()
        before = [replace(last, text=found[1], words=words)] if found[1] else []
        story.blocks[-1:] = [*before, replace(last, text=found[2] + "{.button}", words=found[3])]


def _note_doubles(draft: Draft, note: Note) -> None:
    seen: dict[str, Story] = {}
    for story in draft.stories:
        words = re.sub(r"\W+", " ", " ".join([story.title, *(block.words for block in story.blocks)])).lower()
        first = seen.setdefault(words, story)
        if first is not story:
            note(story.line, f"“{story.title}” stands on line {first.line} already, word for word; take one out")


def heading(block: Block) -> str:
    """A heading inside a story, as Markdown; emphasis is not for headings."""
    return f"{'#' * min(block.level, 6)} {spans.markdown([Span(block.words)])}"
