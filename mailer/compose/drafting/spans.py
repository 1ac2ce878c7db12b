"""Runs of words in one style each -> Markdown that says the same, checked by reading it back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from markdown_it.token import Token

from mailer.compose import markup

BREAK = "\v"  # a line break that is meant
_TAGS = ("strong", "em", "code", "del", "sub", "sup")  # in the order in which they enclose each other
_SIGNS = {"strong": "**", "em": "*"}
_BLANK = " \t\n\r\f"
_EDGE = " \xa0\u200b\ufeff" + BREAK  # what word processors leave at the ends of a paragraph
_ENTITY = re.compile(r"&(?=#?\w+;)")
# What begins a block at the start of a line.
_OPENING = re.compile(r"^(?=[#>]|[-+*=](?:\s|$)|[-=*_]{2,}\s*$|```|~~~)")
_NUMBER = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Span:
    """Words in one style; `href` is None outside a link."""

    text: str
    styles: frozenset[str] = frozenset()
    href: str | None = None


def words(spans: Sequence[Span]) -> str:
    """What a reader sees, on one line."""
    return " ".join(re.split(rf"[{_BLANK}{BREAK}]+", "".join(span.text for span in spans))).strip(_EDGE)


def paragraphs(spans: Sequence[Span]) -> list[list[Span]]:
    """Split where two line breaks follow each other: the paragraphs of many a web page."""
    split: list[list[Span]] = [[]]
    for span in _merged(spans):
        first, *rest = re.split(rf"{BREAK}{{2,}}", span.text)
        split[-1].append(replace(span, text=first))
        split += [[replace(span, text=part)] for part in rest]
    return [part for part in split if words(part)]


def markdown(spans: Sequence[Span]) -> str:
    """The spans as Markdown: with signs, else with tags for the styles, else without styles."""
    merged = _merged(spans)
    for written in (_write(merged, _SIGNS), _write(merged, {})):
        if "****" not in written and _reads_as(written, merged):
            return written
    return _write([replace(span, text=_escape_all(span.text), styles=frozenset({"escaped"})) for span in merged], {})


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Blanks as one, neighbours of one style together, no blank at the ends nor around a line break."""
    made: list[Span] = []
    before = " "
    for span in spans:
        text = re.sub(rf"[{_BLANK}]+", " ", span.text)
        text = re.sub(rf" ?{BREAK} ?", BREAK, text)
        if before[-1:] in (" ", BREAK):
            text = text.lstrip(" ")
        if not text:
            continue
        before = text
        if made and (made[-1].styles, made[-1].href) == (span.styles, span.href):
            made[-1] = replace(made[-1], text=made[-1].text + text)
        else:
            made.append(replace(span, text=text))
    while made and not made[-1].text.strip(_EDGE):
        made.pop()
    while made and not made[0].text.strip(_EDGE):
        made.pop(0)
    if made:
        made[0] = replace(made[0], text=made[0].text.lstrip(_EDGE))
        made[-1] = replace(made[-1], text=made[-1].text.rstrip(_EDGE))
    return made


def _write(spans: Sequence[Span], signs: dict[str, str]) -> str:
    out = ""
    for href, linked in groupby(spans, lambda span: span.href):
        inner = "".join(_styled(span, signs) for span in linked)
        if href is not None and inner.strip():
            lead, core, trail = _trimmed(inner)
            if out.endswith("!"):
                out = out[:-1] + "\\!"
            inner = f"{lead}[{core}]({_address(href)}){trail}"
        out += inner
    lines = out.split(BREAK)
    lines = [_NUMBER.sub(r"\1\\\2", _OPENING.sub(r"\\", line.strip(" "))) for line in lines]
    return "\\\n".join(line for line in lines if line)


def _styled(span: Span, signs: dict[str, str]) -> str:
    if "escaped" in span.styles:
        return span.text
    lead, core, trail = _trimmed(span.text)
    if not core:
        return span.text
    core = f"`{core}`" if "code" in span.styles and "`" not in core else _escape(core)
    for tag in reversed(_TAGS):
        if tag in span.styles and tag != "code":
            sign = signs.get(tag)
            core = f"{sign}{core}{sign}" if sign else f"<{tag}>{core}</{tag}>"
    return lead + core + trail


def _trimmed(text: str) -> tuple[str, str, str]:
    core = text.strip(_EDGE)
    start = text.find(core) if core else len(text)
    return text[:start], core, text[start + len(core) :]


def _escape(text: str) -> str:
    text = re.sub(r"[\\`*\[\]<{}~]", r"\\\g<0>", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # inside a word it emphasises nothing
    return _ENTITY.sub(r"\\&", text)


def _escape_all(text: str) -> str:
    return re.sub(r"[!-/:-@\[-`{-~]", r"\\\g<0>", text)


def _address(href: str) -> str:
    """What may stand between round brackets (CommonMark section 6.3)."""
    href = re.sub(r"[\s<>\\]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), href)
    return href if href.count("(") == href.count(")") else href.replace("(", "%28").replace(")", "%29")


def _reads_as(written: str, spans: Sequence[Span]) -> bool:
    """Whether Markdown is one paragraph with the very letters of the spans, each in its styles and its link or none."""
    tokens = markup.parse(written)
    if [token.type for token in tokens] != ["paragraph_open", "inline", "paragraph_close"]:
        return not spans
    meant = [
        (letter, span.styles, span.href is not None) for span in spans for letter in span.text if not letter.isspace()
    ]
    return list(_letters(tokens[1].children or ())) == meant


def _letters(children: Sequence[Token]) -> Iterator[tuple[str, frozenset[str], bool]]:
    open_, linked = set[str](), False
    for child in children:
        name, _, change = child.type.rpartition("_")
        if child.type == "html_inline":
            name, change = child.content.strip("</>"), "close" if child.content.startswith("</") else "open"
        if name == "link":
            linked = change == "open"
        elif change == "open":
            open_.add(name)
        elif change == "close":
            open_.discard(name)
        else:
            styles = frozenset(open_ | ({"code"} if child.type == "code_inline" else set()))
            yield from ((letter, styles, linked) for letter in child.content if not letter.isspace())
