"""CSV in, a report per line out (DESIGN section 5).

One transaction: with any bad line nothing is imported and every bad line is named, unless bad lines are to be
skipped. Memory does not grow with the file: lines go to a temporary table in batches, mistakes to a callback.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mailer.audience import addresses
from mailer.config import Config
from mailer.errors import InputError, nearest
from mailer.models import Problem, Subscriber
from mailer.store.base import Audience, Import, Newcomer
from mailer.tokens import Tokens

BATCH = 2_000
FIELD_LIMIT = 100_000  # characters; a field longer than that is a lost quote, not a name
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATES = re.compile("[\udc80-\udcff]")  # where bytes were not UTF-8
_LONGEST_NAME = 200
_OWN = ("email", "name", "interests", "language")

OnBad = Callable[[Problem, list[str]], None]  # the mistake, and the fields of its line
OnProgress = Callable[[int], None]  # bytes of the file read so far


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did. With `bad` lines and without skipping them, nothing was added."""

    lines: int
    added: int
    known: int
    kept_out: int
    bad: int


class _Undo(Exception):
    """Leaves the transaction so that nothing is kept."""


def import_csv(
    path: Path,
    shown: str,
    audience: Audience,
    config: Config,
    tokens: Tokens,
    now: str,
    *,
    skip_bad: bool = False,
    on_bad: OnBad = lambda problem, fields: None,
    on_progress: OnProgress = lambda position: None,
) -> Report:
    """Import a CSV file. Raises InputError when the file or its header cannot be read at all."""
    counts = {"lines": 0, "bad": 0, "kept_out": 0}

    def bad(line: int, text: str, fields: list[str]) -> None:
        counts["bad"] += 1
        on_bad(Problem(shown, line, text), fields)

    with _reading(path, shown) as file:
        reader = _Reader(file, shown, config, bad)
        check_suppressed = audience.has_suppressions()
        try:
            with audience.importing() as taken:
                for batch in reader.batches():
                    counts["lines"] += len(batch)
                    if check_suppressed:
                        fresh = [n for n in batch if not audience.is_suppressed(tokens.digest("address", n.key))]
                        counts["kept_out"] += len(batch) - len(fresh)
                        batch = fresh
                    _add(taken, batch, bad)
                    on_progress(file.buffer.tell())
                if counts["bad"] and not skip_bad:
                    raise _Undo
                intake = taken.finish(now)
        except _Undo:
            return Report(counts["lines"] + reader.rejected, 0, 0, 0, counts["bad"])
    return Report(
        lines=counts["lines"] + reader.rejected,
        added=intake.added,
        known=intake.known,
        kept_out=intake.kept_out + counts["kept_out"],
        bad=counts["bad"],
    )


def _add(taken: Import, batch: list[Newcomer], bad: Callable[[int, str, list[str]], None]) -> None:
    for newcomer, first in taken.add(batch):
        person = newcomer.subscriber
        fields = [person.email, person.name, ";".join(person.interests), person.language]
        bad(newcomer.line, f"“{person.email}” stands on line {first} already; keep one of the two", fields)


@contextmanager
def _reading(path: Path, shown: str) -> Generator[TextIO]:
    try:
        file = path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except FileNotFoundError:
        raise InputError([Problem(shown, 0, "there is no such file")]) from None
    except OSError as error:
        raise InputError([Problem(shown, 0, f"cannot be read: {error.strerror}")]) from None
    limit = csv.field_size_limit(FIELD_LIMIT)
    try:
        with file:
            yield file
    finally:
        csv.field_size_limit(limit)


