"""Whether who reads the text part gets the links, no HTML, and lines that fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from mailer.compose.checks.anchors import anchors
from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

_LONGEST = 78  # characters of a line (RFC 5322 section 2.1.1)
_TAG = re.compile(r"</?(?:a|b|br|div|em|h[1-6]|i|img|li|ol|p|span|strong|table|td|th|tr|ul)(?:\s[^<>]*)?/?>")
_TAGS = re.compile(r"<style.*?</style>|<!--.*?-->|<[^>]+>", re.DOTALL)

LINKS = rule(
    "MLR057", Severity.ERROR, "the text part leaves out a link", "its readers are told of a page and can't open it"
)
HTML = rule(
    "MLR058", Severity.ERROR, "a tag stands in the text part", "it is shown as it is written, and filters count it"
)
WIDE = rule(
    "MLR059", Severity.NOTE, "a line of the text part is longer than 78 characters",
    "mail programs break it wherever their window ends (RFC 5322 section 2.1.1)",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """The whole issue's text part, which the others are cut out of."""
    html, text = material.samples[0].html, material.samples[0].text
    theme = material.composition.theme
    path = f"{theme.shown}/page.txt.j2"
    lost = dict.fromkeys(one.url for one in anchors(material) if one.url.startswith("http") and one.url not in text)
    if lost and any(story.title in text for story in material.issue.stories):  # else MLR054 says it all
        what = f"{next(iter(lost))} and {len(lost) - 1} more" if len(lost) > 1 else next(iter(lost))
        fix = "write <{{ story.link.url }}> below each story, and the text of its body as it is"
        yield material.finding(LINKS, f"the text part has no {what}", fix, path=path)
    written = unescape(_TAGS.sub("", html))  # an author may write of tags
    if tag := next((tag for tag in _TAG.findall(text) if tag not in written), None):
        lines = (theme.folder / "page.txt.j2").read_text("utf-8").split("\n")
        line = next((number for number, words in enumerate(lines, 1) if tag in words), 0)
        fix = "write .text in place of .html, or take the tag out"
        yield material.finding(HTML, f"“{tag}” stands in the text part", fix, line, path=path)
    for row in dict.fromkeys(text.splitlines()):
        if len(row) > _LONGEST and len(row.split()) > 2:  # of a number and an address, nothing can be broken
            what = f"a line of {len(row)} characters begins with “{row.strip()[:40]}”"
            where = material.line_of(row.strip())
            fix = "begin a new line in it where it may break"
            yield material.finding(WIDE, what, fix, where, path="" if where else path)
