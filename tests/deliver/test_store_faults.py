"""The database fails in the middle of a send: it stops, says why, and what went out is in the log or named as unknown.

The faults are the system's own: a limit on the size of files, rights, another process that holds the lock, kill -9.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from sending import SLUG, finish, parsed
from smtp_relay import Gate, Relay

from mailer.deliver.run import Run
from mailer.errors import StoreError

HOLD_THE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""
# Root may write whatever the rights say; without this power it may not.
AS_ANYBODY = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def database(office):
    return office.root / "subscribers" / "mailer.db"


@contextmanager
def locked(path):
    """Another process writes, and does not come to an end."""
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


def account(office, relay, everybody):
    """After sending on to the end: everybody got it once at most, and who is not accepted is unknown. Returns these."""
    office.run("send", SLUG, "--yes")
    received, states = Counter(relay.received), office.states()
    assert set(received.values()) == {1}
    unknown = sorted(who for who, state in states.items() if state == "unknown")
    assert states == {who: "unknown" if who in unknown else "accepted" for who in everybody}
    assert set(everybody) - set(unknown) <= set(received)
    return unknown


@pytest.mark.parametrize("connections", [1, 4])
def test_a_full_disk_stops_the_send_and_nothing_goes_out_that_cannot_be_recorded(office, connections):
    """From the gate on no file of the process may grow (RLIMIT_FSIZE), so that no transaction finds room."""
    gate = Gate()
    with Relay({"content": ["250 Ok"] * 5 + [gate]}) as relay:
        office.use(relay, connections=connections)
        everybody = office.subscribe(count=40)
        process = office.start("send", SLUG, "--yes")
        relay.wait_for(lambda: len(relay.mails) == 5 + connections)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        gate.open()
        answer = finish(process)
        assert answer.code == 1
        assert answer.err.endswith(
            f"Error: {database(office)}: disk I/O error. Look at the disk: it may be full, or damaged. "
            f"The sending has stopped. When that is mended, go on with: mailer send {SLUG}\n"
        )
        assert len(relay.mails) == 5 + connections
        relay.follow({})
        assert len(account(office, relay, everybody)) == connections


def test_a_database_without_room_for_another_page_stops_the_send(office, clock):
    """SQLITE_FULL itself. The plan is there; a row that grows by its reply needs a page that may not be had."""
    with Relay({"content": ["250 2.0.0 " + "Ok " * 300]}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=40)
        room = office.plan()
        run = Run(room.job(room.compose(SLUG)), room.store.sendlog, clock)
        (pages,) = room.store._database.execute("PRAGMA page_count").fetchone()
        room.store._database.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match=r"is full. Make space on the disk, then try again"):
            asyncio.run(run.go(wait=False))
        assert 0 < len(relay.mails) < 40
        room.close()
        assert len(account(office, relay, everybody)) == 1


@pytest.mark.parametrize("place", ["mailer.db", "."], ids=["file", "folder"])
def test_a_read_only_database_sends_nothing_and_says_so(office, place):
    with Relay() as relay:
        office.use(relay)
        everybody = office.subscribe(count=3)
        office.plan()
        office.close()
        with read_only(database(office).parent / place):
            answer = send_as_anybody(office)
        assert (answer.returncode, relay.connections) == (1, 0)
        told = "attempt to write a readonly database. Look at the rights of the file and its folder"
        assert answer.stderr.endswith(f"Error: {database(office)}: {told}\n")
        assert account(office, relay, everybody) == []


def test_a_folder_where_the_lock_of_an_issue_cannot_be_made_sends_nothing_and_says_so(office):
    """The database is open elsewhere, so that its own files beside it are there already."""
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=3)
        office.plan()
        with read_only(database(office).parent):
            answer = send_as_anybody(office)
        assert (answer.returncode, relay.connections) == (1, 0)
    lock = database(office).with_name(f".mailer.db.{SLUG}.lock")
    assert (
        answer.stderr
        == f"Error: {lock}: Permission denied. Look at the rights of its folder and the space on the disk\n"
    )


@contextmanager
def read_only(path):
    """Nobody may write there."""
    rights = path.stat().st_mode
    path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        path.chmod(rights)


def send_as_anybody(office):
    """`mailer send` without root's power over rights."""
    command = [*AS_ANYBODY, sys.executable, "-m", "mailer", "-C", str(office.root), "send", SLUG, "--yes"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_database_that_turns_read_only_in_the_middle_stops_the_send(office, clock):
    """As when a damaged disk is mounted again for reading only. query_only has SQLite refuse every write."""
    gate = Gate()
    with Relay({"content r003@example.org": gate}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=6)
        room = office.plan()
        run = Run(room.job(room.compose(SLUG)), room.store.sendlog, clock)

        def turn():
            gate.wait()
            room.store._database.execute("PRAGMA query_only = ON")
            gate.open()

        with pytest.raises(StoreError, match=r"readonly database. Look at the rights of the file and its folder"):
            asyncio.run(both(run, turn))
        assert len(relay.mails) == 3
        room.close()
        assert account(office, relay, everybody) == ["r003@example.org"]


def test_a_database_locked_for_too_long_stops_the_send(office, clock):
    gate = Gate()
    with Relay({"content r003@example.org": gate}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=6)
        room = office.plan()
        room.store._database.execute("PRAGMA busy_timeout = 100")  # else 30 seconds
        run = Run(room.job(room.compose(SLUG)), room.store.sendlog, clock)
        told = "database is locked. Another process keeps it busy; wait for that to end, then try again"

        async def go():
            going = asyncio.ensure_future(run.go(wait=False))
            await asyncio.to_thread(gate.wait)
            with locked(database(office)):
                gate.open()
                with pytest.raises(StoreError, match=told):
                    await going

        asyncio.run(go())
        assert len(relay.mails) == 3
        room.close()
        assert account(office, relay, everybody) == ["r003@example.org"]


def test_a_database_locked_for_a_while_is_waited_for(office):
    """Somebody imports subscribers meanwhile: the send neither stops nor loses anything."""
    gate = Gate()
    with Relay({"content r003@example.org": gate}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=6)
        process = office.start("send", SLUG, "--yes")
        gate.wait()
        with locked(database(office)) as other:
            gate.open()
            other.communicate("done\n")
        assert finish(process).code == 0
        assert relay.received == everybody


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=400)], ids=["an hour", "400 days"])
def test_a_clock_that_steps_back_neither_stops_the_send_nor_sends_twice(office, clock, back):
    """What was put off before the step waits for its time as the clock tells it, and is sent once."""
    gate = Gate()
    with Relay({"RCPT r001@example.org": ["450 4.2.1 Busy", "250 Ok"], "content r003@example.org": gate}) as relay:
        office.use(relay, retry='["5m"]')
        everybody = office.subscribe(count=5)
        office.plan()
        before = clock.now

        def step():
            gate.wait()
            clock.now -= back
            gate.open()

        balance = asyncio.run(both(office.sending(clock), step))
        assert (balance.accepted, balance.deferred) == (4, 1)
        assert office.log()["r001@example.org"].next_at == "2018-12-14T08:05:00Z"
        assert asyncio.run(office.sending(clock).go(wait=False)).deferred == 1
        clock.now = before + timedelta(minutes=5)
        assert asyncio.run(office.sending(clock).go(wait=False)).accepted == 5
        assert relay.received == everybody
        dates = [parsedate_to_datetime(parsed(relay.of(who))["Date"]) for who in everybody]
    minutes = timedelta(minutes=5)
    assert dates == [before + minutes, before, before, dates[3], before - back]
    assert dates[3] in (before, before - back)  # its envelope may have left behind the content before it
    assert office.log()["r005@example.org"].settled_at == (before - back).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_wait_after_the_clock_stepped_back_can_be_stopped(office, clock):
    with Relay({"content": "450 Later"}) as relay:
        office.use(relay)
        office.subscribe(count=1)
        office.plan()

        async def stopped():
            run = office.sending(clock)
            going = asyncio.ensure_future(run.go(wait=True))
            while run.waiting_until is None:
                await asyncio.wait([going], timeout=0)
            clock.now -= timedelta(hours=1)
            run.stop()
            return await going

        assert asyncio.run(stopped()).deferred == 1


async def both(run, step):
    """A run, and what happens meanwhile, in a thread of its own."""
    going = asyncio.ensure_future(run.go(wait=False))
    await asyncio.gather(going, asyncio.to_thread(step))
    return going.result()
