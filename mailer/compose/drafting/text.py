"""Markdown or plain text -> HTML whose blocks carry the line of the draft in `data-line`."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

from mailer.compose.drafting.blocks import Note

# An indented paragraph in a text is an indented paragraph, not a program.
_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).disable("code")


def html(text: str, note: Note) -> str:
    """The draft as HTML. The front matter of an issue is left out, with a note."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    skipped = 0
    if front := re.match(r"---\n.*?\n---(?:\n|$)", text, re.DOTALL):
        note(1, "the lines between --- and --- were left out; write them into the new file's own")
        skipped = front[0].count("\n")
        text = text[front.end() :]
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.map and token.nesting == 1:
            token.attrSet("data-line", str(token.map[0] + 1 + skipped))
    return str(_PARSER.renderer.render(tokens, _PARSER.options, {}))
