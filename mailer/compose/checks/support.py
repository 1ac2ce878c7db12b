"""Whether mail programs know what the author wrote: caniemail's tests, for the clients the configuration names.

Only the template's own sheets and tags, and HTML in stories, are looked at: MJML's scaffold is there to make up for
what programs lack. What stands in inline.css or a tag must work in every client, what stands in head.css in one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.compose.checks.sheets import Sheet
from mailer.errors import nearest
from mailer.models import Finding, Severity, Story

STYLE = rule(
    "MLR080", Severity.WARNING, "a style that a mail program doesn't know", "their readers see the mail without it"
)
HEAD = rule(
    "MLR081", Severity.NOTE, "a style in the head that no mail program knows",
    "it helps nobody, and counts towards Gmail's limit",
)  # fmt: skip
TAG = rule("MLR082", Severity.WARNING, "a tag that a mail program doesn't know", "their readers lose what it means")
CLIENT = rule(
    "MLR083", Severity.WARNING, "a mail program that caniemail doesn't test", "nothing can be said of its readers"
)

# Longhands that caniemail tests with their shorthand.
_SHORTHAND = re.compile(
    r"(padding|margin)-(?:top|right|bottom|left)|(border)-(?:(?:top|right|bottom|left)(?:-(?:width|style|color))?|width|"
    r"style|color)|(outline)-(?:width|style|color)"
)
_INITIAL = {"auto", "initial", "normal", "none"}  # what a client does that doesn't know the property
_REFINING = {"css-white-space"}  # without it lines break elsewhere, and nothing is lost
_VALUES = {
    r"\bcalc\(": "css-unit-calc", r"\bvar\(": "css-variables", r"\bclamp\(": "css-function-clamp",
    r"\bmin\(": "css-function-min", r"\bmax\(": "css-function-max", r"\blight-dark\(": "css-function-light-dark",
    r"\blinear-gradient\(": "css-linear-gradient", r"\bradial-gradient\(": "css-radial-gradient",
    r"\bconic-gradient\(": "css-conic-gradient", r"\brgba\(": "css-rgba",
    r"\d(?:rem)\b": "css-unit-rem", r"\dvw\b": "css-unit-vw", r"\dvh\b": "css-unit-vh", r"\dch\b": "css-unit-ch",
    r"\dex\b": "css-unit-ex", r"\dvmin\b": "css-unit-vmin", r"\dvmax\b": "css-unit-vmax",
}  # fmt: skip
_AT = {
    r"@font-face": "css-at-font-face", r"@keyframes": "css-at-keyframes", r"@supports": "css-at-supports",
    r"@media.*prefers-color-scheme": "css-at-media-prefers-color-scheme",
    r"@media.*prefers-reduced-motion": "css-at-media-prefers-reduced-motion",
    r"@media.*\bhover": "css-at-media-hover", r"@media.*orientation": "css-at-media-orientation",
    r"@media": "css-at-media",
}  # fmt: skip
_PSEUDO = re.compile(r"::?([a-z-]+)(?![^{]*\})")
_ATTRIBUTE = re.compile(r"\.[\w-]+\[")  # alone, as in [data-ogsc], it is there for the one program that writes it
_ELEMENTS = {"h1": "h1-h6", "h2": "h1-h6", "h3": "h1-h6", "h4": "h1-h6", "h5": "h1-h6", "h6": "h1-h6", "ul": "lists",
             "ol": "lists", "article": "semantics", "section": "semantics", "main": "semantics", "nav": "semantics",
             "header": "semantics", "footer": "semantics", "figure": "semantics", "s": "strike"}  # fmt: skip
_OPENING = re.compile(r"<([a-z][a-z0-9]*)\b")
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Data:
    """The excerpt: names of clients, and for each feature its title and one letter a client."""

    date: str
    clients: dict[str, str]
    features: dict[str, tuple[str, str]]

    def without(self, feature: str, clients: Iterable[str]) -> list[str]:
        """Those of the clients that are known not to support a feature, by their names."""
        letters = dict(zip(self.clients, self.features[feature][1], strict=True))
        return [self.clients[client] for client in clients if letters[client] == "n"]


@cache
def data() -> Data:
    """The excerpt of caniemail.com that the package carries."""
    read = json.loads(resources.files("mailer.compose.checks").joinpath("caniemail.json").read_text("utf-8"))
    return Data(
        read["date"], read["clients"], {key: (title, letters) for key, (title, letters) in read["features"].items()}
    )


def check(material: Material) -> Iterator[Finding]:
    """Each feature once, with how often it is used and who lacks it."""
    clients: list[str] = []
    for name in material.composition.config.checks.clients:
        chosen = [client for client in data().clients if name in (client, client.partition(".")[0])]
        clients += chosen
        if not chosen:
            families = dict.fromkeys(client.partition(".")[0] for client in data().clients)
            text = f"caniemail has no client “{name}”"
            yield material.finding(CLIENT, text, nearest(name, families).rstrip("."), path="mailer.toml")
    clients = list(dict.fromkeys(clients))
    yield from _sheet(material, "inline.css", clients)
    yield from _sheet(material, "head.css", clients)
    yield from _tags(material, clients)


def _sheet(material: Material, name: str, clients: list[str]) -> Iterator[Finding]:
    sheet = material.sheet(name)
    used = list(_features(sheet, selectors=name == "head.css"))
    counts = Counter(feature for feature, _ in used)
    first = dict(reversed(used))
    for feature, line in sorted(first.items(), key=lambda pair: pair[1]):
        lacking = data().without(feature, clients)
        title = data().features[feature][0]
        if name == "inline.css" and lacking:
            text = f"“{title}”{_times(counts[feature])} is unknown to {_listed(lacking)}"
            yield material.finding(STYLE, text, "do without it, or move it to head.css", line, path=sheet.path)
        elif name == "head.css" and clients and len(lacking) == len(clients):
            text = f"“{title}”{_times(counts[feature])} is unknown to every client you named"
            yield material.finding(HEAD, text, "take it out", line, path=sheet.path)


def _features(sheet: Sheet, selectors: bool) -> Iterator[tuple[str, int]]:
    for one in sheet.declarations():
        if one.value.removesuffix("!important").strip() in _INITIAL:
            continue
        shorthand = _SHORTHAND.fullmatch(one.property)
        name = next(filter(None, shorthand.groups())) if shorthand else one.property
        word = one.value.split()[0] if one.value else ""
        wanted = [f"css-{name}", f"css-display-{word}" if name == "display" else ""]
        wanted += [feature for pattern, feature in _VALUES.items() if re.search(pattern, one.value)]
        if name == "display" and wanted[1] in data().features:
            wanted.remove("css-display")
        yield from ((feature, one.line) for feature in wanted if feature in data().features.keys() - _REFINING)
    for words, line, _ in sheet.preludes() if selectors else ():
        at = next((feature for pattern, feature in _AT.items() if re.match(pattern, words)), "")
        pseudos = [f"css-pseudo-{kind}-{name}" for name in _PSEUDO.findall(words) for kind in ("class", "element")]
        attribute = ["css-selector-attribute"] if _ATTRIBUTE.search(words) else []
        wanted = [at] if words.startswith("@") else pseudos + attribute
        yield from ((feature, line) for feature in wanted if feature in data().features)


def _tags(material: Material, clients: list[str]) -> Iterator[Finding]:
    """Those of the template's pages, then those in stories; MJML's own are none of ours."""
    theme = material.composition.theme
    where: dict[str, Finding] = {}
    pages = [(f"{theme.shown}/{path.name}", path.read_text("utf-8")) for path in sorted(theme.folder.glob("*.mjml.j2"))]
    for shown, source in pages:
        source = _JINJA.sub(lambda found: "\n" * found[0].count("\n"), source)
        for found in _OPENING.finditer(source):
            line = source.count("\n", 0, found.start()) + 1
            if made := _tag(material, found[1], clients, line, shown):
                where.setdefault(found[1], made)
    for story in material.issue.stories:
        for found in _OPENING.finditer(story.body.html):
            line = material.line_of(f"<{found[1]}", story)
            if made := _tag(material, found[1], clients, line, story=story):
                where.setdefault(found[1], made)
    yield from where.values()


def _tag(
    material: Material, tag: str, clients: list[str], line: int, path: str = "", story: Story | None = None
) -> Finding | None:
    feature = f"html-{_ELEMENTS.get(tag, tag)}"
    lacking = data().without(feature, clients) if feature in data().features else []
    if not lacking:
        return None
    text = f"“{data().features[feature][0]}” is unknown to {_listed(lacking)}"
    return material.finding(TAG, text, "say it in words, or with a tag that all know", line, story, path)


def _times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
