"""A planned issue that can be sent again and again, each time by a process of its own, which this file is too.

python benchmarks/outbox.py NEWSROOM PORT CONNECTIONS
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter, process_time

from audience import write_csv
from sink import HOST, Sink

from mailer.audience.intake import import_csv
from mailer.cli import loop
from mailer.compose.composition import Composition
from mailer.compose.editions import select
from mailer.deliver import plan
from mailer.deliver.run import Run
from mailer.models import Subscriber
from mailer.newsroom import Newsroom, clock
from mailer.store import open_store
from mailer.times import timestamp

ROOT = Path(__file__).parent.parent
SLUG = "2018-12"
KEY = {"MAILER_SECRET_KEY": "a key for benchmarks only"}
_DATE = "Fri, 14 Dec 2018 08:00:00 +0000"
_SHORT = "\n---\n\nA word of welcome.\n\n# News\n\n## One story for everybody\n\nIt is short.\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """What one send took, and what its balance says."""

    seconds: float
    cpu: float
    cpu_before: float  # of the process, from its start to the first claim
    memory: float  # the most, in megabytes
    accepted: int
    audience: int
    open: int
    whole: float = 0.0  # seconds from the start of the process to its end


def one_send(folder: Path, port: int, connections: int) -> Sent:
    """In a process of its own: send a planned issue."""
    with closing(Newsroom.open(folder, KEY | {"MAILER_SMTP_URL": f"smtp://{HOST}:{port}"})) as newsroom:
        composition, sendlog = newsroom.compose(SLUG), newsroom.store.sendlog
        with sendlog.lock(SLUG):
            relay = replace(newsroom.relay, connections=connections)
            job = replace(newsroom.job(composition), relays=(relay,))
            began, busy = perf_counter(), process_time()
            balance = loop.run(Run(job, sendlog, clock).go(wait=False))
            took, used = perf_counter() - began, process_time() - busy
    return Sent(took, used, busy, _peak(), balance.accepted, balance.audience, balance.open)


@dataclass(frozen=True, slots=True)
class Desk:
    """A newsroom with invented readers and a planned issue, kept so that it can be sent again and again."""

    newsroom: Newsroom
    composition: Composition
    planned: Path  # the store as it was before the first send
    recipients: int
    size: int  # of a mean message, in bytes

    @classmethod
    def make(cls, folder: Path, recipients: int, *, short: bool = False, embed: bool = False) -> Desk:
        """The real issue; with `short` one story of it is left, with `embed` its pictures travel in the mail."""
        for name in ("templates", f"issues/{SLUG}"):
            shutil.copytree(ROOT / name, folder / name)
        config = (ROOT / "pyproject.toml").read_text("utf-8")
        table_ = "[tool.mailer.newsletter]\n"
        (folder / "pyproject.toml").write_text(config.replace(table_, f'{table_}images = "embed"\n' * embed or table_))
        if short:
            issue = folder / "issues" / SLUG / "issue.md"
            issue.write_text(issue.read_text("utf-8").partition("\n---\n")[0] + _SHORT, "utf-8")
        with closing(Newsroom.open(folder, KEY)) as newsroom:
            people = folder / "people.csv"
            write_csv(people, list(newsroom.config.interests), recipients)
            now, readers = timestamp(clock()), newsroom.store.audience
            import_csv(people, people.name, readers, newsroom.config, newsroom.tokens, now)
            composition = newsroom.compose(SLUG)
            plan.freeze(composition, newsroom.store, now)
            personaliser = composition.personaliser(newsroom.tokens)
            sizes = [
                len(composition.template(select(composition.issue, person.interests)).fill(personal, _DATE))
                for person in readers.all()
                for personal in [personaliser.personal(person)]
            ]
        planned = folder / "planned.db"
        (folder / "subscribers" / "mailer.db").rename(planned)
        return cls(newsroom, composition, planned, recipients, round(statistics.mean(sizes)))

    def readers(self) -> list[Subscriber]:
        """Everybody it is planned for."""
        with closing(open_store(f"sqlite:{self.planned}", self.planned.parent, bytes)) as store:
            return list(store.audience.all())

    def send(self, sink: Sink, connections: int) -> Sent:
        """Send it, from the plan on. Ends the run when not everybody got it: fast must not be by sending less."""
        store = self.newsroom.root / "subscribers" / "mailer.db"
        for path in store.parent.glob(f"{store.name}*"):
            path.unlink()
        shutil.copyfile(self.planned, store)
        with store.open("rb+") as written:
            os.fsync(written)  # a real plan has long been on the disk: our first checkpoint must not wait for this copy
        command = [sys.executable, __file__, str(self.newsroom.root), str(sink.port), str(connections)]
        taken = sink.messages
        began = perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        sent = replace(Sent(**json.loads(done.stdout)), whole=perf_counter() - began)
        everybody = self.recipients
        right = (sent.accepted, sent.audience, sent.open, sink.messages - taken) == (everybody, everybody, 0, everybody)
        if not right:
            sys.exit(f"WRONG RESULT: the sink took {sink.messages - taken} of {everybody}, and the log says {sent}")
        return sent


def _peak() -> float:
    """The most memory of this process, in megabytes. ru_maxrss would begin with that of the process it came from."""
    try:
        rows = Path("/proc/self/status").read_text("ascii").splitlines()
        return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            1024 if os.uname().sysname != "Darwin" else 1024**2
        )


if __name__ == "__main__":
    print(json.dumps(asdict(one_send(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))))
