"""The topics of a story as people write them: `topics=green-jobs,cooperatives`, or by label `topics="Green jobs"`."""

from __future__ import annotations

from difflib import get_close_matches

from mailer.errors import nearest
from mailer.settings import Config


def read(written: str, scattered: bool, config: Config) -> tuple[tuple[str, ...], list[str]]:
    """The topics in the configured order, and what is wrong with how they are written.

    `scattered` says that there are blanks outside quotes, which is understood, and told.
    """
    names = _names(written, config)
    words = [word for name in names for word in _apart(name, config)]
    topics = {word: config.topic(word) for word in words}
    mistakes = [_unknown(word, config) for word, topic in topics.items() if not topic]
    if scattered and not mistakes and any(" " in word for word in words):
        mistakes = [f'put what has blanks between quotes: topics="{",".join(words)}"']
    elif scattered or words != names:
        corrected = ",".join(topic or word for word, topic in topics.items())
        mistakes.insert(0, f"separate topics by commas without blanks: topics={corrected}")
    return config.topic_order({topic for topic in topics.values() if topic}), mistakes


def _names(written: str, config: Config) -> list[str]:
    """Separated by commas, but for those that a label holds itself."""
    pieces, names = written.split(","), list[str]()
    while pieces:
        lengths = range(len(pieces), 0, -1)
        length = next((length for length in lengths if config.topic(",".join(pieces[:length]))), 1)
        names.append(" ".join(",".join(pieces[:length]).split()))
        del pieces[:length]
    return [name for name in names if name]


def _apart(name: str, config: Config) -> list[str]:
    """The words of a name that is none, when one of them is; or what stands between semicolons."""
    words = [word.strip() for word in name.split(";") if word.strip()] if ";" in name else name.split()
    return words if not config.topic(name) and any(config.topic(word) for word in words) else [name]


def _unknown(name: str, config: Config) -> str:
    known = {known.casefold(): known for known in (*config.interests.values(), *config.interests)}
    close = get_close_matches(name.casefold(), known, n=1)
    hint = f"Did you mean “{known[close[0]]}”?" if close else nearest(name, config.interests)
    return f"unknown topic “{name}”. {hint}"
