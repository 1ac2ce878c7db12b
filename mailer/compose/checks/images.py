"""Pictures: how heavy, how sharp, and what stands for them where they are not seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from mailer.compose.checks.anchors import anchors
from mailer.compose.checks.material import Material
from mailer.compose.checks.phrases import says_nothing
from mailer.compose.checks.rules import Rule, rule
from mailer.models import Finding, Picture, Severity, Story

_HEAVY = 200_000  # bytes
_LONG = 125  # characters: where screen readers break an alt text

HEAVY = rule("MLR020", Severity.WARNING, "a heavy picture", "on a phone abroad it comes late or never, and costs money")
UNSIZED = rule(
    "MLR021",
    Severity.WARNING,
    "a picture without a width",
    "Outlook shows it as large as its file is, and the text jumps",
)
SMALL = rule(
    "MLR022", Severity.WARNING, "a picture too small for its place", "phones have two pixels for one: it looks blurred"
)
FILE_NAME = rule(
    "MLR023", Severity.WARNING, "an alt text that is a file name", "it is read out letter by letter and says nothing"
)
LONG_ALT = rule(
    "MLR024", Severity.WARNING, "a long alt text", "it can't be paused or read again; screen readers may cut it off"
)
LINKED = rule(
    "MLR025", Severity.WARNING, "a linked picture whose alt text doesn't say where it leads",
    "the alt text is all a screen reader has of this link (WCAG 2.4.4)",
)  # fmt: skip
ANIMATED = rule(
    "MLR026", Severity.WARNING, "a picture that moves",
    "Outlook shows its first frame only, and movement can't be stopped (WCAG 2.2.2)",
)  # fmt: skip
DARK = rule(
    "MLR028", Severity.WARNING, "a dark picture without a background",
    "in dark mode it vanishes, black on black",
)  # fmt: skip
ELSEWHERE = rule(
    "MLR027", Severity.WARNING, "a picture or font from another host",
    "that host learns who reads the mail, when and where",
)  # fmt: skip

_A_FILE = re.compile(
    r"\S+\.(?:png|jpe?g|gif|webp|svg|heic|tiff?)|(?:img|dsc|dscn|dcim|pict?|image|screenshot|bildschirmfoto|capture)"
    r"[ _-]*[\d_-]*|[\da-f]{12,}",
    re.IGNORECASE,
)
_DEPICTS = re.compile(
    r"(?:an? |the |une? |le |la |una? |el )?(?:photo|photograph|picture|image|logo|icon|screenshot|banner|button|foto|"
    r"fotografía|imagen|icône|صورة|شعار)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SOURCE = re.compile(r'\bsrc="([^"]*)"')
_FETCHED = re.compile(r"""(?:\bsrc=|\bbackground=|url\()\s*["']?(https?://[^"')\s]+)""", re.IGNORECASE)


def check(material: Material) -> Iterator[Finding]:
    """Each picture of the issue once, then what a template shows of its own."""
    for picture, story in _used(material):
        yield from _picture(material, picture, story)
    for anchor in anchors(material):
        if anchor.pictured and (_DEPICTS.match(anchor.text) or says_nothing(anchor.text, material.issue.language)):
            text = f"“{anchor.text}” doesn't say that the link leads to {anchor.url}"
            yield material.finding(LINKED, text, "say what opens, not what is seen", anchor.line, anchor.story)
    html = material.samples[0].html
    for tag in _TAG.findall(html):
        if not re.search(r'\bwidth="\d', tag):
            source = _SOURCE.search(tag)
            path, line = material.template_line(source[1]) if source else ("", 0)
            path, line = (path, line) if line else material.template_line("<img")
            text = f"the picture {source[1] if source else ''} has no width"
            yield material.finding(UNSIZED, text, "write width and height in pixels", line, path=path)
    own = urlsplit(material.composition.config.newsletter.public_url).hostname
    for url in dict.fromkeys(_FETCHED.findall(html)):
        if urlsplit(url).hostname != own:
            path, line = material.template_line(url)
            fix = "put the file into the issue's folder, or take it out"
            yield material.finding(ELSEWHERE, f"{url} is fetched from {urlsplit(url).hostname}", fix, line, path=path)


def _used(material: Material) -> Iterator[tuple[Picture, Story | None]]:
    """Each picture with the story it stands in."""
    for picture in material.issue.pictures:
        holders = (
            story for story in material.issue.stories
            if (story.picture and story.picture.url == picture.url) or f'src="{picture.url}"' in story.body.html
        )  # fmt: skip
        yield picture, next(holders, None)


def _picture(material: Material, picture: Picture, story: Story | None) -> Iterator[Finding]:
    line = material.line_of(picture.path.name, story)

    def found(rule: Rule, text: str, fix: str) -> Finding:
        return material.finding(rule, text, fix, line, story)

    from mailer.compose import pictures  # Pillow takes 60 ms to import, and many issues have no picture

    width, _ = picture.shown
    size = len(pictures.published(picture)[1])
    if size > _HEAVY:
        yield found(HEAVY, f"{picture.path.name} has {size:,} bytes", "save it as JPEG, or with less detail")
    if picture.width < 2 * width:
        text = f"{picture.path.name} is {picture.width:,} pixels wide; its place of {width} needs {2 * width:,}"
        yield found(SMALL, text, f"export it anew, {2 * width:,} pixels wide; enlarging the file won't help")
    if _A_FILE.fullmatch(picture.alt) or picture.alt.casefold() == picture.path.stem.casefold():
        yield found(FILE_NAME, f"“{picture.alt}” is the name of a file", "say what the picture shows")
    if len(picture.alt) > _LONG:
        text = f"the alt text of {picture.path.name} has {len(picture.alt)} characters, more than {_LONG}"
        yield found(LONG_ALT, text, "say it in one sentence, and the rest in the story")
    if picture.animated:
        yield found(ANIMATED, f"{picture.path.name} is animated", "save one frame as a still picture")
    if pictures.dark_and_transparent(picture):
        text = f"{picture.path.name} is nearly black where it is not transparent"
        yield found(DARK, text, "save it on a white background, or with a light edge around it")
