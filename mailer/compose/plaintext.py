"""Markdown tokens -> plain text, set like a good RFC: 76 columns by display width, numbered references."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import wcwidth
from markdown_it.token import Token

from mailer.compose import rawhtml

# Characters of one column each, as most Western texts have: textwrap cuts them alike in a third of the time.
_NARROW = re.compile("[ -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u20ac]*")
WIDTH = 76  # RFC 5322 section 2.1.1 asks for 78 at most


def wrap(text: str, first: str = "", rest: str = "") -> list[str]:
    """Lines of at most 76 columns, `first` before the first and `rest` before the others.

    Words longer than a line (addresses) stay whole: a broken link is worse than a long line.
    """
    if _NARROW.fullmatch(text):
        if len(first) + len(text) <= WIDTH:  # as textwrap would, in a hundredth of its time
            return [first + text.rstrip(" ")] if text.strip(" ") else []
        return textwrap.wrap(
            text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        )
    return wcwidth.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=_without_spaces(text),
        break_on_hyphens=False,
    )


def underline(text: str, character: str) -> str:
    """A heading: its lines, and a rule as wide as the widest."""
    rows = wrap(text)
    return "\n".join([*rows, character * min(WIDTH, max((columns(row) for row in rows), default=0))])


def columns(text: str) -> int:
    """How many terminal columns a text takes."""
    if _NARROW.fullmatch(text):
        return len(text)
    return max(0, wcwidth.width(text, control_codes="ignore"))


@dataclass(slots=True)
class Text:
    """Writes one run of blocks; references are numbered from 1 and listed at its end."""

    references: list[str] = field(default_factory=list)

    def blocks(self, tokens: Sequence[Token]) -> str:
        """The whole run: paragraphs with a blank line between them, then its references."""
        body = "\n\n".join(block for block in self._blocks(tokens, "") if block)
        listed = "\n".join(f"[{number}] <{url}>" for number, url in enumerate(self.references, 1))
        return "\n\n".join(part for part in (body, listed) if part)

    def _blocks(self, tokens: Sequence[Token], indent: str) -> list[str]:
        written: list[str] = []
        position = 0
        while position < len(tokens):
            token = tokens[position]
            end = _closing(tokens, position)
            inside = tokens[position + 1 : end]
            if token.type == "inline":
                written.append(self._paragraph(token, indent, indent))
            elif token.type in ("paragraph_open", "heading_open"):
                written.append(self._paragraph(inside[0], indent, indent))
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                written.append(self._list(token, inside, indent))
            elif token.type == "blockquote_open":
                written.append(f"\n{indent}>\n".join(block for block in self._blocks(inside, indent + "> ") if block))
            elif token.type == "table_open":
                written.append(self._table(inside, indent))
            elif token.type in ("fence", "code_block"):
                rows = token.content.rstrip("\n").split("\n")
                written.append("\n".join(f"{indent}    {row}".rstrip(" ") for row in rows))
            elif token.type == "hr":
                written.append(f"{indent}* * *")
            elif token.type == "html_block":
                written.append("\n".join(wrap(rawhtml.words(token.content), indent, indent)))
            position = end + 1
        return written

    def _paragraph(self, inline: Token, first: str, rest: str) -> str:
        rows: list[str] = []
        for number, part in enumerate(self._inline(inline).split("\n")):
            rows += wrap(part.strip(), rest if number else first, rest)
        return "\n".join(rows)

    def _list(self, opening: Token, tokens: Sequence[Token], indent: str) -> str:
        number = int(opening.attrGet("start") or 1)
        items: list[str] = []
        position = 0
        while position < len(tokens):
            end = _closing(tokens, position)
            sign = f"{number}. " if opening.type == "ordered_list_open" else "- "
            blocks = self._blocks(tokens[position + 1 : end], indent + " " * len(sign))
            text = "\n".join(block for block in blocks if block)
            items.append(indent + sign + text[len(indent) + len(sign) :])
            number += 1
            position = end + 1
        return "\n".join(items)

    def _table(self, tokens: Sequence[Token], indent: str) -> str:
        rows: list[list[str]] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(self._inline(token).replace("\n", " "))
        return "\n".join(line for row in rows for line in wrap(" | ".join(row), indent, indent + "  "))

    def _inline(self, inline: Token) -> str:
        words: list[str] = []
        links: list[tuple[int, str]] = []  # where the words of an open link begin, and where it leads
        for child in inline.children or ():
            if child.type in ("text", "code_inline"):
                words.append(child.content)
            elif child.type == "softbreak":
                words.append(" ")
            elif child.type == "hardbreak":
                words.append("\n")
            elif child.type == "image":
                words.append(f"[{child.content}]" if child.content else "")
            elif child.type == "link_open":
                links.append((len(words), str(child.attrGet("href") or "")))
            elif child.type == "link_close":
                self._reference(words, *links.pop())
            elif child.type == "html_inline" and child.content.lower().startswith("<br"):
                words.append("\n")
        return "".join(words)

    def _reference(self, words: list[str], start: int, url: str) -> None:
        """`words [n]`; an address that is its own text stays as it is."""
        shown = "".join(words[start:])
        if url in (shown, f"mailto:{shown}", f"tel:{shown}"):
            words[start:] = [f"<{shown}>"]
            return
        if url not in self.references:
            self.references.append(url)
        words.append(f" [{self.references.index(url) + 1}]")


def _without_spaces(text: str) -> bool:
    """Whether a text is in a script written without blanks, so that a long word is a line, not an address."""
    longest = max(text.split(), key=len, default="")
    return any(ord(character) > 0x2E80 or 0x0E00 <= ord(character) < 0x0F00 for character in longest)


def _closing(tokens: Sequence[Token], position: int) -> int:
    """The index of the token that closes the block opened at `position` (itself for a leaf)."""
    depth = 0
    for index in range(position, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1
