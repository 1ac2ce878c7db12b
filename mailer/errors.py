"""Everything that can go wrong, as one tree.

    MailerError                     exit 1
     |- InputError                  a file is wrong: every mistake with file, line and how to mend it
     |- ConfigError                 the configuration is wrong, listed the same way
     |- NotFound                    no such newsroom, issue or subscriber
     |- BadLink                     a signed link is not genuine, or changed on its way
     |- ExpiredLink                 a signed link was genuine, and its time is over
     |- PlanChanged                 the issue is not what was planned; says what changed
     |- Busy                        another process sends this issue; names it
     |- StoreError                  the database cannot be opened, read or written
     |- TooManyRefusals             exit 3: the circuit breaker paused the issue; says why
     `- RelayError                  exit 4: the relay could not be used; nothing is lost

The class docstring is the default message, so that an error is worded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar

from mailer.models import Problem


class MailerError(Exception):
    """Something went wrong."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").partition("\n")[0])


class InputError(MailerError):
    """The input is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigError(InputError):
    """The configuration is wrong."""


class NotFound(MailerError):
    """There is no such thing here."""


class BadLink(MailerError):
    """This link is not complete. Copy all of it from the mail, or use the link of a later mail."""


class ExpiredLink(MailerError):
    """The time of this link is over. Ask for a new mail."""


class PlanChanged(MailerError):
    """The issue has changed since it was planned."""


class Busy(MailerError):
    """Another process is sending this issue."""


class StoreError(MailerError):
    """The database could not be used."""


class TooManyRefusals(MailerError):
    """The issue is paused, because too many were refused."""

    exit_code: ClassVar[int] = 3


class RelayError(MailerError):
    """The relay could not be used."""

    exit_code: ClassVar[int] = 4


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that leads from an unknown word to a known one: `Did you mean "topics"?`, or the list."""
    words = list(known)
    if not words:
        return "There is none yet."
    close = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    return f"Did you mean “{close[0]}”?" if close else f"Known are: {', '.join(words)}."
