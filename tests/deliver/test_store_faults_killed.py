"""Killed in the middle of a transaction: the next process finds what was there before it, whole."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from sending import SLUG

# Each stands still in the middle of its transaction, with a cache so small that pages of it are in the file already.
BEGIN = """
import sys
from pathlib import Path
from mailer.models import Edition, Segment
from mailer.store import open_store

store = open_store("sqlite:mailer.db", Path(sys.argv[1]), bytes)
store._database.execute("PRAGMA cache_size = 2")

def halfway(items, at):
    for number, item in enumerate(items):
        if number == at:
            print("halfway", flush=True)
            sys.stdin.readline()
        yield item

class Halfway(list):
    def __iter__(self):
        return halfway(super().__iter__(), len(self) // 2)

"""
PLAN = """
now = "2018-12-14T08:00:00Z"
everybody = Segment((), 2_000)
nothing_left = Halfway([everybody, Segment(("cooperatives",), 0)])
store.sendlog.freeze("2019-02", {"digest": "x" * 5_000}, [Edition("0123456789ab", ("all",), ())], nothing_left, now)
"""
CLAIM = """
claims = store.sendlog.claim("2019-01", 2_000, "2018-12-14T08:00:00Z")
store.sendlog.release("2019-01", halfway(claims, 1_000))
"""


@pytest.fixture
def planned(office):
    """A plan for 2,000 people, in a store that nobody has open."""
    office.subscribe(count=0)
    room = office.room()
    with room.store._database.atomic():
        room.store._database.executemany(
            "INSERT INTO subscribers (email, email_key, created_at, changed_at) VALUES (?, ?, '', '')",
            ((f"r{number}@example.org", f"r{number}@example.org") for number in range(2_000)),
        )
    office.plan()
    office.close()
    return office


def kill_halfway(office, code):
    """Run it until it stands in the middle of its transaction, then kill it."""
    folder = office.root / "subscribers"
    command = [sys.executable, "-c", BEGIN + code, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "halfway\n"
        written = (folder / "mailer.db-wal").stat().st_size
        process.kill()
    with closing(sqlite3.connect(folder / "mailer.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return written


def test_a_plan_cut_short_leaves_no_plan(planned):
    """2,000 of its rows were written; the next process sees none of them, and may plan."""
    assert kill_halfway(planned, PLAN) > 40_000
    log = planned.room().store.sendlog
    assert [plan.issue for plan in log.plans()] == [SLUG]
    assert log.balance(SLUG).audience == 2_000
    counted = planned.room().store._database.execute("SELECT COUNT(*), COUNT(DISTINCT send_id) FROM deliveries")
    assert counted.fetchone() == (2_000, 1)


def test_a_change_of_many_rows_cut_short_changes_none(planned):
    assert kill_halfway(planned, CLAIM) > 40_000
    log = planned.room().store.sendlog
    assert log.balance(SLUG).claimed == 2_000  # not 1,000
    assert log.recover(SLUG, "2018-12-14T09:00:00Z") == 0  # nothing of it was offered, so nothing is unknown
    assert log.balance(SLUG).queued == 2_000
