"""MLR001, MLR002: Gmail hides what comes after about 102 KB of a mail's HTML, and the unsubscribe link with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailer.compose.composition import GMAIL_CLIP, Composition
from mailer.models import Edition, Finding, Severity

_NEAR = 92 * 1024  # bytes of UTF-8; from there on a few sentences more may cross the line


def check(composition: Composition, editions: Sequence[Edition]) -> Iterator[Finding]:
    """The largest edition that is over; a smaller one is mended with it. The whole issue is always measured."""
    path = f"issues/{composition.issue.slug}/issue.md"
    selections = {composition.everything, *(edition.selection for edition in editions)}
    measured = [(composition.sizes(selection), len(selection)) for selection in selections]
    over = [sizes for sizes, _ in measured if sizes[1] >= GMAIL_CLIP]
    biggest = ", ".join(f"{story} ({size:,} bytes)" for story, size in _biggest_stories(composition))
    (plain, mailed), stories = max(measured)
    which = f"the edition of {stories} stories"
    if over:
        text = f"{which} has {mailed:,} bytes as mailed; Gmail shows {GMAIL_CLIP:,} ({len(over)} editions are over)"
        fix = f"shorten or move to the web: {biggest}"
        yield Finding("MLR001", Severity.ERROR, path, 0, text, fix)
    elif plain > _NEAR:
        text = f"{which} has {plain / 1024:.1f} KiB, {mailed:,} bytes as mailed; Gmail cuts at {GMAIL_CLIP:,}"
        yield Finding("MLR002", Severity.WARNING, path, 0, text, f"the longest stories are {biggest}")


def _biggest_stories(composition: Composition) -> list[tuple[str, int]]:
    sizes = ((story.id, len(story.body.html.encode("utf-8"))) for story in composition.issue.stories)
    return sorted(sizes, key=lambda pair: -pair[1])[:3]
