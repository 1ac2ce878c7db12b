"""Interests as people write them: by their id or by their label, in any letter case."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.errors import nearest
from mailer.settings import Config


def read(words: Iterable[str], config: Config) -> tuple[tuple[str, ...], list[str]]:
    """The ids in the configured order, and what is wrong with each word that is none."""
    ids = {_key(label): topic for topic, label in config.interests.items()}
    ids |= {_key(topic): topic for topic in config.interests}
    given = {word.strip() for word in words} - {""}
    chosen = {ids[_key(word)] for word in given if _key(word) in ids}
    mistakes = [_mistake(word, config) for word in sorted(given) if _key(word) not in ids]
    return config.topic_order(chosen), mistakes


def _key(word: str) -> str:
    return " ".join(word.split()).casefold()


def _mistake(word: str, config: Config) -> str:
    hint = "separate interests by ;" if "," in word else nearest(word, config.interests)
    return f"unknown interest “{word[:80]}”. {hint}"
