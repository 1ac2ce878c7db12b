"""Headings in a draft that has none, only lines that look like some: plain text, or a document of bold lines.

A line in capitals names a section. A title is one line without a link that ends like no sentence and is followed by
text. A paragraph that was cut in two, by the layout of a page, is joined again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailer.compose.drafting.blocks import Block, Kind

_LONGEST = 250  # characters of a title; the longest in the newsletter this was made for has 190
_SENTENCE_END = re.compile(r"[.!?…:;]['\"”’»)\]]*$")
_INNER_END = re.compile(r"(?<=[a-z)”’])\. +[A-Z“]")
SECTION, STORY = 1, 2  # levels


def infer(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with headings of level 1 and 2 in the place of lines that look like them."""
    joined = list(_joined(blocks))
    said = Counter(re.findall(r"\w+", " ".join(block.words for block in joined if not _capitals(block))))
    made: list[Block] = []
    for position, block in enumerate(joined):
        following = joined[position + 1] if position + 1 < len(joined) else None
        if _capitals(block):
            words = sentence_case(block.words, said)
            made.append(replace(block, kind=Kind.HEADING, level=SECTION, words=words, bold=False))
        elif _title(block) and following and (position == 0 or not _capitals(following)):
            made.append(replace(block, kind=Kind.HEADING, level=STORY, bold=False))
        else:
            made.append(block)
    return made


def bold_lines(blocks: Sequence[Block], level: int) -> list[Block]:
    """The blocks with short paragraphs all in bold as headings of this level."""
    return [
        replace(block, kind=Kind.HEADING, level=level, bold=False) if block.bold and _title(block) else block
        for block in blocks
    ]


def sentence_case(title: str, said: Counter[str]) -> str:
    """`TOP STORIES` -> `Top stories`; a word that the text itself writes in capitals only, such as ILO, keeps them."""

    def smaller(found: re.Match[str]) -> str:
        word = found[0]
        return word if said[word] and not said[word.lower()] and not said[word.capitalize()] else word.lower()

    words = re.sub(r"[^\W\d_]+", smaller, title)
    return words[:1].upper() + words[1:]


def _joined(blocks: Sequence[Block]) -> Iterator[Block]:
    """Pictures as they stand; a paragraph goes on where the one before broke off, and its pictures come before both."""
    held: Block | None = None
    pictures: list[Block] = []
    for block in blocks:
        if held is None:
            held = block
        elif block.kind is Kind.PICTURE and held.kind is Kind.PARAGRAPH:
            pictures.append(block)
        elif _goes_on(held, block):
            held = replace(
                held,
                text=f"{held.text} {block.text}",
                words=f"{held.words} {block.words}",
                bold=False,
                links=held.links + block.links,
            )
        else:
            yield from _in_order(held, pictures)
            held, pictures = block, []
    if held is not None:
        yield from _in_order(held, pictures)


def _in_order(held: Block, pictures: list[Block]) -> list[Block]:
    """A title before the pictures behind it; text after them."""
    return [held, *pictures] if _title(held) or _capitals(held) else [*pictures, held]


def _goes_on(before: Block, block: Block) -> bool:
    if Kind.PARAGRAPH is not before.kind or before.kind is not block.kind or _capitals(before) or _capitals(block):
        return False
    if before.bold or block.bold:
        return False
    if block.words[:1].islower():
        return not re.fullmatch(r"(https?://|www\.)\S+", block.words)
    if _title(before) or _title(block) or _SENTENCE_END.search(before.words):
        return False
    alone = re.fullmatch(r"\[[^\]]*\]\(\S*\)", before.text)  # a link by itself is whole, unless another follows it
    return not re.search(r"(https?://|www\.)\S+$", before.words) and (not alone or block.text.startswith("["))


def _capitals(block: Block) -> bool:
    letters = [letter for letter in block.words if letter.isalpha()]
    return (
        block.kind is Kind.PARAGRAPH and not block.links and len(letters) > 3 and "".join(letters).isupper()
        and len(block.words) <= 80
    )  # fmt: skip


def _title(block: Block) -> bool:
    words = block.words
    if block.kind is not Kind.PARAGRAPH or block.links or len(words) > _LONGEST or "\n" in block.text:
        return False
    if not (words[:1].isalnum() or words[:1] in "“\"‘'«¿¡(") or words[:1].islower():
        return False
    return not re.search(r"[.;,]['\"”’»)]*$", words) and not _INNER_END.search(words)
