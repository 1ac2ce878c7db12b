"""How large each edition is as mailed, how tall a story, and whether the style sheet survives Gmail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.compose.characters import printable
from mailer.compose.checks.material import Material, Sample
from mailer.compose.checks.rules import rule
from mailer.compose.composition import GMAIL_CLIP
from mailer.models import Finding, Severity, Story

_NEAR = 90 * 1024  # bytes of UTF-8 HTML
_BLOCK = 8_192  # characters: what Gmail took of a style block for years (email-bugs #90)
_HEAD = 16 * 1024  # characters: what it takes today of all of them
_TALL = 1_700  # pixels: where Word, which draws Outlook's mail, begins a new page (hteumeuleu, get-off-the-table #7)
_LINE = 25  # pixels; a line of the text part is about as long as one of the column, and the estimate 7 % off at most
_GAP = 12  # pixels between two paragraphs
_REFERENCE = re.compile(r"\[\d+\] <")

CLIPPED = rule(
    "MLR001", Severity.ERROR, "an edition is larger than Gmail shows",
    "Gmail hides the rest behind a link, and with it the unsubscribe link", fixed=True,
)  # fmt: skip
NEAR = rule("MLR002", Severity.WARNING, "an edition is near Gmail's limit", "a few more lines and Gmail hides the rest")
TALL = rule(
    "MLR003", Severity.WARNING, "a very tall story",
    "Outlook breaks a row there as if it were printed: a gap opens, or lines are lost",
)  # fmt: skip
BLOCK = rule("MLR015", Severity.WARNING, "a style block is long", "some versions of Gmail drop such a block whole")
HEAD = rule(
    "MLR016", Severity.WARNING, "the style sheets in the head are long",
    "Gmail drops every style block behind the first 16 KB: phones get the desktop's layout",
)  # fmt: skip
NESTED = rule("MLR017", Severity.WARNING, "an at-rule stands inside another", "Gmail drops the whole style block")
IMPORTANT = rule(
    "MLR018", Severity.WARNING, "!important is written in a way that Gmail does not read",
    "Gmail drops the whole style block, and with it the layout for phones",
)  # fmt: skip
CONTROL = rule(
    "MLR019", Severity.ERROR, "a control character stands in the mail",
    "Gmail cuts a mail short behind it, and others show a box",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Sizes, then heights, then the sheet in the head, then characters."""
    yield from _editions(material)
    yield from _stories(material)
    yield from _head(material)
    sheet = material.sheet("head.css")
    for words, line, depth in sheet.preludes():
        if depth and words.startswith("@"):
            fix = "write it beside the other, not inside"
            yield material.finding(NESTED, f"“{words}” stands inside another @ rule", fix, line, path=sheet.path)
    for found in re.finditer(r"\S?!\s*important", sheet.css, re.IGNORECASE):
        if not re.fullmatch(r"!important", found[0]):
            fix = "write it in small letters behind one blank: 0 !important"
            yield material.finding(
                IMPORTANT,
                f"“{found[0]}” is another way to write !important",
                fix,
                sheet.line(found.start()),
                path=sheet.path,
            )
    yield from _controls(material)


def _editions(material: Material) -> Iterator[Finding]:
    """The whole issue is always measured."""
    sizes = {sample: material.composition.sizes(sample.selection) for sample in material.samples}
    over = [sample for sample in sizes if sizes[sample][1] >= GMAIL_CLIP]
    near = [sample for sample in sizes if sizes[sample][0] > _NEAR and sample not in over]
    biggest = ", ".join(f"{story} ({size:,} bytes)" for story, size in _biggest_stories(material))
    if over:
        mailed, which = _largest(over, sizes)
        text = f"{which} has {mailed:,} bytes as mailed, {mailed - GMAIL_CLIP + 1:,} more than Gmail shows"
        yield material.finding(
            CLIPPED, text, f"shorten or move to the web: {biggest}", editions=material.editions_of(over)
        )
    if near:
        mailed, which = _largest(near, sizes)
        text = f"{which} has {mailed:,} bytes as mailed; Gmail cuts at {GMAIL_CLIP:,}"
        yield material.finding(
            NEAR, text, f"shorten one of the longest stories: {biggest}", editions=material.editions_of(near)
        )


def _largest(samples: list[Sample], sizes: dict[Sample, tuple[int, int]]) -> tuple[int, str]:
    largest = max(samples, key=lambda sample: sizes[sample])
    return sizes[largest][1], f"the edition of {len(largest.selection)} stories"


def _biggest_stories(material: Material) -> list[tuple[str, int]]:
    sizes = ((story.id, len(story.body.html.encode("utf-8"))) for story in material.issue.stories)
    return sorted(sizes, key=lambda pair: -pair[1])[:3]


def _stories(material: Material) -> Iterator[Finding]:
    """A story is one row of its section's table, 600 pixels wide."""
    for story in material.issue.stories:
        if (height := _height(material, story)) > _TALL:
            text = f"“{story.title}” is about {height:,} pixels tall, more than {_TALL:,}"
            yield material.finding(TALL, text, "shorten it, or make two stories of it", story=story)


def _height(material: Material, story: Story) -> int:
    """In pixels, without the title and what else a theme puts around a story."""
    lines = (line for line in story.body.text.split("\n") if not _REFERENCE.match(line))
    pictures = (
        picture.shown[1] for picture in material.issue.pictures
        if f'src="{picture.url}"' in story.body.html or (story.picture and story.picture.url == picture.url)
    )  # fmt: skip
    return sum(_LINE if line else _GAP for line in lines) + sum(pictures)


def _head(material: Material) -> Iterator[Finding]:
    """The head is the same in every edition. Its blocks hold MJML's rules and ours, which alone can be shortened."""
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", material.samples[0].html, re.DOTALL)
    longest, total = max(map(len, blocks), default=0), sum(map(len, blocks))
    path = material.sheet("head.css").path
    if longest >= _BLOCK:
        text = f"a style block has {longest:,} characters, more than {_BLOCK:,}"
        yield material.finding(BLOCK, text, "shorten it, or move rules to inline.css", path=path)
    if total > _HEAD:
        text = f"the style blocks have {total:,} characters, more than {_HEAD:,}"
        yield material.finding(HEAD, text, "shorten it, or move rules to inline.css", path=path)


def _controls(material: Material) -> Iterator[Finding]:
    """Those of issue.md are taken out when it is read; a template or the configuration may still bring one in."""
    for sample in material.samples[:1]:
        for part in (sample.html, sample.text):
            for character in sorted(set(part) - set(printable(part)) - {"\r"}):
                path, line = material.template_line(character)
                text = f"the character U+{ord(character):04X} is no letter"
                yield material.finding(
                    CONTROL, text, "take it out; curly quotes are U+2019 and U+201D", line, path=path
                )
                return
