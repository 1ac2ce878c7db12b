"""The wall between what an author writes and what a mail holds: nh3's allow-list, and words for what it drops."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import nh3

from mailer.compose.characters import printable

MAX_DEPTH = 64  # MRML overflows its stack at some 10,000 levels (rendering.md 2.3); no story needs 64
_VOID = {"br", "hr", "img"}
_TAGS = set(
    "a abbr b bdi bdo blockquote br cite code del dfn em h4 h5 h6 hr i img ins kbd li mark ol p pre q s small "
    "span strong sub sup table tbody td tfoot th thead tr u ul".split()
)
# Markdown's own: its links and pictures are checked and resolved, its headings keep their level.
_BETTER = {
    "a": "write [what it leads to](address)",
    "img": "write ![what it shows](images/name.png)",
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "write it with #"),
}
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
_PRE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
_UNROLED_TABLE = re.compile(r"<table(?![^>]*\srole=)")


def tidy(markup: str) -> str:
    """Through the allow-list, well formed, on one line; lines of <pre> end in <br>."""
    clean = nh3.clean(
        markup,
        tags=_TAGS,
        clean_content_tags={"script", "style"},
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    clean = _UNROLED_TABLE.sub('<table role="table"', printable(clean))  # an author's table holds data, not layout
    clean = _PRE.sub(lambda found: found[0].replace("\n</code>", "</code>").replace("\n", "<br>"), clean)
    clean = re.sub(r"[ \t\n]*\n[ \t\n]*", " ", clean.replace(">\n<", "><")).strip(" \t\n")
    return re.sub(r"(?<=>)[ \t]+(?=<)", " ", clean)  # page.py takes more than one blank there for an indent


def words(markup: str) -> str:
    """What a reader would see of it, blanks collapsed."""
    text = html.unescape(nh3.clean(markup, tags=set(), clean_content_tags={"script", "style"}))
    return " ".join(re.split(r"[ \t\n]+", printable(text).strip(" \t\n")))


def unwelcome(markup: str) -> Iterator[tuple[int, str]]:
    """What a story's raw HTML may not hold: how many lines down, and what to do about it."""
    for down, tag, attributes in _read(markup).opened:
        if tag in _BETTER or tag not in _TAGS:
            instead = _BETTER.get(tag, "write it in Markdown or take it out")
            yield down, f"raw HTML: <{tag}> is not kept in a mail; {instead}"
            continue
        for name in attributes:
            if name not in _ATTRIBUTES["*"] | _ATTRIBUTES.get(tag, set()):
                yield down, f"raw HTML: attribute “{name}” of <{tag}> is not kept in a mail; take it out"


def too_deep(markup: str) -> bool:
    """Whether it nests more than 64 levels."""
    return _read(markup).deepest > MAX_DEPTH


def _read(markup: str) -> _Tags:
    parser = _Tags()
    parser.feed(markup)
    parser.close()
    return parser


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
