"""An audience of one's own: a store in memory, and files imported into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conftest import ROOT, SECRET

from mailer.audience import addresses
from mailer.audience.intake import Report, import_csv
from mailer.errors import InputError
from mailer.models import Subscriber
from mailer.newsroom import Newsroom
from mailer.store import SqliteStore
from mailer.store.sqlite import open_database
from mailer.tokens import Tokens

NOW = "2018-12-14T08:00:00Z"
CONFIG = Newsroom.open(ROOT, {}).config
TOKENS = Tokens(CONFIG.newsletter.list_id, SECRET.encode())
NOTHING = Report(lines=0, bad=0)


def new_store() -> SqliteStore:
    """An empty store that lives as long as it is used."""
    memory = Path(":memory:")
    return SqliteStore(open_database(memory), memory, lambda: TOKENS.derive("journal"))


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import said and did; the report is NOTHING when the file could not be read at all."""

    report: Report
    problems: list[str]
    store: SqliteStore

    @property
    def people(self) -> list[Subscriber]:
        """Everybody in the store, without what the store adds to them."""
        return [replace(person, id=0, changed_at="") for person in self.store.audience.all()]


def import_file(path: Path, store: SqliteStore | None = None, **options: Any) -> Imported:
    """Import into an empty store, or into this one."""
    store = store or new_store()
    problems: list[str] = []
    try:
        report = import_csv(
            *(path, path.name, store.audience, CONFIG, TOKENS, NOW),
            on_bad=lambda problem: problems.append(str(problem)),
            **options,
        )
    except InputError as error:
        assert not problems
        return Imported(NOTHING, [str(problem) for problem in error.problems], store)
    return Imported(report, problems, store)


def subscribe(store: SqliteStore, *people: Subscriber | str) -> list[int]:
    """Put people into the store; returns their numbers."""
    everybody = [Subscriber(person) if isinstance(person, str) else person for person in people]
    return [store.audience.insert(person, addresses.key(person.email), NOW) for person in everybody]
