"""consent show, consent verify, retention, keys rotate; and the source of an import."""

from __future__ import annotations

import getpass
import sqlite3
from contextlib import closing

import pytest
from conftest import SECRET

from mailer.audience import joining
from mailer.audience.registry import Registry
from mailer.config import SECRET_FILE
from mailer.models import Channel, Evidence
from mailer.tokens import Tokens

LONG_AGO = "2019-01-10T08:00:00Z"


def imported(office, *options):
    path = office.root / "people.csv"
    path.write_text("email,name,interests\nann@example.org,Ann,green-jobs\n", "utf-8")
    return office.run("subscribers", "import", str(path), *(options or ("--source", "")))


def edit(office, statement):
    with closing(sqlite3.connect(office.root / "subscribers/mailer.db")) as database, database:
        database.execute(statement)


def test_the_journal_says_where_an_import_comes_from(office):
    imported(office, "--source", "sign-up sheet, May 2019")
    [row] = office.run("consent", "show", "ann@example.org", "--json").json["consent"]
    assert (row["event"], row["channel"]) == ("imported", "import")
    assert row["details"] == {"interests": ["green-jobs"], "language": "", "source": "sign-up sheet, May 2019"}


@pytest.mark.parametrize(("options", "warned"), [((), True), (("--source", " "), True), (("--source", "sheet"), False)])
def test_an_import_without_a_source_is_warned_of(office, options, warned):
    answer = imported(office, *options)
    assert (answer.code, answer.out[:8], "where these people consented" in answer.err) == (0, "1 added.", warned)


def test_each_command_writes_its_row_with_the_operator(office):
    office.run("subscribers", "add", "ann@example.org", "--interests", "green-jobs")
    office.run("subscribers", "change", "ann@example.org", "--language", "fr")
    office.run("subscribers", "remove", "ann@example.org")
    rows = office.run("consent", "show", "ann@example.org", "--json").json["consent"]
    told = [(row["event"], row["channel"], row["details"]["source"]) for row in rows]
    assert told == [(event, "operator", getpass.getuser()) for event in ("added", "changed", "left")]
    office.run("subscribers", "erase", "ann@example.org", "--yes")
    assert office.run("consent", "verify", "--json").json["rows"] == 4


def test_show_is_a_table_for_people(office):
    imported(office, "--source", "sign-up sheet")
    answer = office.run("consent", "show", "ann@example.org")
    assert answer.code == 0
    for word in ("ann@example.org: active, subscriber 1.", "imported", "import", "sign-up sheet"):
        assert word in answer.out


def test_show_of_a_stranger_is_one_sentence(office):
    answer = office.run("consent", "show", "bob@example.org")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("Error: nobody with the address bob@example.org is subscribed.")


def test_verify_of_a_whole_journal_says_so(office):
    imported(office)
    answer = office.run("consent", "verify")
    assert (answer.code, answer.out) == (0, "1 row, whole and unchanged; subscribers are what they say.\n")
    assert answer.err.startswith("Keep this elsewhere, to recognise an older copy:\n  row 1, ")


def test_verify_names_what_is_wrong(office):
    imported(office)
    office.run("subscribers", "remove", "ann@example.org")
    edit(office, "DELETE FROM journal WHERE number = 2")
    edit(office, "UPDATE subscribers SET state = 'active'")
    answer = office.run("consent", "verify")
    assert (answer.code, answer.out) == (1, "row 2 is missing\n")
    assert answer.err == "1 problem in 1 row. Compare with your latest backup.\n"
    as_json = office.run("consent", "verify", "--json")
    assert (as_json.code, as_json.json["problems"]) == (1, ["row 2 is missing"])


def asked_long_ago(office):
    room = office.room()
    registry = Registry(room.store, room.config, room.tokens)
    joining.ask(registry, "ann@example.org", Evidence(LONG_AGO, Channel.FORM, network="192.0.2.7"))


@pytest.mark.parametrize(("typed", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("", 1, 1)])
def test_retention_shows_then_asks(office, typed, code, left):
    asked_long_ago(office)
    answer = office.run("retention", typed=typed)
    shown = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert (answer.code, "7 days people who never confirmed: deleted 1" in shown) == (code, True)
    assert "3 years people who left: erased but for a hash 0" in shown
    assert len(list(office.room().store.audience.all())) == left


def test_retention_yes_does_not_ask_and_json_says_what_was_removed(office):
    asked_long_ago(office)
    looked = office.run("retention", "--json")
    assert (looked.code, looked.json["removed"], len(list(office.room().store.audience.all()))) == (0, False, 1)
    done = office.run("retention", "--yes", "--json")
    assert done.json["removed"] is True
    counts = {each["kind"]: each["count"] for each in done.json["overdue"]}
    assert counts == {"unconfirmed": 1, "unsubscribed": 0, "bounced": 0, "network_addresses": 1, "log_details": 0}
    again = office.run("retention", "--yes")
    assert (again.code, again.err) == (0, "Nothing is older than its period.\n")
    assert office.run("consent", "verify").code == 0


def test_keys_rotate_signs_with_a_new_key_and_reads_the_old_links(office, monkeypatch):
    monkeypatch.delenv("MAILER_SECRET_KEY")
    path = office.root / SECRET_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(SECRET, "utf-8")
    imported(office)
    old = Tokens("enterprises.example.org", SECRET.encode()).sign("unsubscribe", 1)
    answer = office.run("keys", "rotate")
    assert (answer.code, answer.out.startswith("A new key signs from now on; 2 verify.")) == (0, True)
    tokens = office.room().tokens
    assert tokens.read("unsubscribe", old) == tokens.read("unsubscribe", tokens.sign("unsubscribe", 1)) == 1
    assert tokens.sign("unsubscribe", 1) != old
    assert office.run("consent", "verify").code == 0
    assert office.run("keys", "rotate", "--json").json == {"file": str(path), "keys": 3}


def test_keys_of_the_environment_are_rotated_there(office):
    answer = office.run("keys", "rotate")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("MAILER_SECRET_KEY: holds the keys: add a line with a new one there")
