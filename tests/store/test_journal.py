"""The consent journal: every edit by SQL is found, and what must be taken out on time leaves no trace and no break."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from people import NOW, TOKENS, new_store

from mailer.audience import replay
from mailer.models import Channel, Event, Evidence, Subscriber, SubscriberState
from mailer.store import SqliteStore, open_store
from mailer.store.sqlite import open_database

LATER = "2019-01-10T08:00:00Z"
OLD = Path(__file__).with_name("0001.sql")


def written(store=None):
    """Five rows: Ann asked, confirmed, changed; Bob was added; Ann left."""
    store = store or new_store()
    form = Evidence(NOW, Channel.FORM, wording=store.journal.keep_wording("form", "en", "Yes, I want it."),
                    language="en", network="192.0.2.7", agent="Firefox")  # fmt: skip
    pending = Subscriber("ann@example.org", "Ann", ("green-jobs",), "fr", state=SubscriberState.PENDING)
    store.audience.insert(pending, "ann@example.org", NOW, Event.ASKED, form)
    link = Evidence(LATER, Channel.LINK, network="192.0.2.8")
    store.audience.set_state(1, SubscriberState.ACTIVE, LATER, Event.CONFIRMED, link)
    person = store.audience.get(1)
    store.audience.update(Subscriber(person.email, person.name, id=1), LATER, Event.CHANGED, link, ["interests"])
    store.audience.insert(Subscriber("bob@example.org"), "bob@example.org", LATER)
    store.audience.set_state(1, SubscriberState.UNSUBSCRIBED, LATER)
    return store


def problems(store):
    return [*store.journal.verify().problems, *replay.differences(store.audience, store.journal)]


def execute(store, *statements):
    with store._database.atomic():
        for statement in statements:
            store._database.execute(statement)


def test_an_untouched_journal_is_whole():
    store = written()
    checked = store.journal.verify()
    assert (checked.rows, checked.problems, len(checked.hash)) == (5, (), 32)
    assert problems(store) == []
    assert [(row.number, row.event) for row in store.journal.rows(1)] == [
        (1, "asked"), (2, "confirmed"), (3, "changed"), (5, "left")
    ]  # fmt: skip


def test_an_empty_journal_is_whole():
    assert new_store().journal.verify().problems == ()


EDITS = {
    "number": "UPDATE journal SET number = 9 WHERE number = 3",
    "at": "UPDATE journal SET at = '2018-12-14T08:00:01Z' WHERE number = 3",
    "subscriber_id": "UPDATE journal SET subscriber_id = 2 WHERE number = 3",
    "event": "UPDATE journal SET event = 'confirmed' WHERE number = 3",
    "channel": "UPDATE journal SET channel = 'form' WHERE number = 3",
    "details": """UPDATE journal SET details = '{"interests":["cooperatives"]}' WHERE number = 3""",
    "details_salt": "UPDATE journal SET details_salt = zeroblob(16) WHERE number = 3",
    "trace": """UPDATE journal SET trace = '{"network":"192.0.2.9"}' WHERE number = 3""",
    "trace_salt": "UPDATE journal SET trace_salt = zeroblob(16) WHERE number = 3",
    "hash": "UPDATE journal SET hash = zeroblob(16) WHERE number = 3",
    "hash-text": "UPDATE journal SET hash = 'x' WHERE number = 3",
    "details-blob": "UPDATE journal SET details = x'00' WHERE number = 3",
    "at-number": "UPDATE journal SET at = 1 WHERE number = 3",
}


@pytest.mark.parametrize("column", EDITS)
def test_an_edited_row_is_found(column):
    store = written()
    execute(store, EDITS[column])
    found = store.journal.verify().problems
    edited = "row 3 was edited, or stands in another's place"
    assert edited in found or "row 3 is missing" in found


def test_every_character_of_every_row_counts():
    store = written()
    missed = []
    for number in range(1, 6):
        for column in ("at", "event", "channel", "details", "trace"):
            read = f"SELECT {column} FROM journal WHERE number = {number}"
            [(text,)] = store._database.execute(read).fetchall()
            for at in range(len(text or "")):
                write = f"UPDATE journal SET {column} = ? WHERE number = {number}"
                store._database.execute(write, (f"{text[:at]}#{text[at + 1 :]}",))
                missed += [] if store.journal.verify().problems else [(number, column, at)]
                store._database.execute(write, (text,))
    assert (missed, store.journal.verify().problems) == ([], ())


@pytest.mark.parametrize("number", range(1, 6))
def test_a_deleted_row_is_named(number):
    store = written()
    execute(store, f"DELETE FROM journal WHERE number = {number}")
    assert store.journal.verify().problems == (f"row {number} is missing",)


def test_a_deleted_row_whose_place_is_closed_is_found():
    store = written()
    execute(store, "DELETE FROM journal WHERE number = 3", "UPDATE journal SET number = number - 1 WHERE number > 3")
    found = store.journal.verify().problems
    assert found[:2] == (
        "row 3 was edited, or stands in another's place", "row 4 was edited, or stands in another's place"
    )  # fmt: skip


def test_rows_that_changed_places_are_found():
    store = written()
    execute(store, "UPDATE journal SET number = 99 WHERE number = 3", "UPDATE journal SET number = 3 WHERE number = 4",
            "UPDATE journal SET number = 4 WHERE number = 99")  # fmt: skip
    assert [problem.split(" was ")[0] for problem in store.journal.verify().problems] == ["row 3", "row 4", "row 5"]


@pytest.mark.parametrize("kept", range(5))
def test_a_cut_tail_is_named(kept):
    store = written()
    execute(store, f"DELETE FROM journal WHERE number > {kept}")
    missing = "row 5 is missing" if kept == 4 else f"rows {kept + 1} to 5 are missing"
    assert store.journal.verify().problems == (missing,)


@pytest.mark.parametrize("statement", [
    "UPDATE journal_head SET number = 4, hash = (SELECT hash FROM journal WHERE number = 4)",
    "UPDATE journal_head SET number = 4", "UPDATE journal_head SET seal = zeroblob(16)",
    "DELETE FROM journal_head",
])  # fmt: skip
def test_a_cut_tail_with_a_mended_head_is_found(statement):
    store = written()
    execute(store, "DELETE FROM journal WHERE number > 4", statement)
    assert len(store.journal.verify().problems) == 1


@pytest.mark.parametrize(("statement", "missing"), [
    ("UPDATE journal_head SET number = 4, hash = (SELECT hash FROM journal WHERE number = 4)", "row 5 is missing"),
    ("UPDATE journal_head SET seal = zeroblob(16)", "rows 5 to 6 are missing"),
    ("DELETE FROM journal_head", "row 5 is missing"),
    ("SELECT 1", "row 5 is missing"),
], ids=["moved-head", "unsealed-head", "no-head", "head-as-it-was"])  # fmt: skip
def test_a_cut_tail_still_shows_when_the_journal_goes_on(statement, missing):
    store = written()
    execute(store, "DELETE FROM journal WHERE number > 4", statement)
    store.audience.insert(Subscriber("c@example.org"), "c@example.org", LATER)
    assert store.journal.verify().problems == (missing,)


def test_a_row_that_is_put_in_is_found():
    store = written()
    execute(store, "INSERT INTO journal (number, at, subscriber_id, event, channel, details, details_salt, hash)"
            " SELECT 6, at, subscriber_id, 'confirmed', channel, details, details_salt, hash"
            " FROM journal WHERE number = 2")  # fmt: skip
    assert store.journal.verify().problems == (
        "row 6 was edited, or stands in another's place", "the journal ends at row 5; what follows was put in"
    )  # fmt: skip


def test_an_edited_wording_is_named():
    store = written()
    execute(store, "UPDATE wordings SET text = 'Yes, send me everything.'")
    [problem] = store.journal.verify().problems
    assert problem.startswith("wording ")


def test_another_key_cannot_write_the_chain(tmp_path):
    with closing(open_store("sqlite:a.db", tmp_path, lambda: b"one key")) as store:
        written(store)
        assert store.journal.verify().problems == ()
    with closing(open_store("sqlite:a.db", tmp_path, lambda: b"another key")) as store:
        assert len(store.journal.verify().problems) == 6


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE subscribers SET state = 'active' WHERE id = 1",
         "subscriber 1: state is “active” in the table and “unsubscribed” by the journal"),
        ("UPDATE subscribers SET interests = 'green-jobs' WHERE id = 2",
         "subscriber 2: interests is “green-jobs” in the table and nothing by the journal"),
        ("UPDATE subscribers SET language = 'fr' WHERE id = 2",
         "subscriber 2: language is “fr” in the table and nothing by the journal"),
        ("UPDATE subscribers SET paused_until = '2020-01-01' WHERE id = 2",
         "subscriber 2: paused until is “2020-01-01” in the table and nothing by the journal"),
        ("DELETE FROM subscribers WHERE id = 1",
         "subscriber 1 is unsubscribed by the journal, and not in the table"),
        ("INSERT INTO subscribers (email, email_key, created_at, changed_at) VALUES ('c', 'c', '', '')",
         "subscriber 3 has no row in the journal"),
        ("UPDATE subscribers SET id = 0 WHERE id = 1", "subscriber 0 has no row in the journal"),
    ],
    ids=["state", "interests", "language", "pause", "deleted", "put-in", "renumbered"],
)  # fmt: skip
def test_a_table_that_is_not_what_the_journal_says_is_found(statement, problem):
    store = written()
    execute(store, statement)
    assert store.journal.verify().problems == ()
    assert problem in list(replay.differences(store.audience, store.journal))


def test_network_addresses_go_on_time_and_the_chain_stays():
    store = written()
    assert (store.journal.traces(LATER), store.journal.traces("2020-01-01T00:00:00Z")) == (1, 3)
    store.journal.drop_traces(LATER)
    assert [(row.network, row.agent) for row in store.journal.rows(1)] == [
        ("", ""), ("192.0.2.8", ""), ("192.0.2.8", ""), ("", "")
    ]  # fmt: skip
    assert (store.journal.traces(LATER), problems(store)) == (0, [])


def test_who_is_erased_leaves_rows_that_say_nothing_and_a_whole_chain(tmp_path):
    """GDPR article 17: neither the interests nor what would confirm a guess at them (the salt) is in the file."""
    with closing(open_store("sqlite:a.db", tmp_path, bytes)) as store:
        written(store)
        salts = [
            salt for (salt,) in store._database.execute("SELECT details_salt FROM journal WHERE subscriber_id = 1")
        ]
        store.audience.erase(1, LATER)
        rows = store.journal.rows(1)
        assert [row.event for row in rows] == ["asked", "confirmed", "changed", "left", "erased"]
        assert {(row.details is None, row.network, row.agent) for row in rows} == {(True, "", "")}
        assert (problems(store), store.journal.verify().rows) == ([], 6)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    traces = [trace for trace in (b"green-jobs", b"192.0.2.7", b"Firefox", *salts) if trace in content]
    assert (traces, b"erased" in content) == ([], True)


def test_details_that_were_taken_out_of_a_living_subscription_are_found():
    """The chain cannot tell it from an erasure; the replay can."""
    store = written()
    store.journal.drop_person(2)
    assert store.journal.verify().problems == ()
    assert problems(store)[0] == "row 4 lost its details, though subscriber 2 was not erased"


def test_seals_in_place_of_details_are_checked():
    store = written()
    store.audience.erase(1, LATER)
    execute(store, "UPDATE journal SET details_seal = zeroblob(16) WHERE number = 1")
    assert store.journal.verify().problems == ("row 1 was edited, or stands in another's place",)


def test_people_from_before_the_journal_get_a_row_each(tmp_path):
    with closing(sqlite3.connect(tmp_path / "mailer.db")) as connection:
        connection.executescript(OLD.read_text("utf-8"))
    for _ in range(2):  # once only
        with closing(open_store("sqlite:mailer.db", tmp_path, bytes)) as store:
            ann, bob = store.journal.rows(1), store.journal.rows(2)
            assert [row.event for row in (*ann, *bob)] == ["imported", "imported"]
            source = "imported before the journal was kept"
            interests = ["cooperatives", "green-jobs"]
            assert ann[0].details == {"interests": interests, "language": "fr", "source": source}
            assert bob[0].details == {"interests": [], "language": "", "state": "unsubscribed", "source": source}
            assert problems(store) == []


def test_numbers_given_before_the_journal_are_not_given_again(tmp_path):
    with closing(sqlite3.connect(tmp_path / "mailer.db")) as connection:
        connection.executescript(OLD.read_text("utf-8"))
        connection.execute(
            "INSERT INTO subscribers (email, email_key, created_at, changed_at) VALUES ('c', 'c', '', '')"
        )
        (last,) = connection.execute("SELECT MAX(id) FROM subscribers").fetchone()
        connection.execute("DELETE FROM subscribers WHERE id = ?", (last,))
        connection.commit()
    with closing(open_store("sqlite:mailer.db", tmp_path, bytes)) as store:
        assert store.audience.insert(Subscriber("d@example.org"), "d@example.org", NOW) == last + 1


def test_reading_asks_for_no_key():
    """`mailer status` must not make a secret key."""

    def refuse() -> bytes:
        raise AssertionError

    memory = Path(":memory:")
    store = SqliteStore(open_database(memory), memory, refuse)
    assert (store.journal.rows(1), list(store.audience.all())) == ([], [])


def test_a_journal_row_is_json_others_can_read():
    store = written()
    [(details,)] = store._database.execute("SELECT details FROM journal WHERE number = 4").fetchall()
    assert json.loads(details) == {"interests": [], "language": ""}
    assert TOKENS.derive("journal") != TOKENS.derive("other")
