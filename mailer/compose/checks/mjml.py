"""MJML that MRML takes without a word and renders otherwise than meant; npm mjml reports most of it.

The rendered MJML is looked at, so that included files have their parents and values of the theme are filled in; where
a mistake stands is looked up in the template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.errors import nearest
from mailer.models import Finding, Severity

ATTRIBUTE = rule(
    "MLR090", Severity.ERROR, "an attribute that MJML doesn't have", "it is left out of the mail, silently"
)
PARENT = rule("MLR091", Severity.ERROR, "an MJML tag in the wrong place", "it is rendered wrongly or not at all")
VALUE = rule(
    "MLR092", Severity.ERROR, "an attribute whose value MJML can't use", "Outlook or the phone shows something else"
)
TWICE = rule("MLR093", Severity.ERROR, "an attribute is given twice", "only the last one counts")
CAPITALS = rule("MLR094", Severity.ERROR, "an MJML tag in capitals", "it reaches the mail unrendered")
REVEALED = rule(
    "MLR095", Severity.ERROR, "an Outlook comment in the form that the inliner breaks",
    "Outlook shows what was to be hidden, or the other way round",
)  # fmt: skip
COLOUR = rule(
    "MLR096", Severity.ERROR, "a colour in the new notation", "premailer drops it, and mail programs don't know it"
)

_COMMON = "css-class mj-class"
_BOX = "padding padding-top padding-right padding-bottom padding-left container-background-color"
_LINE = "color font-family font-size font-style font-weight letter-spacing line-height text-decoration text-transform"
_EDGE = "border border-top border-right border-bottom border-left border-radius"
_LINK = "href rel target title name"
# Tags with their parents and attributes, as npm mjml 5 has them (packages/mjml-*/src/index.js).
_TABLE: dict[str, tuple[str, str]] = {
    "mjml": ("", "lang dir owa"),
    "mj-head": ("mjml", ""),
    "mj-body": ("mjml", "width background-color id"),
    "mj-title": ("mj-head", ""),
    "mj-preview": ("mj-head", ""),
    "mj-breakpoint": ("mj-head", "width"),
    "mj-attributes": ("mj-head", ""),
    "mj-style": ("mj-head", "inline"),
    "mj-class": ("mj-attributes", "name *"),
    "mj-all": ("mj-attributes", "*"),
    "mj-raw": ("mj-head mj-body mj-section mj-group mj-column", "position"),
    "mj-section": (
        "mj-body mj-wrapper",
        f"{_EDGE} background-color background-url background-repeat background-size background-position "
        "background-position-x background-position-y direction full-width text-align text-padding padding padding-top "
        "padding-right padding-bottom padding-left",
    ),
    "mj-group": ("mj-section", "width vertical-align background-color direction"),
    "mj-column": (
        "mj-section mj-group",
        f"{_EDGE} background-color direction inner-background-color inner-border inner-border-radius width "
        "vertical-align padding padding-top padding-right padding-bottom padding-left",
    ),
    "mj-text": ("mj-column", f"{_BOX} {_LINE} align height"),
    "mj-table": (
        "mj-column",
        f"{_BOX} {_LINE} align border cellpadding cellspacing role table-layout vertical-align width",
    ),
    "mj-image": (
        "mj-column",
        f"{_BOX} {_EDGE} {_LINK} align alt fluid-on-mobile font-size height max-height sizes src srcset usemap width",
    ),
    "mj-button": (
        "mj-column",
        f"{_BOX} {_EDGE} {_LINK} {_LINE} align background-color height inner-padding text-align vertical-align width",
    ),
    "mj-divider": ("mj-column", f"{_BOX} align border-color border-style border-width width"),
    "mj-spacer": ("mj-column", f"{_BOX} height"),
    "mj-social": (
        "mj-column",
        f"{_BOX} {_LINE} align border-radius icon-height icon-size icon-padding inner-padding mode table-layout "
        "text-padding vertical-align",
    ),
    "mj-social-element": (
        "mj-social",
        f"{_LINE} {_LINK} align alt background-color border-radius icon-height icon-position icon-size icon-padding "
        "padding padding-top padding-right padding-bottom padding-left sizes src srcset text-padding vertical-align",
    ),
}  # fmt: skip
_LENGTHS = set(
    "width height padding padding-top padding-right padding-bottom padding-left font-size line-height letter-spacing "
    "border-radius border-width icon-size icon-height icon-padding inner-padding text-padding max-height".split()
)
_LENGTH = re.compile(r"(?:auto|normal|none|0|-?\d+(?:\.\d+)?(?:px|%|em)?)")
_UNITLESS = {"line-height"}  # a bare number is a factor
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}|[a-z]+|rgba?\(\d+ ?, ?\d+ ?, ?\d+(?: ?, ?[\d.]+)?\)")
_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>mj[\w-]*)(?P<rest>(?:[^>\"']|\"[^\"]*\"|'[^']*')*?)(?P<alone>/?)>", re.IGNORECASE
)
_ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_NEW_COLOUR = re.compile(
    r"\b(?:rgb|hsl)a?\([^(),]*\)|\b(?:hwb|lab|lch|oklab|oklch|color|color-mix|light-dark)\([^()]*\)"
)


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    parent: str
    attributes: tuple[tuple[str, str], ...]


def check(material: Material) -> Iterator[Finding]:
    """Each mistake once, however many stories repeat it."""
    composition = material.composition
    mjml = composition.theme.mjml(composition.issue, composition.config, composition.marks)
    for tag in dict.fromkeys(_tags(mjml)):
        yield from _tag(material, tag)
    for comment in dict.fromkeys(re.findall(r"<!\[if[^>]*>", mjml)):
        path, line = material.template_line(comment)
        yield material.finding(
            REVEALED, f"the inliner breaks “{comment}”", f"write <!--{comment[1:-1]}>", line, path=path
        )
    for name in ("inline.css", "head.css"):
        sheet = material.sheet(name)
        for one in sheet.declarations():
            if found := _NEW_COLOUR.search(one.value):
                fix = "write six hexadecimal digits, such as #1b5e7a"
                yield material.finding(
                    COLOUR,
                    f"“{one.property}: {found[0]}” is a new way to write a colour",
                    fix,
                    one.line,
                    path=sheet.path,
                )


def _tags(mjml: str) -> Iterator[_Tag]:
    opened: list[str] = []
    for found in _TAG.finditer(re.sub(r"<!--.*?-->", "", mjml, flags=re.DOTALL)):
        name = found["name"]
        if found["close"]:
            while opened and opened.pop() != name:
                pass
            continue
        given = tuple((key, first or second) for key, first, second in _ATTRIBUTE.findall(found["rest"]))
        yield _Tag(name, opened[-1] if opened else "", given)
        if not found["alone"]:
            opened.append(name)


def _tag(material: Material, tag: _Tag) -> Iterator[Finding]:
    path, line = material.template_line(f"<{tag.name}")
    if tag.name != tag.name.lower():
        yield material.finding(CAPITALS, f"<{tag.name}> is in capitals", f"write <{tag.name.lower()}>", line, path=path)
        return
    parents, own = (words.split() for words in _TABLE.get(tag.name, ("", "*")))
    if parents and tag.parent not in parents and tag.parent != "mj-attributes" and tag.parent:
        text = f"<{tag.name}> stands in <{tag.parent}>"
        fix = f"put it into {' or '.join(f'<{name}>' for name in parents)}"
        yield material.finding(PARENT, text, fix, line, path=path)
    known = [*own, *_COMMON.split()]
    for position, (name, value) in enumerate(tag.attributes):
        path, line = _where(material, tag.name, name, value)
        if name not in known and "*" not in known:
            text = f"<{tag.name}> has no attribute “{name}”"
            yield material.finding(ATTRIBUTE, text, nearest(name, known).rstrip("."), line, path=path)
        elif name in dict(tag.attributes[:position]):
            text = f"<{tag.name}> has “{name}” twice"
            yield material.finding(TWICE, text, "keep one", line, path=path)
        elif what := _wrong(name, value):
            yield material.finding(
                VALUE, f'<{tag.name} {name}="{value}"> is not what MJML reads', what, line, path=path
            )


def _where(material: Material, tag: str, name: str, value: str) -> tuple[str, int]:
    """The line of an attribute: by its value, else by its name behind the tag."""
    for words in (f'{name}="{value}"', f"{name}='{value}'", f"{name}=", f"<{tag}"):
        path, line = material.template_line(words)
        if line:
            return path, line
    return path, line


def _wrong(name: str, value: str) -> str:
    """What to write instead of a value that is wrong, or nothing."""
    if name.endswith("color") and not _COLOUR.fullmatch(value):
        return "write six hexadecimal digits, such as #1b5e7a"
    if name in _LENGTHS:
        for part in value.split():
            if not _LENGTH.fullmatch(part):
                return "write pixels, such as 16px"
            if part.replace(".", "").isdigit() and float(part) and name not in _UNITLESS:
                return f"say what unit: {part}px"
    return ""
