"""What a template's style sheets do to words: shouting, hidden links, a dark palette that is never asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

_RULE = re.compile(r"(?P<selector>[^{};]*)\{(?P<body>[^{}]*)\}")
_LINK = re.compile(r"(?<![\w.#-])a(?![\w-]|:hover)")  # the type selector, but not while a pointer is on it
_UNDECORATED = re.compile(r"\btext-decoration(?:-line)?\s*:\s*none\b")
_META = '<meta name="color-scheme"'
_ROOT = re.compile(r":root\s*\{[^}]*\bcolor-scheme\s*:")

CAPITALS = rule(
    "MLR070", Severity.WARNING, "a style that sets words in capitals",
    "they are slow to read, look like shouting, and some screen readers spell them letter by letter",
)  # fmt: skip
UNDERLINE = rule(
    "MLR071", Severity.WARNING, "links without an underline",
    "who can't tell the colours apart doesn't find them (WCAG 1.4.1)",
)  # fmt: skip
SCHEME = rule(
    "MLR072", Severity.WARNING, "the dark colours are not announced",
    "Apple Mail inverts the mail by its own guess, and leaves the theme's dark colours out",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Both sheets, then what announces the dark palette: the meta element and :root (caniemail, hteumeuleu)."""
    for name in ("inline.css", "head.css"):
        sheet = material.sheet(name)
        for one in sheet.declarations():
            if one.property == "text-transform" and one.value.startswith("uppercase"):
                text, fix = (
                    "“text-transform: uppercase” writes words in capitals",
                    "take it out; make them bold instead",
                )
                yield material.finding(CAPITALS, text, fix, one.line, path=sheet.path)
        for found in _RULE.finditer(sheet.css):
            bare = _UNDECORATED.search(found["body"])
            if bare and _LINK.search(found["selector"]) and "button" not in found["selector"]:
                line = sheet.line(found.start("body") + bare.start())
                text = f"“{found['selector'].strip()}” takes the underline away"
                yield material.finding(UNDERLINE, text, "write text-decoration: underline", line, path=sheet.path)
    yield from _scheme(material)


def _scheme(material: Material) -> Iterator[Finding]:
    if "dark" not in material.composition.theme.settings["colours"]:
        return
    sheet = material.sheet("head.css")
    if not _ROOT.search(sheet.css):
        fix = "write :root { color-scheme: light dark; }"
        yield material.finding(SCHEME, "head.css has no color-scheme for :root", fix, path=sheet.path)
    if _META not in material.samples[0].html:
        path, line = material.template_line("<mj-head>")
        fix = f'write <mj-raw>{_META} content="light dark"></mj-raw> into it'
        yield material.finding(SCHEME, "the head has no meta element for color-scheme", fix, line, path=path)
