"""The author's own style sheets, as text with line numbers: never MJML's scaffold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SILENT = re.compile(r"/\*.*?\*/|\{#.*?#\}|\{%.*?%\}", re.DOTALL)
_FILLED = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_DECLARATION = re.compile(r"(?P<property>[a-zA-Z-]+)\s*:\s*(?P<value>[^;{}]+)")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property with its value, and its 1-based line."""

    property: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet without comments, its Jinja values replaced by a word of the same length; lines are where they were."""

    path: str
    css: str

    @classmethod
    def read(cls, path: Path, shown: str) -> Sheet:
        """A sheet of a template."""
        text = _SILENT.sub(_blank, path.read_text("utf-8"))
        return cls(shown, _FILLED.sub(lambda found: "x" * len(found[0]), text))

    def line(self, position: int) -> int:
        """The 1-based line of a place in the text."""
        return self.css.count("\n", 0, position) + 1

    def declarations(self) -> Iterator[Declaration]:
        """What stands in the innermost braces."""
        for block in re.finditer(r"\{([^{}]*)\}", self.css):
            for found in _DECLARATION.finditer(block[1]):
                yield Declaration(
                    found["property"].lower(), found["value"].strip(), self.line(block.start(1) + found.start())
                )

    def preludes(self) -> Iterator[tuple[str, int, int]]:
        """What stands before each opening brace, a selector or an at-rule: its words, line, and how deep it nests."""
        depth, start = 0, 0
        for found in re.finditer(r"[{};]", self.css):
            if found[0] == "{":
                words = self.css[start : found.start()]
                yield words.strip(), self.line(start + len(words) - len(words.lstrip())), depth
                depth += 1
            elif found[0] == "}":
                depth -= 1
            start = found.end()


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
