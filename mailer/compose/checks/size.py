"""How large each edition is as mailed."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.compose.checks.material import Material
from mailer.compose.checks.rules import rule
from mailer.compose.composition import GMAIL_CLIP
from mailer.models import Finding, Severity

_NEAR = 90 * 1024  # bytes of UTF-8 HTML

CLIPPED = rule(
    "MLR001", Severity.ERROR, "an edition is larger than Gmail shows",
    "Gmail hides the rest behind a link, and with it the way to leave", fixed=True,
)  # fmt: skip
NEAR = rule("MLR002", Severity.WARNING, "an edition is near Gmail's limit", "a few more lines and Gmail hides the rest")


def check(material: Material) -> Iterator[Finding]:
    """Editions that are too large, or nearly. The whole issue is always measured."""
    composition = material.composition
    measured = [(composition.sizes(sample.selection), len(sample.selection)) for sample in material.samples]
    over = [sizes for sizes, _ in measured if sizes[1] >= GMAIL_CLIP]
    biggest = ", ".join(f"{story} ({size:,} bytes)" for story, size in _biggest_stories(material))
    (plain, mailed), stories = max(measured)
    which = f"the edition of {stories} stories"
    if over:
        text = f"{which} has {mailed:,} bytes as mailed; Gmail shows {GMAIL_CLIP:,} ({len(over)} editions are over)"
        yield material.finding(CLIPPED, text, f"shorten or move to the web: {biggest}")
    elif plain > _NEAR:
        text = f"{which} has {plain / 1024:.1f} KiB, {mailed:,} bytes as mailed; Gmail cuts at {GMAIL_CLIP:,}"
        yield material.finding(NEAR, text, f"the longest stories are {biggest}")


def _biggest_stories(material: Material) -> list[tuple[str, int]]:
    sizes = ((story.id, len(story.body.html.encode("utf-8"))) for story in material.issue.stories)
    return sorted(sizes, key=lambda pair: -pair[1])[:3]
