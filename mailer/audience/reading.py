"""A CSV file of people, record by record: each a checked Subscriber, or what is wrong with its line (DESIGN section 5).

    for record in PeopleFile(file, "people.csv", config): ...

Nothing here grows with the file: lines, fields and what is remembered of them have limits.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TextIO

from mailer.audience import addresses, columns, interests, names
from mailer.errors import InputError, nearest
from mailer.models import Problem, Subscriber, SubscriberState
from mailer.settings import Config

LONGEST_FIELD = 100_000  # characters; a longer field is a lost quote, not a name
LONGEST_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the file. `line` is where it begins, `mistakes` is empty when it gave a subscriber."""

    line: int
    fields: list[str]
    subscriber: Subscriber | None
    mistakes: str = ""


class _Lines:
    """The lines of a file, counted, with those of the record at hand; none longer than LONGEST_LINE."""

    def __init__(self, file: TextIO) -> None:
        self.number = 0
        self.at_hand: list[str] = []
        self._file = file

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.at_hand.append(line)
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            while (more := self._file.readline(LONGEST_LINE)) and more[-1] not in "\r\n":
                pass
            raise csv.Error(f"the line is longer than {LONGEST_LINE:,} characters")
        return line


class PeopleFile:
    """An open file, its header read. Raises InputError when that cannot be understood."""

    def __init__(self, file: TextIO, shown: str, config: Config) -> None:
        self._lines = _Lines(file)
        self._languages = {config.newsletter.language, *config.newsletter.languages}
        self._config = config
        self._interests = lru_cache(maxsize=1024)(self._interests_of)  # few combinations exist: each is read once
        try:
            header = next(self._lines, "")
            self.delimiter = max(",;\t", key=re.sub('"[^"]*"', "", header).count)
            self._csv = csv.reader(chain([header], self._lines), delimiter=self.delimiter, strict=True)
            self.columns = [name.strip().lower() for name in next(self._csv, [])]
        except csv.Error as error:
            raise InputError([Problem(shown, 1, self._explained(1, str(error)))]) from None
        if mistakes := columns.mistakes(self.columns, header.strip()[:80]):
            raise InputError([Problem(shown, 1, mistake) for mistake in mistakes])
        self.personal = columns.personal(self.columns)

    def __iter__(self) -> Iterator[Record]:
        while True:
            self._lines.at_hand.clear()
            line = self._lines.number + 1
            try:
                fields = next(self._csv)
            except StopIteration:
                return
            except csv.Error as error:
                text = "".join(self._lines.at_hand).rstrip("\r\n")
                yield Record(line, [text], None, self._explained(line, str(error)))
                continue
            if any(fields):
                yield self._record(line, fields)

    def _explained(self, line: int, error: str) -> str:
        last = self._lines.number
        where = f" (read as one value up to line {last})" if last > line else ""
        if "unexpected end" in error:
            return f"opens a double quote that is never closed{where}"
        if "field limit" in error:
            return f"has a value longer than {LONGEST_FIELD:,} characters{where}; a closing quote may be missing"
        if "expected after" in error:
            return f"has text after a closing double quote{where}; inside a quoted value a quote is written twice"
        return error

    def _record(self, line: int, fields: list[str]) -> Record:
        if mistakes := self._mistakes_of_form(fields):
            return Record(line, fields, None, _joined(mistakes))
        values = dict(zip(self.columns, fields, strict=True))
        email, name = "", ""
        given = " ".join(values["email"].split())
        try:
            email = addresses.normalise(given)
        except addresses.AddressError as error:
            mistakes.append(f"“{given[:80]}” is no address: {error}" if given else "the address is missing")
        try:
            name = names.tidy(values.get("name", ""))
        except ValueError as error:
            mistakes.append(str(error))
        chosen, unknown = self._interests(values.get("interests", ""))
        mistakes += unknown
        language = values.get("language", "").strip()
        if language and language not in self._languages:
            mistakes.append(f"unknown language “{language[:20]}”. {nearest(language, sorted(self._languages))}")
        state = values.get("state", "").strip() or SubscriberState.ACTIVE
        if state not in tuple(SubscriberState):
            mistakes.append(f"unknown state “{state[:20]}”. {nearest(state, tuple(SubscriberState))}")
        if mistakes:
            return Record(line, fields, None, _joined(mistakes))
        other = {column: values[column] for column in self.personal if values[column]}
        person = Subscriber(email, name, chosen, language, other, SubscriberState(state))
        return Record(line, fields, person)

    def _interests_of(self, text: str) -> tuple[tuple[str, ...], list[str]]:
        """`b; a` as ("a", "b") in the configured order, and what is wrong with it."""
        return interests.read(text.split(";"), self._config)

    def _mistakes_of_form(self, fields: list[str]) -> list[str]:
        mistakes = []
        if len(fields) != len(self.columns):
            sign = {"\t": "tab"}.get(self.delimiter, self.delimiter)
            mistakes.append(
                f"has {len(fields)} field{'s' if len(fields) > 1 else ''} where the header has {len(self.columns)}; "
                f"put a value that holds a {sign} between double quotes"
            )
        if trouble := names.unprintable("".join(fields)):
            mistakes.append(trouble)
        return mistakes


def _joined(mistakes: list[str]) -> str:
    return "; ".join(mistake.rstrip(".") for mistake in mistakes)
