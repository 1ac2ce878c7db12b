"""Whether a thumb hits the buttons: links that are boxes of their own, as tall as their styles make them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

_LEAST = 44  # pixels (WCAG 2.5.5); links within a sentence are excepted there, too
_NORMAL = 1.2  # of the font's size: a line whose height nobody sets
_LENGTH = re.compile(r"([\d.]+)(px|pt|%|)")
_FONT = re.compile(r"([\d.]+(?:px|pt))(?:/([\d.]+(?:px|pt|%)?))?")
_EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}  # elements without an end tag

TARGET = rule(
    "MLR073", Severity.WARNING, "a button less than 44 pixels tall", "thumbs miss it, or hit the next one (WCAG 2.5.5)"
)


def check(material: Material) -> Iterator[Finding]:
    """Each style of a button once, by what stands in style attributes: inline.css after premailer, or MJML's own."""
    reader = _Buttons()
    reader.feed(material.samples[0].html)
    sheet = material.sheet("inline.css")
    for padding, height in reader.heights.items():
        own = (one for one in sheet.declarations() if one.property.startswith("padding") and one.value == padding)
        if height >= _LEAST:
            continue
        if styled := next(own, None):
            path, line = sheet.path, styled.line
        else:
            path, line = material.template_line("<mj-button")
        text = f"a button with “padding: {padding}” is {height:.0f} pixels tall"
        yield material.finding(
            TARGET, text, f"make it {_LEAST} pixels tall, with padding above and below", line, path=path
        )


@dataclass(frozen=True, slots=True)
class _Open:
    """An open element; sizes in pixels."""

    tag: str
    font: float
    line: float


@dataclass
class _Buttons(HTMLParser):
    """Heights of links in pixels, by their padding: the least where lines differ. Those with a picture are left out."""

    heights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open = [_Open("", 16, 16 * _NORMAL)]
        self._button: tuple[str, float] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self._button = None
        if tag in _EMPTY:
            return
        style = _declared(dict(attrs).get("style") or "")
        self._open.append(_sized(tag, style, self._open[-1]))
        if tag == "a" and style.get("display") in ("block", "inline-block") and "padding" in style:
            padding = _vertical(style["padding"])
            least = _pixels(style.get("min-height", style.get("height", "")), 0)
            self._button = style["padding"], padding + max(self._open[-1].line, least)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._button:
            padding, height = self._button
            self.heights[padding] = min(height, self.heights.get(padding, height))
            self._button = None
        place = next((at for at in range(len(self._open) - 1, 0, -1) if self._open[at].tag == tag), 0)
        if place:
            del self._open[place:]


def _declared(style: str) -> dict[str, str]:
    parts = (part.partition(":") for part in style.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts}


def _sized(tag: str, style: dict[str, str], around: _Open) -> _Open:
    short = _FONT.search(style.get("font", ""))
    size = style.get("font-size") or (short[1] if short else "")
    font = _pixels(size, around.font) if size else around.font
    height = style.get("line-height") or ((short[2] or f"{_NORMAL}") if short else "")
    return _Open(tag, font, _pixels(height, font) if height else around.line)


def _pixels(value: str, whole: float) -> float:
    """A length; a share, or a number alone, is of the whole."""
    found = _LENGTH.match(value)
    if not found:
        return whole
    factor = {"px": 1, "pt": 4 / 3, "%": whole / 100, "": whole}[found[2]]
    return float(found[1]) * factor


def _vertical(padding: str) -> float:
    """Above and below together: of one to four values the first and the third, or twice the first."""
    values = padding.split()
    return sum(_pixels(value, 0) for value in (values[0], values[2] if len(values) > 2 else values[0]))
