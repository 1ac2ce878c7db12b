"""What a template owes to who listens, enlarges, or reads in the dark (WCAG 2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from itertools import pairwise

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

_SMALLEST = 14  # CSS pixels
_HEADING = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1>", re.DOTALL)
_TAGS = re.compile(r"<[^>]+>")
_SIZE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)(px|pt)")
# What stands on what: each pair must be readable, on light and on dark.
_PAIRS = (("ink", "page"), ("muted", "page"), ("accent", "page"), ("accent", "leaf"))
_READABLE = 4.5  # WCAG 1.4.3

TITLES = rule(
    "MLR060", Severity.WARNING, "not exactly one main heading", "a screen reader's list of headings has no top"
)
SKIPPED = rule(
    "MLR061", Severity.WARNING, "a heading skips a level", "who goes from heading to heading looks for the one between"
)
EMPTY = rule("MLR062", Severity.WARNING, "a heading without words", "a screen reader stops there and says nothing")
ALT = rule("MLR063", Severity.ERROR, "a picture without alt", "a screen reader reads out its address (WCAG 1.1.1)")
CONTRAST = rule(
    "MLR064", Severity.WARNING, "too little contrast", "many readers can't make it out (WCAG 1.4.3 asks for 4.5 to 1)"
)
TABLE = rule(
    "MLR065", Severity.WARNING, "a table with neither headers nor a layout's role",
    "a screen reader counts rows and columns aloud, and names none",
)  # fmt: skip
LANGUAGE = rule(
    "MLR066", Severity.ERROR, "language or direction is missing",
    "a screen reader speaks with the wrong voice (WCAG 3.1.1), and Arabic stands left to right",
)  # fmt: skip
SMALL = rule("MLR067", Severity.WARNING, "small text", "on a phone many can't read it without enlarging")
TITLE = rule(
    "MLR068",
    Severity.WARNING,
    "the page's title is not the subject",
    "a browser's tab and a screen reader name another mail",
)
JUSTIFIED = rule(
    "MLR069", Severity.WARNING, "justified text", "gaps between words make it hard to read for many (WCAG 1.4.8)"
)


def check(material: Material) -> Iterator[Finding]:
    """The page first, which is the same for all but its stories; then the theme."""
    html = material.samples[0].html
    yield from _headings(material, html)
    yield from _elements(material, html)
    yield from _language(material, html)
    title = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    if title is None or unescape(title[1]).strip() != material.issue.subject:
        path, line = material.template_line("<mj-title>")
        text = f"the page's title is “{unescape(title[1]).strip() if title else ''}”"
        yield material.finding(TITLE, text, "write <mj-title>{{ issue.subject }}</mj-title>", line, path=path)
    yield from _contrast(material)
    yield from _styles(material)


def _headings(material: Material, html: str) -> Iterator[Finding]:
    headings = [(int(level), _TAGS.sub("", words).strip()) for level, words in _HEADING.findall(html)]
    path, line = material.template_line("<h1")
    if (count := sum(level == 1 for level, _ in headings)) != 1:
        yield material.finding(
            TITLES, f"there are {count} headings of level 1", "write one <h1>, the title", line, path=path
        )
    for (before, _), (level, words) in pairwise([(0, ""), *headings]):
        if level > before + 1 and before:
            path, line = material.template_line(f"<h{level}")
            text = f"the heading “{words}” is of level {level} behind one of level {before}"
            yield material.finding(SKIPPED, text, f"write <h{before + 1}>", line, path=path)
            break
    for level in sorted({level for level, words in headings if not words}):
        path, line = material.template_line(f"<h{level}")
        yield material.finding(EMPTY, f"a heading of level {level} is empty", "take it out", line, path=path)


def _elements(material: Material, html: str) -> Iterator[Finding]:
    for tag in dict.fromkeys(re.findall(r"<img\b[^>]*>", html)):
        if not re.search(r"\balt=", tag):
            source = re.search(r'\bsrc="([^"]*)"', tag)
            path, line = material.template_line(source[1]) if source else ("", 0)
            path, line = (path, line) if line else material.template_line("<img")
            text = f"the picture {source[1] if source else ''} has no alt"
            yield material.finding(ALT, text, 'say what it shows, or write alt="" for an ornament', line, path=path)
    for story in material.issue.stories:
        for table in re.findall(r"<table\b[^>]*>.*?</table>", story.body.html, re.DOTALL):
            if "<th" not in table and not re.search(r'^<table[^>]*role="(presentation|none)"', table):
                line = material.line_of("<table", story)
                fix = "write its headers as <th>, or the table in Markdown"
                yield material.finding(TABLE, "a table has no headers", fix, line, story)


def _language(material: Material, html: str) -> Iterator[Finding]:
    """On html, and on the wrapper, since webmail drops html and head."""
    path, line = material.template_line("<mjml")
    body = re.search(r"<body\b.*", html, re.DOTALL)
    wrapper = re.search(r"<div\b[^>]*\b(?:lang|dir|aria-roledescription)=[^>]*>", body[0] if body else "")
    for name, tag in (("html", re.search(r"<html\b[^>]*>", html)), ("the wrapper in body", wrapper)):
        given = dict(re.findall(r'\b(lang|dir)="([^"]+)"', tag[0] if tag else ""))
        missing = [key for key in ("lang", "dir") if given.get(key, "und") in ("und", "auto")]
        if missing:
            text = f"<{name}> has no {' and no '.join(missing)}"
            fix = 'write <mjml lang="{{ issue.language }}" dir="{{ dir }}">'
            yield material.finding(LANGUAGE, text, fix, line, path=path)
            return


def _contrast(material: Material) -> Iterator[Finding]:
    theme = material.composition.theme
    text = (theme.folder / "theme.toml").read_text("utf-8").splitlines()
    for scheme, colours in theme.settings["colours"].items():
        start = next((n for n, row in enumerate(text, 1) if row.strip() == f"[colours.{scheme}]"), 0)
        for upper, lower in _PAIRS:
            if upper not in colours or lower not in colours:
                continue
            ratio = contrast(colours[upper], colours[lower])
            if ratio < _READABLE:
                rows = enumerate(text[start:], start + 1)
                line = next((n for n, row in rows if re.match(rf"{upper}\s*=", row)), start)
                what = f"the {scheme} colours have “{upper}” on “{lower}” with a contrast of {ratio:.1f} to 1"
                fix = f"make {upper} {'darker' if scheme == 'light' else 'lighter'}, to {_READABLE} to 1 or more"
                yield material.finding(CONTRAST, what, fix, line, path=f"{theme.shown}/theme.toml")


def contrast(one: str, other: str) -> float:
    """The contrast of two colours of six hexadecimal digits, 1 to 21 (WCAG 2.2, contrast ratio)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _styles(material: Material) -> Iterator[Finding]:
    for name in ("inline.css", "head.css"):
        sheet = material.sheet(name)
        for one in sheet.declarations():
            if one.property in ("font-size", "font") and (size := _SIZE.search(one.value)):
                pixels = float(size[1]) * (4 / 3 if size[2] == "pt" else 1)
                if 1 < pixels < _SMALLEST:  # 0 and 1 hide what is not for the eye
                    text = f"“{one.property}: {one.value}” is small"
                    yield material.finding(SMALL, text, f"write {_SMALLEST}px or more", one.line, path=sheet.path)
            elif one.property == "text-align" and one.value.startswith("justify"):
                fix = "write text-align: {{ start }}"
                yield material.finding(
                    JUSTIFIED, "“text-align: justify” stretches lines", fix, one.line, path=sheet.path
                )
