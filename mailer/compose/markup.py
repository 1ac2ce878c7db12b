"""Story Markdown -> safe HTML, and -> plain text.

    tokens = parse("...[the report](https://example.org/r)...")
    Writer(assets, report).prose(tokens)      Prose(html="<p>...", text="...the report [1]\\n\\n[1] <https://...>")

The HTML has no line break in it, so that white space between tags never depends on what stands around a story, and
passes an allow-list (rawhtml.py), so that scripts, styles, event handlers and forms never reach a mail. The text is
written from the same tokens, not from the HTML: wrapped at 76 columns by display width, links as numbered references.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from mailer.compose import rawhtml
from mailer.compose.attributes import LANGUAGE
from mailer.compose.plaintext import Text
from mailer.errors import nearest
from mailer.models import Picture, Prose

# The last braces of a heading; an escaped brace opens none, and what stands in quotes may hold some.
_HEADING_ATTRIBUTES = re.compile(
    r"""^(?P<title>(?:[^\\]|\\.)*?)\s*\{(?P<attributes>(?:"(?:[^"\\]|\\.)*"|[^{}])*+)\}\s*$""", re.DOTALL
)

# Braces that look like attributes and belong to nothing; right behind a link, any braces.
_STRAY = re.compile(r"\{\s*(?:[#.][A-Za-z]|[A-Za-z][\w-]*=)[^{}]*\}")
_STRAY_BEHIND = re.compile(r"\s?\{[^{}]*\}")
_DIRECTIONS = ("ltr", "rtl", "auto")

Report = Callable[[int, str], None]  # line, what is wrong and how to mend it


class Assets(Protocol):
    """Finds what a story points to. Each reports what is wrong with it and returns None."""

    def link(self, href: str, line: int) -> str | None:
        """The address a link leads to, absolute."""

    def picture(self, source: str, alt: str, line: int) -> Picture | None:
        """The picture file beside the issue."""


def _heading_attributes(state: StateCore) -> None:
    """`## Title {#id topics=a,b}`: cut the braces off the heading and keep them on its token (Pandoc's form)."""
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open" and (found := _HEADING_ATTRIBUTES.match(inline.content)):
            inline.content = found["title"]
            opening.meta["attributes"] = found["attributes"]


def _escaped(braces: str, source: str) -> bool:
    """Whether they stand in a paragraph with a backslash before them; further ones within change nothing."""
    return re.search(r"\\" + r"\\?".join(map(re.escape, braces)), source) is not None


def _parser() -> MarkdownIt:
    nesting = 2 * rawhtml.MAX_DEPTH  # a list nests two tokens a level
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": nesting}).enable(["table", "strikethrough"])
    parser.use(front_matter_plugin).use(attrs_plugin, spans=True)
    # Every link becomes a token, also javascript: ones, so that it can be reported; nh3 is the wall behind it.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    parser.core.ruler.before("inline", "heading_attributes", _heading_attributes)
    return parser


_PARSER = _parser()


def parse(text: str) -> list[Token]:
    """Markdown -> block tokens with line numbers; headings carry `meta["attributes"]`."""
    return _PARSER.parse(text)


def parse_passage(text: str, line: int) -> list[Token] | None:
    """The tokens of a part of a file that begins on `line`, with the line numbers they have in the file.

    None when what follows would be read otherwise with this part before it: when a fence, a comment or another block
    of it is still open, or when it defines link references, which hold everywhere.
    """
    text += "" if text.endswith("\n") else "\n"
    environment: dict[str, Any] = {}
    tokens = _PARSER.parse(f"{text}# x\n", environment)
    end = text.count("\n")
    closed = len(tokens) >= 3 and tokens[-3].type == "heading_open" and tokens[-3].level == 0
    if not closed or tokens[-3].map != [end, end + 1] or environment.get("references"):
        return None
    for token in tokens:
        token.map = token.map and [row + line - 1 for row in token.map]
    return tokens[:-3]


def line_of(token: Token) -> int:
    """The 1-based line on which a block begins."""
    return (token.map or [0])[0] + 1


def plain(inline: Token) -> str:
    """The words of an inline token, without emphasis."""
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content for child in inline.children or ()
    ).strip(" \t\n")


def lines(inline: Token) -> Iterator[tuple[int, Token]]:
    """Each child of an inline token with the 1-based line it stands on."""
    line = line_of(inline)
    for child in inline.children or ():
        yield line, child
        line += child.type in ("softbreak", "hardbreak") or child.content.count("\n")


