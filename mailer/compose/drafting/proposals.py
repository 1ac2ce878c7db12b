"""Topics that a story's words speak for.

Each interest has its own words in the configuration, and its label is one of them. A topic is proposed when one of
them stands in the title, or two times in the text: once may be chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailer.compose.drafting.blocks import Story
from mailer.settings import Config

_ENOUGH = 2


def propose(stories: Iterable[Story], config: Config) -> None:
    """Fill in what is proposed for each story."""
    patterns = {topic: _pattern([label, *config.words.get(topic, ())]) for topic, label in config.interests.items()}
    for story in stories:
        text = " ".join(block.words for block in story.blocks if not block.picture)
        for topic, pattern in patterns.items():
            titled, found = pattern.findall(story.title), pattern.findall(text)
            if titled or len(found) >= _ENOUGH:
                story.proposed[topic] = _counted([*titled, *found])


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, whole, with or without the s of a plural."""
    stems = sorted({re.escape(" ".join(word.split()).removesuffix("s")) for word in words}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(stems)})(?:s|es)?(?!\w)".replace(r"\ ", r"\s+"), re.IGNORECASE)


def _counted(found: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in found:
        stem = " ".join(word.lower().split()).removesuffix("s")
        counts[stem] = counts.get(stem, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))
