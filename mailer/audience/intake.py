"""CSV in, a report per line out (DESIGN section 5).

One transaction: with any bad line nothing is imported and every bad line is named, unless bad lines are to be
skipped. Memory does not grow with the file: people go to a temporary table in batches, mistakes to a callback.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TextIO

from mailer.audience import addresses
from mailer.audience.columns import REJECTS
from mailer.audience.reading import LONGEST_FIELD, PeopleFile, Record
from mailer.errors import InputError, MailerError
from mailer.models import Problem
from mailer.settings import Config
from mailer.store.base import Audience, Newcomer
from mailer.tokens import Tokens

BATCH = 2_000
_ZIP = b"PK\x03\x04"  # what an .xlsx begins with


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did. With `bad` lines that were not skipped, nothing was added."""

    lines: int
    bad: int
    added: int = 0
    known: int = 0
    kept_out: int = 0
    without_interests: int = 0  # of those added; they get the whole issue
    unused_columns: tuple[str, ...] = ()  # kept as personal fields
    rejects: Path | None = None  # where skipped lines were written


def import_csv(
    path: Path,
    shown: str,
    audience: Audience,
    config: Config,
    tokens: Tokens,
    now: str,
    *,
    source: str = "",
    skip_bad: bool = False,
    on_bad: Callable[[Problem], None] = lambda problem: None,
    on_progress: Callable[[int], None] = lambda position: None,
) -> Report:
    """Import a CSV file; `source` says where the consent comes from, `on_progress` gets the bytes read so far.

    Raises InputError when the file or its header cannot be read at all.
    """
    lines = bad = 0
    with ExitStack() as stack:
        file = stack.enter_context(_reading(path, shown))
        people = PeopleFile(file, shown, config)
        rejects = stack.enter_context(_Rejects(path, people))
        taken = stack.enter_context(audience.importing())
        for batch in _batches(people):
            again = taken.add([_newcomer(record, tokens) for record in batch if record.subscriber])
            for record in batch:
                mistakes = record.mistakes
                if record.subscriber and record.line in again:
                    email, first = record.subscriber.email, again[record.line]
                    mistakes = f"“{email}” stands on line {first} already; keep one of the two"
                if mistakes:
                    bad += 1
                    on_bad(Problem(shown, record.line, mistakes))
                    if skip_bad:
                        rejects.write(record, mistakes)
            lines += len(batch)
            on_progress(file.buffer.tell())
        if not lines:
            raise InputError([Problem(shown, 1, "is a header with nobody below it")])
        if bad and not skip_bad:
            return Report(lines, bad)
        done = taken.finish(now, source)
    counts = (done.added, done.known, done.kept_out, done.without_interests)
    return Report(lines, bad, *counts, people.personal, rejects.path)


def _newcomer(record: Record, tokens: Tokens) -> Newcomer:
    assert record.subscriber
    key = addresses.key(record.subscriber.email)
    return Newcomer(record.line, key, tokens.digest("address", key), record.subscriber)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    iterator = iter(records)
    while batch := list(islice(iterator, BATCH)):
        yield batch


@contextmanager
def _reading(path: Path, shown: str) -> Generator[TextIO]:
    try:
        binary = path.open("rb")
    except FileNotFoundError:
        raise InputError([Problem(shown, 0, "there is no such file")]) from None
    except OSError as error:
        raise InputError([Problem(shown, 0, f"cannot be read: {error.strerror}")]) from None
    limit = csv.field_size_limit(LONGEST_FIELD)
    try:
        with binary, TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            if binary.peek(len(_ZIP)).startswith(_ZIP):
                raise InputError([Problem(shown, 0, "is an Excel workbook; save it as CSV UTF-8")])
            yield file
    finally:
        csv.field_size_limit(limit)


class _Rejects:
    """Rejected lines in a file of their own beside the input, which can be mended and imported.

    Made with the first of them, and never over another: somebody may have mended half of it.
    """

    def __init__(self, source: Path, people: PeopleFile) -> None:
        self.path: Path | None = None
        self._source = source
        self._people = people
        self._stack = ExitStack()
        # Rejects of rejects say only what is wrong now.
        self._skip = len(REJECTS) if tuple(people.columns[: len(REJECTS)]) == REJECTS else 0

    def __enter__(self) -> _Rejects:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._stack.close()
        if kind and self.path:  # nothing was imported, so nothing was rejected
            self.path.unlink(missing_ok=True)

    def write(self, record: Record, mistakes: str) -> None:
        """Add a line: its number, what is wrong with it, and its fields as they were."""
        if not self.path:
            self._open()
        self._writer.writerow([record.line, mistakes, *(record.fields[self._skip :] or record.fields)])

    def _open(self) -> None:
        number = 1
        while True:
            path = self._source.with_name(f"{self._source.stem}.rejected{f'-{number}' if number > 1 else ''}.csv")
            try:
                file = path.open("x", encoding="utf-8", errors="surrogateescape", newline="")
                break
            except FileExistsError:
                number += 1
            except OSError as error:
                raise MailerError(f"rejected lines cannot be written to {path}: {error.strerror}") from None
        self.path = path
        self._stack.enter_context(file)
        self._writer = csv.writer(file, delimiter=self._people.delimiter, lineterminator="\n")
        self._writer.writerow([*REJECTS, *self._people.columns[self._skip :]])