class _Reader:
    """Lines of one file as Newcomers, in batches; mistakes go to `bad`."""

    def __init__(self, file: TextIO, shown: str, config: Config, bad: Callable[[int, str, list[str]], None]) -> None:
        self.rejected = 0
        self._bad = bad
        self._interests: Mapping[str, str] = config.interests
        self._order = config.topic_order
        self._chosen: dict[str, tuple[str, ...]] = {"": ()}
        self._languages = {"", config.newsletter.language, *config.newsletter.languages}
        header = file.readline()
        self._delimiter = max(",;\t", key=header.count)
        self._columns = _columns(header, self._delimiter, shown)
        self._csv = csv.reader(file, delimiter=self._delimiter)

    def batches(self) -> Iterator[list[Newcomer]]:
        batch: list[Newcomer] = []
        rows = self._rows()
        for line, fields in rows:
            newcomer = self._newcomer(line, fields)
            if newcomer is None:
                self.rejected += 1
                continue
            batch.append(newcomer)
            if len(batch) == BATCH:
                yield batch
                batch = []
        yield batch

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line it begins on; the header was line 1."""
        while True:
            line = self._csv.line_num + 2
            try:
                fields = next(self._csv)
            except StopIteration:
                return
            except csv.Error as error:
                self.rejected += 1
                what = str(error)
                if "field limit" in what:
                    what = f"a field is longer than {FIELD_LIMIT:,} characters; a closing quote may be missing"
                self._bad(line, what, [])
                continue
            if any(fields):
                yield line, fields

    def _newcomer(self, line: int, fields: list[str]) -> Newcomer | None:
        mistakes = list(self._mistakes_of_form(fields))
        if mistakes:
            self._bad(line, "; ".join(mistakes), fields)
            return None
        values = dict(zip(self._columns, fields, strict=True))
        address = ""
        try:
            address = addresses.normalise(values["email"].strip())
        except addresses.AddressError as error:
            given = values["email"].strip()
            mistakes.append(f"“{given[:80]}” is no address: {error}" if given else "the address is missing")
        interests = self._interests_of(values.get("interests", ""), mistakes)
        name = " ".join(values.get("name", "").split())
        if len(name) > _LONGEST_NAME:
            mistakes.append(f"the name is longer than {_LONGEST_NAME} characters")
        language = values.get("language", "").strip()
        if language not in self._languages:
            mistakes.append(f"unknown language “{language[:20]}”. {nearest(language, sorted(self._languages - {''}))}")
        if mistakes:
            self._bad(line, "; ".join(mistakes), fields)
            return None
        other = {column: value for column, value in values.items() if column not in _OWN and value}
        return Newcomer(line, addresses.key(address), Subscriber(address, name, interests, language, other))

    def _mistakes_of_form(self, fields: list[str]) -> Iterator[str]:
        if len(fields) != len(self._columns):
            sign = {"\t": "tab"}.get(self._delimiter, self._delimiter)
            yield (
                f"has {len(fields)} fields where the header has {len(self._columns)}; "
                f"put a value that holds a {sign} between double quotes"
            )
        text = "".join(fields)
        if text.isprintable() and text.isascii():
            return
        if _SURROGATES.search(text):
            yield "is not UTF-8; save the file as UTF-8"
        elif found := _CONTROLS.search(text.replace("\n", " ").replace("\r", " ").replace("\t", " ")):
            yield f"holds the control character U+{ord(found[0]):04X}; delete it"

    def _interests_of(self, text: str, mistakes: list[str]) -> tuple[str, ...]:
        """`a; b` in the configured order. Few combinations exist, so each is read once."""
        if text not in self._chosen:
            chosen = {part.strip() for part in text.split(";")} - {""}
            unknown = sorted(chosen - set(self._interests))
            if unknown:
                mistakes += [f"unknown interest “{word[:80]}”. {nearest(word, self._interests)}" for word in unknown]
                return ()
            self._chosen[text] = self._order(chosen)
        return self._chosen[text]


def _columns(header: str, delimiter: str, shown: str) -> list[str]:
    try:
        names = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError([Problem(shown, 1, f"the header cannot be read: {error}")]) from None
    columns = [name.strip().lower() for name in names]
    if not any(columns):
        raise InputError([Problem(shown, 1, "is empty; its first line names the columns, email first")])
    problems = []
    if "email" not in columns:
        what = f"has no column “email” in its header “{header.strip()[:80]}”; columns are separated by , ; or tab"
        problems.append(Problem(shown, 1, what))
    for column in sorted({column for column in columns if columns.count(column) > 1}):
        problems.append(Problem(shown, 1, f"the header names “{column}” twice; keep one"))
    if "" in columns:
        problems.append(Problem(shown, 1, "a column of the header has no name"))
    if problems:
        raise InputError(problems)
    return columns
