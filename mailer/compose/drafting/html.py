"""HTML -> blocks of Markdown (lxml). Tables that lay a page out are read through, tables of data are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from mailer.compose.drafting import spans
from mailer.compose.drafting.blocks import NO_ALT, Block, Kind, Note
from mailer.compose.drafting.spans import BREAK, Span

_SILENT = {"head", "script", "style", "noscript", "template", "title", "link", "meta", "base"}
_LEFT_OUT = {  # what a mail cannot hold, in words
    "video": "a video", "audio": "a sound", "iframe": "an embedded page", "object": "an embedded object",
    "embed": "an embedded object", "form": "a form", "svg": "a drawing (svg)", "canvas": "a drawing",
    "math": "a formula",
}  # fmt: skip
_BLOCKS = set(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer h1 h2 h3 h4 "
    "h5 h6 header hr html li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_STYLES = {
    "b": "strong", "strong": "strong", "em": "em", "i": "em", "cite": "em", "dfn": "em", "code": "code", "kbd": "code",
    "samp": "code", "del": "del", "s": "del", "strike": "del", "sub": "sub", "sup": "sup",
}  # fmt: skip
_LETTERED = re.compile(r"\(?([a-z]|\d{1,2})[.)]\s+")
# What Word says of pictures by itself.
_AUTOMATIC = re.compile(r"\s*(Description automatically generated|AI-generated content may be incorrect).*$", re.DOTALL)

# What a source of a picture holds: the key of its bytes, or nothing when it is left out.
Fetch = Callable[[str, int], str]
# Where a link leads, absolute.
Resolve = Callable[[str, int], str]


def blocks(content: str | bytes, fetch: Fetch, resolve: Resolve, note: Note) -> tuple[str, list[Block]]:
    """The title a page gives itself, and its blocks in order."""
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    try:
        raw.decode("utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = None  # as its meta element says
    if not raw.strip():
        return "", []
    try:
        root = lxml_html.document_fromstring(raw, parser=lxml_html.HTMLParser(encoding=encoding))
    except etree.ParserError:  # nothing but comments
        return "", []
    marked = isinstance(content, str) and root.find(".//*[@data-line]") is not None
    reader = _Reader(fetch, resolve, note, marked)
    reader.container(root)
    return " ".join((root.findtext(".//title") or "").split()), reader.blocks


@dataclass(slots=True)
class _Reader:
    fetch: Fetch
    resolve: Resolve
    note: Note
    marked: bool  # the Markdown reader wrote each block's line into data-line
    blocks: list[Block] = field(default_factory=list)
    line: int = 0
    _run: list[Span] = field(default_factory=list)

    def container(self, element: Any) -> None:
        """Everything in an element: blocks as they come, loose words as paragraphs."""
        self._place(element)
        self._say(element.text)
        for child in element:
            if isinstance(child.tag, str):
                self._child(child)
            self._say(child.tail)
        self._flush()

    def _child(self, element: Any) -> None:
        tag = element.tag.lower()
        if tag in _SILENT:
            return
        if tag in _LEFT_OUT:
            self.note(self._at(element), f"{_LEFT_OUT[tag]} was left out; a mail cannot hold it")
        elif tag not in _BLOCKS and not any(_is_block(inside) for inside in element.iter()):
            self._run += self._inline(element, frozenset(), None)
        else:
            self._flush()
            self._place(element)
            self._block(element, tag)

    def _block(self, element: Any, tag: str) -> None:
        if re.fullmatch("h[1-6]", tag):
            level = 0 if "title" in element.get("class", "").split() else int(tag[1])
            words = spans.words(self._inline(element, frozenset(), None))
            if words:
                self._add(Kind.HEADING, words, words, level=level)
        elif tag in ("ul", "ol"):
            self._list(element)
        elif tag == "table" and _holds_data(element):
            self._table(element)
        elif tag == "blockquote":
            inner = self._inside(element)
            text = "\n>\n".join("> " + block.text.replace("\n", "\n> ") for block in inner)
            self._add(Kind.OTHER, text, " ".join(block.words for block in inner))
        elif tag == "pre":
            text = "".join(element.itertext()).strip("\n")
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
            self._add(Kind.OTHER, f"{fence}\n{text}\n{fence}", text)
        else:
            self.container(element)

    def _inline(self, element: Any, styles: frozenset[str], href: str | None) -> list[Span]:
        tag = element.tag.lower()
        if tag in _SILENT:
            return []
        if tag in _LEFT_OUT:
            self.note(self._at(element), f"{_LEFT_OUT[tag]} was left out; a mail cannot hold it")
            return []
        if tag == "br":
            return [Span(BREAK, styles, href)]
        if tag == "img":
            self._picture(element)
            return []
        styles = _styles(element, tag, styles)
        if tag == "a" and element.get("href") is not None:
            words = " ".join("".join(element.itertext()).split())
            href = self.resolve(element.get("href"), self._at(element)) if words else None
        found = [Span(element.text or "", styles, href)]
        for child in element:
            if isinstance(child.tag, str):
                found += self._inline(child, styles, href)
            found.append(Span(child.tail or "", styles, href))
        return found

    def _picture(self, image: Any) -> None:
        """A picture comes before the paragraph it stands in."""
        key = self.fetch(image.get("src", ""), self._at(image))
        if key:
            alt = _AUTOMATIC.sub("", " ".join(image.get("alt", "").split()))
            self._add(Kind.PICTURE, "", alt or NO_ALT, picture=key)

    def _list(self, element: Any) -> None:
        items = [child for child in element if isinstance(child.tag, str)]
        inner = [self._inside(item) for item in items if item.tag.lower() == "li"]
        inner = [item for item in inner if item]
        ordered = element.tag.lower() == "ol"
        if not ordered and _lettered(inner):
            ordered = True
            inner = [[_without_letter(item[0]), *item[1:]] for item in inner]
        start = int(element.get("start")) if re.fullmatch(r"\d{1,9}", element.get("start", "")) else 1
        rows = []
        for number, item in enumerate(inner, start):
            sign = f"{number}. " if ordered else "- "
            loose = any(block.kind is not Kind.LIST for block in item[1:])
            text = ("\n\n" if loose else "\n").join(block.text for block in item)
            rows.append(sign + text.replace("\n", "\n" + " " * len(sign)))
        text = re.sub(r"(?m)^ +$", "", "\n".join(rows))
        links = sum(block.links for item in inner for block in item)
        if rows:
            self._add(Kind.LIST, text, " ".join(block.words for item in inner for block in item), links=links)

    def _table(self, table: Any) -> None:
        rows = []
        for row in table.iter("tr", "TR"):
            cells = [" ".join(block.text.replace("\\\n", " ") for block in self._inside(cell)) for cell in row]
            rows.append([cell.replace("|", "\\|") for cell in cells])
        width = max(map(len, rows))
        rows = [row + [""] * (width - len(row)) for row in rows]
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        lines.insert(1, "|" + " --- |" * width)
        self._add(Kind.OTHER, "\n".join(lines), " ".join("".join(table.itertext()).split()))

    def _inside(self, element: Any) -> list[Block]:
        """The blocks of a list item, a quotation or a cell; headings become bold, pictures stand before."""
        reader = _Reader(self.fetch, self.resolve, self.note, self.marked, line=self.line)
        reader.container(element)
        self.blocks += [block for block in reader.blocks if block.kind is Kind.PICTURE]
        kept = [block for block in reader.blocks if block.kind is not Kind.PICTURE]
        return [_bold(block) if block.kind is Kind.HEADING else block for block in kept]

    def _place(self, element: Any) -> None:
        self.line = self._at(element)

    def _at(self, element: Any) -> int:
        if not self.marked:
            return element.sourceline or self.line
        given = element.get("data-line", "")
        return int(given) if re.fullmatch(r"\d{1,9}", given) else self.line

    def _say(self, text: str | None) -> None:
        if text:
            self._run.append(Span(text))

    def _flush(self) -> None:
        run, self._run = self._run, []
        for part in spans.paragraphs(run):
            said = [span for span in part if span.text.strip()]
            if said:
                links = sum(href is not None for href, _ in groupby(said, lambda span: span.href))
                bold = all("strong" in span.styles for span in said)
                self._add(Kind.PARAGRAPH, spans.markdown(part), spans.words(part), bold=bold, links=links)

    def _add(self, kind: Kind, text: str, words: str, **more: Any) -> None:
        self.blocks.append(Block(kind, text, words, self.line, **more))


def _is_block(element: Any) -> bool:
    return isinstance(element.tag, str) and element.tag.lower() in _BLOCKS


def _styles(element: Any, tag: str, styles: frozenset[str]) -> frozenset[str]:
    """The styles inside an element; some word processors write them as CSS only, and unsay them the same way."""
    if tag in _STYLES:
        styles |= {_STYLES[tag]}
    css = element.get("style", "").lower()
    for style, on, off in (
        ("strong", r"font-weight:\s*(bold|[6-9]00)", r"font-weight:\s*(normal|[1-5]00)"),
        ("em", r"font-style:\s*(italic|oblique)", r"font-style:\s*normal"),
    ):
        if re.search(on, css):
            styles |= {style}
        elif re.search(off, css):
            styles -= {style}
    return styles


def _holds_data(table: Any) -> bool:
    """Whether a table holds data: rows of several cells with words alone in them."""
    if table.get("role") == "presentation":
        return False
    inside = {element.tag.lower() for element in table.iterdescendants() if isinstance(element.tag, str)}
    if inside & {"table", "img", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"}:
        return False
    widths = [len(row) for row in table.iter("tr", "TR")]
    longest = max((len("".join(cell.itertext()).split()) for cell in _cells(table)), default=0)
    return len(widths) > 1 and max(widths) > 1 and longest < 40  # words; longer ones are a page in columns


def _cells(table: Any) -> Iterator[Any]:
    return table.iter("td", "th", "TD", "TH")  # type: ignore[no-any-return]


def _lettered(items: Sequence[Sequence[Block]]) -> bool:
    """Whether the items begin with a), b), c) or 1., 2., 3. of their own."""
    found = [_LETTERED.match(item[0].text.replace("\\", "")) for item in items]
    signs = [match[1] for match in found if match]
    counted = [chr(ord("a") + number) for number in range(len(items))], [str(n + 1) for n in range(len(items))]
    return len(signs) > 1 and signs in counted


def _without_letter(block: Block) -> Block:
    text = re.sub(r"^\(?\w{1,2}\\?[.)]\s+", "", block.text)
    return Block(block.kind, text, _LETTERED.sub("", block.words, count=1), block.line, links=block.links)


def _bold(block: Block) -> Block:
    text = spans.markdown([Span(block.words, frozenset({"strong"}))])
    return Block(Kind.PARAGRAPH, text, block.words, block.line, bold=True)
