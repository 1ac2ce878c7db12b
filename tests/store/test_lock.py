"""Who sends an issue: asked by others all the while."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from smtp_relay import PATIENCE

from mailer.errors import Busy
from mailer.store.lock import SendLocks

ISSUE = "2019-01"
_ASK = """\
import sys
from pathlib import Path
from mailer.store.lock import SendLocks
locks = SendLocks(Path(sys.argv[1]))
assert locks.holder(sys.argv[2]) is None
print("asking", flush=True)
while True:
    locks.holder(sys.argv[2])
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "mailer.db"


def test_a_send_begins_while_others_ask_who_sends(database):
    """`status`, `log`, `stop` and the metrics ask in processes of their own; none of them is a send."""
    locks = SendLocks(database)
    with locks.hold(ISSUE):
        pass
    command = [sys.executable, "-c", _ASK, str(database), ISSUE]
    asking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for process in asking:
            assert process.stdout.readline() == "asking\n"
        for _ in range(3_000):
            with locks.hold(ISSUE):
                pass
        assert [process.poll() for process in asking] == [None, None]
    finally:
        for process in asking:
            process.kill()
            process.communicate()


def _hold(database: Path, held: Event, over: Event) -> None:
    with SendLocks(database).hold(ISSUE):
        held.set()
        over.wait(PATIENCE)


def test_the_holder_is_named_while_it_holds_and_nobody_afterwards(database):
    locks, context = SendLocks(database), multiprocessing.get_context("spawn")
    assert locks.holder(ISSUE) is None
    held, over = context.Event(), context.Event()
    sending = context.Process(target=_hold, args=(database, held, over))
    sending.start()
    try:
        assert held.wait(PATIENCE)
        assert locks.holder(ISSUE) == sending.pid
        with pytest.raises(Busy, match=f"is being sent by process {sending.pid}\\."), locks.hold(ISSUE):
            pytest.fail("two processes hold it")
    finally:
        over.set()
        sending.join(PATIENCE)
    assert sending.exitcode == 0
    assert locks.holder(ISSUE) is None
    with locks.hold(ISSUE):
        assert locks.holder(ISSUE) == os.getpid()
