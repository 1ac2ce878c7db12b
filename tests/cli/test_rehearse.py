"""`mailer rehearse`: what the operator reads, and that nothing real is touched."""

from __future__ import annotations

import signal
import sqlite3
import tempfile
from contextlib import closing

import pytest
from sending import SLUG, finish
from smtp_relay import Relay


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files of this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def everything(office):
    """All that the real store holds."""
    with closing(sqlite3.connect(office.root / "subscribers" / "mailer.db")) as connection:
        return list(connection.iterdump())


def test_it_sends_to_the_real_audience_and_touches_neither_relay_nor_log(office, temporary):
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=30, coops="cooperatives")
        before = everything(office)
        answer = office.run("rehearse", SLUG)
        assert (answer.code, relay.connections) == (0, 0)
    assert everything(office) == before
    assert list(temporary.iterdir()) == []
    told = " ".join(answer.out.split())
    assert "audience 31 1 edition lost 0 nobody misses a mail" in told
    assert "doubled 0 nobody got it twice wrong 0 the log and the server agree on everybody" in told
    assert "Nothing was lost, nothing was doubled. No mail has left, and the send log is as it was." in told
    assert max(map(len, answer.out.splitlines())) <= 80


def test_an_issue_that_is_partly_sent_is_rehearsed_from_the_start(office):
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=10)
        office.run("send", SLUG, "--yes", "--limit", "4")
        before = everything(office)
        answer = office.run("rehearse", SLUG, "--json")
        assert (answer.json["accepted"], len(relay.mails)) == (10, 4)
    assert everything(office) == before


def test_json_has_every_figure_and_the_same_seed_the_same_fates(office):
    office.use("smtp://127.0.0.1:1", connections=8, retry='["5m"]')
    office.subscribe(count=2)
    ones = [office.run("rehearse", SLUG, "--faults", "harsh", "--audience", "60", "--seed", str(n), "--json")
            for n in (3, 3, 4)]  # fmt: skip
    first, again, other = (one.json for one in ones)
    assert [one.code for one in ones] == [0, 0, 0]
    assert first.keys() == {
        *"issue audience accepted refused deferred unknown skipped queued editions seconds faults seed".split(),
        *"attempts accepted_later per_second refusals unknowns paused seconds_with_waits real_audience".split(),
        *"forecast_seconds lost doubled wrong".split(),
    }
    assert (first["audience"], first["real_audience"], first["faults"]) == (60, 2, "harsh")
    assert (first["lost"], first["doubled"], first["wrong"]) == ([], [], [])
    assert first["accepted"] + first["refused"] + first["unknown"] == 60
    assert first["attempts"] > 60
    assert 0 < first["forecast_seconds"] < first["seconds"]
    assert first["refusals"] == again["refusals"] != other["refusals"]


def test_waits_take_no_time_and_are_told(office):
    office.use("smtp://127.0.0.1:1", connections=8, retry='["2h", "12h"]')
    answer = office.run("rehearse", SLUG, "--faults", "harsh", "--audience", "60")
    assert answer.code == 0
    assert "; 14.0 hours until the last who were put off." in " ".join(answer.out.split())


def test_without_readers_it_says_how_to_invent_some(office):
    answer = office.run("rehearse", SLUG)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "Error: nobody is subscribed yet. Invent an audience: --audience 1000\n"


def test_what_does_not_agree_ends_with_3_and_is_named(office, monkeypatch):
    """A world that keeps what it took to itself."""
    from mailer.deliver.world import World

    monkeypatch.setattr(World, "delay", lambda self, address: self.taken.clear() or 0.0)
    office.use("smtp://127.0.0.1:1")
    office.subscribe("anna@example.org")
    answer = office.run("rehearse", SLUG)
    assert answer.code == 3
    assert "lost 1 anna@example.org" in " ".join(answer.out.split())
    assert "The log and the server do not agree. Please report this, with the seed." in answer.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted_it_leaves_nothing_behind(office, temporary, number):
    office.use("smtp://127.0.0.1:1", connections=1)
    process = office.start("rehearse", SLUG, "--faults", "harsh", "--audience", "5000")
    told = f"Rehearsing {SLUG} with a server of its own.\n"
    assert process.stderr.readline() == told
    process.send_signal(number)
    answer = finish(process)
    assert answer.code == 130
    assert answer.err.endswith("Stopped. A rehearsal leaves nothing behind.\n")
    assert list(temporary.iterdir()) == []
