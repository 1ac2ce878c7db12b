"""What somebody typed about themselves -> values fit to be kept. Each raises MailerError, which says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.audience import addresses, names
from mailer.audience import interests as interests_
from mailer.errors import MailerError, nearest
from mailer.settings import Config


def name(address: str, typed: str) -> str:
    """One line, printable, not too long."""
    try:
        return names.tidy(typed)
    except ValueError as error:
        raise MailerError(f"“{address}”: {error}") from None


def interests(config: Config, words: Iterable[str]) -> tuple[str, ...]:
    """Ids in the configured order, from ids or labels."""
    chosen, mistakes = interests_.read(words, config)
    if mistakes:
        raise MailerError(mistakes[0])
    return chosen


def language(config: Config, typed: str) -> str:
    """A language of the newsletter, or none."""
    languages = [config.newsletter.language, *config.newsletter.languages]
    if typed and typed not in languages:
        raise MailerError(f"unknown language “{typed}”. {nearest(typed, languages)}")
    return typed


def address(typed: str) -> str:
    """Normalised."""
    try:
        return addresses.normalise(typed.strip())
    except addresses.AddressError as error:
        raise MailerError(f"“{typed}” is no address: {error}") from None
