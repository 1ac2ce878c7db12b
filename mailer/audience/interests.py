"""Interests as people write them: by their id or by their label, in any letter case."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.errors import nearest
from mailer.settings import Config


def read(words: Iterable[str], config: Config) -> tuple[tuple[str, ...], list[str]]:
    """The ids in the configured order, and what is wrong with each word that is none."""
    chosen = {word: config.topic(word) for word in (word.strip() for word in words) if word}
    mistakes = [_mistake(word, config) for word, topic in sorted(chosen.items()) if not topic]
    return config.topic_order({topic for topic in chosen.values() if topic}), mistakes


def _mistake(word: str, config: Config) -> str:
    hint = "separate interests by ;" if "," in word else nearest(word, config.interests)
    return f"unknown interest “{word[:80]}”. {hint}"
