"""Story Markdown -> safe HTML, and -> plain text.

    tokens = parse("...[the report](https://example.org/r)...")
    Writer(assets, report).prose(tokens)      Prose(html="<p>...", text="...the report [1]\\n\\n[1] <https://...>")

The HTML has no line break in it, so that white space between tags never depends on what stands around a story, and
passes nh3's allow-list, so that scripts, styles, event handlers and forms never reach a mail. The text is written
from the same tokens, not from the HTML: wrapped at 76 columns by display width, links as numbered references.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Protocol

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from mailer.compose.plaintext import Text
from mailer.models import Picture, Prose

MAX_DEPTH = 64  # MRML overflows its stack at some 10,000 levels (rendering.md 2.3); no story needs 64
_VOID = {"br", "hr", "img"}
_TAGS = set(
    "a abbr b bdi bdo blockquote br cite code del dfn em h4 h5 h6 hr i img ins kbd li mark ol p pre q s small "
    "span strong sub sup table tbody td tfoot th thead tr u ul".split()
)
_ATTRIBUTES = {
    "*": {"lang", "dir", "title"},
    "a": {"href", "class"},
    "img": {"src", "alt", "width", "height", "class"},
    "ol": {"start"},
    "table": {"role"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_HEADING_ATTRIBUTES = re.compile(r"^(?P<title>.*?)\s*\{(?P<attributes>[^{}]*)\}\s*$", re.DOTALL)

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


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": 2 * MAX_DEPTH}).enable(["table", "strikethrough"])
    parser.use(front_matter_plugin).use(attrs_plugin)
    # Every link becomes a token, also javascript: ones, so that it can be reported; nh3 is the wall behind it.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    parser.core.ruler.before("inline", "heading_attributes", _heading_attributes)
    return parser


_PARSER = _parser()


def parse(text: str) -> list[Token]:
    """Markdown -> block tokens with line numbers; headings carry `meta["attributes"]`."""
    return _PARSER.parse(text)


def plain(inline: Token) -> str:
    """The words of an inline token, without emphasis."""
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content for child in inline.children or ()
    ).strip()


def lines(inline: Token) -> Iterator[tuple[int, Token]]:
    """Each child of an inline token with the 1-based line it stands on."""
    line = (inline.map or [0])[0] + 1
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
                self._check_html(token.content, (token.map or [0])[0] + 1)
            elif token.type in ("heading_open", "heading_close"):
                token.tag = f"h{min(6, int(token.tag[1]) + 1)}"  # h1 the mail, h2 a section, h3 a story
            elif token.type == "table_open":
                token.attrSet("role", "table")
        html = _tidy(_RENDERER.render(tokens, _PARSER.options, {}))
        first = next((token.map[0] + 1 for token in tokens if token.map), 0)
        if _depth(html) > MAX_DEPTH:
            self.report(first, f"HTML is nested more than {MAX_DEPTH} levels deep here; flatten it")
        return Prose(html=html, text=Text().blocks(tokens))

    def _resolve(self, inline: Token) -> None:
        seen_link: Token | None = None
        words = ""
        for line, child in lines(inline):
            if child.type == "link_open":
                seen_link, words = child, ""
                href = self.assets.link(str(child.attrGet("href") or ""), line)
                child.attrSet("href", href or "")
                self._check_attributes(child, {"href", "title", "class", "lang", "dir"}, line)
            elif child.type == "link_close" and seen_link is not None:
                if not words.strip():
                    self.report(line, "this link has no words; write [what it leads to](address)")
                seen_link = None
            elif child.type == "image":
                self._resolve_picture(child, line)
                words += child.content
            elif child.type == "html_inline":
                self._check_html(child.content, line)
            else:
                words += child.content

    def _resolve_picture(self, image: Token, line: int) -> None:
        self._check_attributes(image, {"src", "alt", "title", "lang", "dir"}, line)
        picture = self.assets.picture(str(image.attrGet("src") or ""), plain(image), line)
        if picture is None:
            return
        self.pictures.append(picture)
        image.attrs |= {"src": picture.url, "width": str(min(picture.width, 536)), "class": "picture"}

    def _check_attributes(self, token: Token, known: set[str], line: int) -> None:
        for name in [*token.attrs, *token.meta.get("insecure_attrs", ())]:
            if name not in known:
                self.report(
                    line, f"attribute “{name}” is not kept in a mail; known here are: {', '.join(sorted(known))}"
                )

    def _check_html(self, html: str, line: int) -> None:
        for offset, tag, attribute in _unwelcome(html):
            what = f"attribute “{attribute}” of <{tag}>" if attribute else f"<{tag}>"
            self.report(line + offset, f"raw HTML: {what} is not kept in a mail; write it in Markdown or take it out")


class _Html(RendererHTML):
    """markdown-it's renderer, with line breaks only where they mean something."""

    def softbreak(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return " "

    def hardbreak(self, tokens: Any, idx: int, options: Any, env: Any) -> str:
        return "<br>"


_RENDERER = _Html(_PARSER)


def _tidy(html: str) -> str:
    """Through the allow-list, well formed, on one line; lines of <pre> end in <br>."""
    clean = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    clean = re.sub(r"<pre>.*?</pre>", lambda found: found[0].strip().replace("\n", "<br>"), clean, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", " ", clean.replace(">\n<", "><")).strip()


def _unwelcome(html: str) -> Iterator[tuple[int, str, str]]:
    """What the allow-list would drop from this raw HTML: (lines down, tag, attribute or "")."""
    parser = _Tags()
    parser.feed(html)
    parser.close()
    for offset, tag, attributes in parser.opened:
        if tag not in _TAGS:
            yield offset, tag, ""
            continue
        allowed = _ATTRIBUTES["*"] | _ATTRIBUTES.get(tag, set())
        yield from ((offset, tag, name) for name in attributes if name not in allowed)


def _depth(html: str) -> int:
    parser = _Tags()
    parser.feed(html)
    parser.close()
    return parser.deepest


class _Tags(HTMLParser):
    """Notes each start tag with its attributes, and how deep they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[tuple[int, str, list[str]]] = []  # lines down from the first, tag, attribute names
        self.deepest = self._now = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append((self.getpos()[0] - 1, tag, [name for name, _ in attrs]))
        if tag not in _VOID:
            self._now += 1
            self.deepest = max(self.deepest, self._now)

    def handle_endtag(self, tag: str) -> None:
        self._now -= tag not in _VOID
