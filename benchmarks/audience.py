"""A million subscribers, measured: importing a CSV file against sqlite-utils, freezing an audience against bare SQL.

    python benchmarks/audience.py [--lines N] [--rounds N] [--quick]

Import: both run as processes of their own, from start to end, on the same file into a new database. Ours checks every
address, interest and language and finds duplicates; `sqlite-utils insert --csv` stores what it reads.
Freeze: both write a row a person into an equal copy of the store; the bare statement gives everybody one edition.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import measure
from measure import checked, in_turn, judged, machine

from mailer.audience.intake import import_csv
from mailer.compose.composition import Composition
from mailer.compose.editions import key, select
from mailer.deliver import plan
from mailer.newsroom import Newsroom
from mailer.store import open_store

ROOT = Path(__file__).parent.parent
SLUG = "2018-12"
SEED = 2018
NOW = "2018-12-14T08:00:00Z"
MOST_MEMORY = 150  # megabytes, whatever the file's length
_DOMAINS = 2_000
_GIVEN = (
    "Amina Bruno Chiara Dmitri Eun-ji Fátima Goran Hélène Inés Jürgen Ayşe Kofi Li Łucja Mehmet Ngozi Søren".split()
)
_GIVEN += "أحمد زينب Мария Νίκος 美咲 Olga Pedro Quyên Rosa Sanjay Tove Umar Vera Wei Xola Yusuf Zoë".split()
_FAMILY = "Alvarez Bianchi Costa D'Souza Eriksen Ferreira García Haddad Ivanova Johnson Kowalski Lindqvist".split()
_FAMILY += "Müller Nguyễn Okafor Peña Quispe Rossi Schmidt Tanaka Usman Vargas Wong Yılmaz Zhang 田中 الموسوي".split()


def main() -> None:
    if sys.argv[1:2] == ["import"]:
        _import(Path(sys.argv[2]), Path(sys.argv[3]))
        return
    options = _options()
    print(machine("sqlite-utils", "email-validator"))
    print(f"sqlite    {sqlite3.sqlite_version}")
    newsroom = Newsroom.open(ROOT, {"MAILER_SECRET_KEY": "a key for benchmarks only"})
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        file = scratch / "subscribers.csv"
        chosen = write_csv(file, list(newsroom.config.interests), options.lines)
        print(f"file      {options.lines:,} lines, {file.stat().st_size / 1e6:.0f} MB, seed {SEED}")
        print(f"times     medians of rounds in turn (fastest to slowest){measure.QUICK * options.quick}")
        store = importing(file, options.lines, options.rounds or 3, scratch)
        freezing(newsroom.compose(SLUG), store, chosen, options.rounds or 5, scratch)


def write_csv(file: Path, topics: list[str], lines: int) -> Counter[tuple[str, ...]]:
    """A realistic list: every combination of interests, 2,000 domains, names of many scripts, a tenth without."""
    chance = random.Random(SEED)
    domains = [f"mail{number}.example.{chance.choice(('org', 'com', 'net'))}" for number in range(_DOMAINS)]
    combinations = [tuple(itertools.compress(topics, bits)) for bits in itertools.product((0, 1), repeat=len(topics))]
    languages = ["en", "en", "en", "fr", "es", "ar", ""]
    chosen: Counter[tuple[str, ...]] = Counter()
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("email", "name", "interests", "language"))
        for number in range(lines):
            interests = chance.choice(combinations)
            chosen[interests] += 1
            name = f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}" if chance.random() < 0.9 else ""
            address = (
                f"{chance.choice(('reader', 'j.smith', 'Info', 'a+news', 'k_lee'))}{number}@{chance.choice(domains)}"
            )
            writer.writerow((address, name, ";".join(interests), chance.choice(languages)))
    return chosen


@dataclass(slots=True)
class Process:
    """Runs a command from start to end; keeps the most memory it held, in megabytes."""

    command: list[str]
    memory: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        began = perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        took = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(self.command)} ended with code {process.returncode}")
        self.memory.append(usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2))  # KiB; bytes on macOS
        return took


def importing(file: Path, lines: int, rounds: int, scratch: Path) -> Path:
    """CSV in: both as processes. Returns our store."""
    print(f"\nImporting {lines:,} lines, {rounds} rounds")
    store, peer = scratch / "mailer.db", scratch / "peer.db"
    ours = Process([sys.executable, __file__, "import", str(file), str(store)])
    theirs = Process([sys.executable, "-m", "sqlite_utils", "insert", str(peer), "subscribers", str(file), "--csv"])

    def fresh(process: Process, database: Path) -> float:
        for path in database.parent.glob(f"{database.name}*"):
            path.unlink()
        return process()

    first, second = in_turn(
        rounds,
        0,
        {
            "mailer: checked, normalised, duplicates found": lambda: fresh(ours, store),
            "sqlite-utils insert --csv": lambda: fresh(theirs, peer),
        },
    )
    for timing, process in ((first, ours), (second, theirs)):
        print(f"{timing.row()}   {max(process.memory):.0f} MB")
    print(f"     for information: {lines / first.median:,.0f} lines a second")
    print(judged("mailer takes", first.median / second.median, 3, "times as long as sqlite-utils", at_most=True))
    print(judged("mailer holds", max(ours.memory), MOST_MEMORY, "MB at the most", at_most=True))
    kept = [_count(store), _count(peer)]
    checked(kept == [lines, lines], f"both databases hold {lines:,} subscribers")
    return store


def freezing(
    composition: Composition, store: Path, chosen: Counter[tuple[str, ...]], rounds: int, scratch: Path
) -> None:
    """A row a person: deliver.plan.freeze, against one bare INSERT ... SELECT of as many rows."""
    lines = chosen.total()
    print(f"\nFreezing an audience of {lines:,}, {rounds} rounds")
    ours, bare = scratch / "ours.db", scratch / "bare.db"

    def freeze() -> float:
        _copy(store, ours)
        with closing(open_store(f"sqlite:{ours}", scratch, bytes)) as opened:
            began = perf_counter()
            plan.freeze(composition, opened, NOW)
            return perf_counter() - began

    def insert() -> float:
        _copy(store, bare)
        with closing(sqlite3.connect(bare, isolation_level=None)) as database:
            _prepare_bare(database)
            began = perf_counter()
            database.execute(
                "INSERT INTO bare (send_id, subscriber_id, edition_id, state)"
                " SELECT 1, id, 1, 'queued' FROM subscribers WHERE state = 'active'"
            )
            return perf_counter() - began

    first, second = in_turn(
        rounds,
        0,
        {"mailer: grouped, edition looked up, fingerprint": freeze, "bare INSERT ... SELECT of one edition": insert},
    )
    print(first.row())
    print(second.row())
    print(judged("freezing takes", first.median / second.median, 3, "times as long as the bare insert", at_most=True))
    expected: Counter[str] = Counter()
    for interests, count in chosen.items():
        expected[key(select(composition.issue, interests))] += count
    with closing(sqlite3.connect(ours)) as database:
        found = dict(
            database.execute(
                "SELECT e.key, COUNT(*) FROM deliveries d JOIN editions e ON e.id = d.edition_id"
                " WHERE d.state = 'queued' GROUP BY e.key"
            )
        )
    with closing(sqlite3.connect(bare)) as database:
        written = database.execute("SELECT COUNT(*) FROM bare").fetchone()[0]
    checked(
        written == lines and found == dict(expected), f"{lines:,} rows each; {len(found)} editions, counts as chosen"
    )


def _import(file: Path, database: Path) -> None:
    """Our side of the import, in a process of its own."""
    newsroom = Newsroom.open(ROOT, {"MAILER_SECRET_KEY": "a key for benchmarks only"})
    with closing(open_store(f"sqlite:{database}", database.parent, lambda: newsroom.tokens.derive("journal"))) as store:
        report = import_csv(file, file.name, store.audience, newsroom.config, newsroom.tokens, NOW)
    if report.bad or report.added != report.lines:
        sys.exit(f"the import went wrong: {report}")


def _prepare_bare(database: sqlite3.Connection) -> None:
    """The columns, key and settings of our table of deliveries, without its constraints and indexes."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "temp_store=FILE"):
        database.execute(f"PRAGMA {pragma}")
    columns = ", ".join(_columns(database))
    database.execute(f"CREATE TABLE bare ({columns}, PRIMARY KEY (send_id, subscriber_id)) WITHOUT ROWID")


def _columns(database: sqlite3.Connection) -> Iterator[str]:
    for _, name, kind, required, default, _ in database.execute("PRAGMA table_info(deliveries)"):
        yield f"{name} {kind}{' NOT NULL' * required}" + (f" DEFAULT {default}" if default is not None else "")


def _copy(source: Path, target: Path) -> None:
    for path in target.parent.glob(f"{target.name}*"):
        path.unlink()
    shutil.copyfile(source, target)


def _count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as opened:
        return int(opened.execute("SELECT COUNT(*) FROM subscribers").fetchone()[0])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--lines", type=int, default=1_000_000, help="subscribers in the file")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each (default: 3 imports, 5 freezes)")
    parser.add_argument("--quick", action="store_true", help="2,000 lines, one round, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.lines, options.rounds = 2_000, 1
    return options


if __name__ == "__main__":
    main()