@dataclass(slots=True)
class Writer:
    """Renders runs of block tokens of one issue. Mistakes go to `report`, pictures used are kept in `pictures`."""

    assets: Assets
    report: Report
    pictures: list[Picture] = field(default_factory=list)

    def prose(self, tokens: Sequence[Token]) -> Prose:
        """Render tokens both ways. Links and pictures are resolved in place, once."""
        for token in tokens:
            if token.type == "inline":
                self._resolve(token)
            elif token.type == "html_block":
                self._check_html(token.content, line_of(token))
            elif token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1]) + 1)}"  # h1 the mail, h2 a section, h3 a story
        html = rawhtml.tidy(_RENDERER.render(tokens, _PARSER.options, {}))
        if rawhtml.too_deep(html):
            self.report(
                line_of(tokens[0]), f"HTML is nested more than {rawhtml.MAX_DEPTH} levels deep here; flatten it"
            )
        return Prose(html=html, text=Text().blocks(tokens))

    def check_attributes(self, token: Token, known: Collection[str], line: int) -> None:
        """Report the {attributes} of a link, a picture or [words] that would be lost, or say nothing."""
        for name in [*token.attrs, *token.meta.get("insecure_attrs", ())]:
            if name not in known:
                what = ", ".join(sorted(known)) or "none"
                self.report(line, f"attribute “{name}” is not kept in a mail; known here are: {what}")
            elif name == "lang" and not LANGUAGE.fullmatch(value := str(token.attrs[name])):
                self.report(line, f"“{value}” is no language tag; write one such as lang=fr or lang=pt-BR")
            elif name == "dir" and (value := str(token.attrs[name])) not in _DIRECTIONS:
                self.report(line, f"“{value}” is no direction; write dir=rtl, dir=ltr or dir=auto")

    def _resolve(self, inline: Token) -> None:
        words, before = "", ""
        for line, child in lines(inline):
            if child.type == "link_open":
                words = ""
                child.attrSet("href", self.assets.link(str(child.attrGet("href") or ""), line) or "")
                self.check_attributes(child, {"href", "title", "class", "lang", "dir"}, line)
                for name in str(child.attrs.pop("class", "")).split():
                    self._misplaced_class(name, line)
            elif child.type == "link_close":
                if not words.strip():
                    self.report(line, "this link has no words; write [what it leads to](address)")
            elif child.type == "image":
                self._resolve_picture(child, line)
                words += child.content
            elif child.type == "html_inline":
                self._check_html(child.content, line)
            elif child.type == "span_open":
                self._check_span(child, line)
            else:
                words += child.content
                self.check_attributes(child, (), line)
                if child.type == "text":
                    self._check_braces(child.content, before, inline.content, line)
            before = child.type

    def _check_span(self, span: Token, line: int) -> None:
        """`[words]{lang=es}`."""
        if span.attrs.get("class") == "button":
            self.report(line, "a {.button} needs an address; write [what it leads to](address){.button}")
        elif not span.attrs and not span.meta:
            self.report(line, "these braces say nothing; write [words]{lang=fr}, or take braces and brackets out")
        else:
            self.check_attributes(span, {"lang", "dir"}, line)

    def _check_braces(self, text: str, before: str, source: str, line: int) -> None:
        """Attributes that belong to nothing: what was to be a button, or a story for a few, would be mailed as it is.

        `before` is the type of the token in front, `source` the paragraph as written.
        """
        if text.startswith("#"):  # a heading that lacks its blank is told as such
            return
        behind = _STRAY_BEHIND.match(text) if before in ("link_close", "span_close", "image") else None
        if (found := behind or _STRAY.search(text)) and not _escaped(found[0].strip(), source):
            self.report(
                line,
                f"“{found[0].strip()}” would be mailed as it is; put it right behind the words of a heading, a link "
                "or [words], without a blank or line break between; where it is meant, write \\{",
            )

    def _misplaced_class(self, name: str, line: int) -> None:
        if name == "button":
            self.report(line, "a {.button} link stands alone in the last paragraph of a story; move it there")
        else:
            self.report(line, f"unknown class “{name}”. {nearest(name, ['button'])}")

    def _resolve_picture(self, image: Token, line: int) -> None:
        self.check_attributes(image, {"src", "alt", "title", "lang", "dir"}, line)
        picture = self.assets.picture(str(image.attrGet("src") or ""), plain(image), line)
        if picture is None:
            return
        self.pictures.append(picture)
        width, height = picture.shown
        image.attrs |= {"src": picture.url, "width": str(width), "height": str(height), "class": "picture"}

    def _check_html(self, html: str, line: int) -> None:
        for down, what in rawhtml.unwelcome(html):
            self.report(line + down, what)


class _Html(RendererHTML):
    """markdown-it's renderer, with line breaks only where they mean something."""

    def softbreak(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return " "

    def hardbreak(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return "<br>"


_RENDERER = _Html(_PARSER)
