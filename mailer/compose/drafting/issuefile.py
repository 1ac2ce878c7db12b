"""Sections and stories -> the text of issue.md.

A proposed topic is written into the story's attributes, and a comment under the heading says so with the words that
speak for it: the proposal shows in the preview, as a topic label at the story and in the list of editions, where a
wrong one is noticed; a comment alone would show nowhere, and everybody would get everything.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailer.compose.checks import placeholders
from mailer.compose.drafting import arrange, spans
from mailer.compose.drafting.blocks import NO_ALT, Block, Draft, Kind, Section, Story
from mailer.compose.drafting.spans import Span


def text(draft: Draft, date: datetime.date, newsletter: str, names: dict[str, str]) -> str:
    """The whole file. `names` maps the keys of pictures to their files beside it."""
    parts = [_front(draft.title or newsletter, date)]
    parts += _blocks(draft.welcome, names, 0)
    for section in draft.sections:
        parts += _section(section, names)
    return "\n\n".join(parts) + "\n"


def _front(title: str, date: datetime.date) -> str:
    return "\n".join(
        [
            "---",
            f"title: {json.dumps(title, ensure_ascii=False)}",  # JSON's strings are YAML's double-quoted ones, too
            f"date: {date}",
            f"subject: {json.dumps(placeholders.SUBJECT)}",
            f"preheader: {json.dumps(placeholders.PREHEADER)}",
            "---",
        ]
    )


def _section(section: Section, names: dict[str, str]) -> Iterator[str]:
    yield f"# {_title(section.title)}" + (f" {{#{section.id}}}" if section.id else "")
    yield from _blocks(section.intro, names, 1)
    for story in section.stories:
        yield from _story(story, names)


def _story(story: Story, names: dict[str, str]) -> Iterator[str]:
    topics = f" topics={','.join(story.proposed)}" if story.proposed else ""
    yield f"## {_title(story.title)} {{#{story.id}{topics}}}"
    if story.proposed:
        why = "; ".join(f"{topic} for {_evidence(words)}" for topic, words in story.proposed.items())
        yield f"<!-- {placeholders.PROPOSED} {why} -->"
    yield from _blocks(story.blocks, names, 2)


def _evidence(words: dict[str, int]) -> str:
    return ", ".join(f"“{word}” × {count}" for word, count in words.items()).replace("--", "-")


def _blocks(blocks: Sequence[Block], names: dict[str, str], level: int) -> Iterator[str]:
    """`level` is that of the heading above; one below it may not skip any, and none may stand above a story."""
    for block in blocks:
        if block.kind is Kind.PICTURE:
            yield f"![{spans.markdown([Span(block.words or NO_ALT)])}]({names[block.picture]})"
        elif block.kind is not Kind.HEADING:
            yield block.text
        elif level < 2:
            yield spans.markdown([Span(block.words, frozenset({"strong"}))])
        else:
            level = min(block.level, level + 1, 6)
            yield arrange.heading(replace(block, level=level))


def _title(words: str) -> str:
    """A heading's words; braces or # at its end would be read as attributes or dropped."""
    written = spans.markdown([Span(words)])
    return written[:-1] + "\\#" if written.endswith("#") else written
