"""The table of subscribers: what is written is read, numbers are never given twice, who is erased is gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import NOW, TOKENS, new_store, subscribe

from mailer.audience import addresses, subscribers
from mailer.errors import StoreError
from mailer.models import (
    Balance,
    DeliveryState,
    Edition,
    Outcome,
    Reply,
    Segment,
    Step,
    Subscriber,
    SubscriberState,
)
from mailer.store import open_store
from mailer.store.base import Intake, Newcomer

LATER = "2019-01-10T08:00:00Z"
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    st.builds(
        Subscriber,
        email=TEXT,
        name=TEXT,
        interests=st.lists(st.from_regex("[a-z-]{1,8}", fullmatch=True), max_size=4).map(tuple),
        language=TEXT,
        fields=st.dictionaries(TEXT, TEXT, max_size=3),
        state=st.sampled_from(SubscriberState),
    )
)
def test_what_is_written_is_read(person):
    audience = new_store().audience
    number = audience.insert(person, "key", NOW)
    expected = replace(person, id=number, changed_at=NOW)
    assert audience.find("key") == audience.get(number) == expected
    assert list(audience.all()) == [expected]


def test_a_change_is_written_with_its_time():
    store = new_store()
    subscribe(store, "ann@example.org")
    changed = Subscriber("ann@example.org", "Ann", ("green-jobs",), "fr", {"city": "Rome"}, id=1)
    store.audience.update(changed, LATER)
    assert store.audience.get(1) == replace(changed, changed_at=LATER)


def test_people_come_in_the_order_they_came_or_by_state():
    store = new_store()
    subscribe(store, "c@example.org", Subscriber("b@example.org", state=SubscriberState.SUPPRESSED), "a@example.org")
    store.audience.set_state(3, SubscriberState.UNSUBSCRIBED, LATER)
    assert [person.email for person in store.audience.all()] == ["c@example.org", "b@example.org", "a@example.org"]
    by_state = {state: [person.id for person in store.audience.all(state)] for state in SubscriberState}
    assert by_state == {"pending": [], "active": [1], "unsubscribed": [3], "suppressed": [2]}
    assert store.audience.counts() == {"active": 1, "suppressed": 1, "unsubscribed": 1}
    assert store.audience.get(3).changed_at == LATER


def test_one_address_has_one_subscription():
    store = new_store()
    subscribe(store, "ann@example.org")
    with pytest.raises(StoreError, match="UNIQUE"):
        subscribe(store, "ANN@example.org")
    assert len(list(store.audience.all())) == 1


def test_nobody_is_found_where_nobody_is():
    audience = new_store().audience
    assert (audience.find("ann@example.org"), audience.get(1), list(audience.all())) == (None, None, [])
    assert (audience.counts(), audience.segments()) == ({}, [])


@given(st.lists(st.sampled_from(["add", "erase the last", "erase the first"]), max_size=12))
def test_numbers_are_never_given_twice(acts):
    """Signed links and send logs name people by them."""
    store, given_out = new_store(), []
    for act in acts:
        people = list(store.audience.all())
        if act == "add":
            given_out += subscribe(store, f"p{len(given_out)}@example.org")
        elif people:
            store.audience.erase(people[-1 if act == "erase the last" else 0].id, NOW)
    assert given_out == list(range(1, len(given_out) + 1))


def test_numbers_are_not_given_again_after_a_restart(tmp_path):
    with closing(open_store("sqlite:mailer.db", tmp_path, bytes)) as store:
        assert subscribe(store, "ann@example.org", "bob@example.org") == [1, 2]
        store.audience.erase(2, NOW)
    with closing(open_store("sqlite:mailer.db", tmp_path, bytes)) as store:
        assert subscribe(store, "bob@example.org") == [3]


def sent_to_ann_and_bob(store):
    """Issue 2018-12: Ann accepted after one deferral, Bob refused; the replies quote the addresses, as they do."""
    subscribe(store, Subscriber("Ann@example.org", "Ann Secret", fields={"phone": "555-0100"}), "bob@example.org")
    store.sendlog.freeze("2018-12", {}, [Edition("0123456789ab", ("s",), (Segment((), 2),))], [], NOW)
    ann, bob = store.sendlog.claim("2018-12", 2, NOW)
    put_off = Outcome(DeliveryState.DEFERRED, Reply(450, "Ann@example.org is greylisted", Step.RCPT))
    store.sendlog.record("2018-12", ann, put_off, NOW, LATER)
    refused = Outcome(DeliveryState.REFUSED, Reply(550, "no bob@example.org here", Step.RCPT))
    store.sendlog.record("2018-12", bob, refused, NOW)
    [ann] = store.sendlog.claim("2018-12", 2, LATER)
    accepted = Outcome(DeliveryState.ACCEPTED, Reply(250, "queued for Ann@example.org", Step.CONTENT, "2.0.0"))
    store.sendlog.record("2018-12", ann, accepted, LATER)


def test_erasing_keeps_a_keyed_hash_and_the_totals(tmp_path):
    """GDPR article 17; the balance of what was sent stays true."""
    with closing(open_store("sqlite:mailer.db", tmp_path, bytes)) as store:
        sent_to_ann_and_bob(store)
        before = store.sendlog.balance("2018-12")
        rows = {row.subscriber_id: row for row in store.sendlog.deliveries("2018-12")}
        subscribers.erase(store.audience, TOKENS, "ann@example.org", LATER)
        after = {row.subscriber_id: row for row in store.sendlog.deliveries("2018-12")}
        assert after == {1: replace(rows[1], email="", reply=""), 2: rows[2]}
        assert store.sendlog.attempts("2018-12", 1) == [(NOW, "rcpt", 450, "")]
        assert store.sendlog.balance("2018-12") == before
        assert before == Balance("2018-12", audience=2, accepted=1, refused=1, editions=1)
        assert [person.email for person in store.audience.all()] == ["bob@example.org"]
        assert store.audience.is_suppressed(TOKENS.digest("address", "ann@example.org"))
        assert not store.audience.is_suppressed(TOKENS.digest("address", "bob@example.org"))


def test_who_is_erased_is_in_no_file_any_more(tmp_path):
    """Not in freed pages either: PRAGMA secure_delete."""
    with closing(open_store("sqlite:mailer.db", tmp_path, bytes)) as store:
        sent_to_ann_and_bob(store)
        subscribers.erase(store.audience, TOKENS, "ann@example.org", LATER)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
    traces = [trace for trace in (b"ann@example.org", b"ann secret", b"555-0100") if trace in content]
    assert (traces, b"bob@example.org" in content) == ([], True)


def newcomer(line: int, email: str, state: SubscriberState = SubscriberState.ACTIVE) -> Newcomer:
    key = addresses.key(email)
    return Newcomer(line, key, TOKENS.digest("address", key), Subscriber(email, state=state))


def test_an_import_counts_added_known_and_kept_out():
    store = new_store()
    subscribe(store, "known@example.org", Subscriber("left@example.org", state=SubscriberState.UNSUBSCRIBED))
    store.audience.suppress(TOKENS.digest("address", "erased@example.org"), "erased", NOW)
    with store.audience.importing() as taken:
        first = [newcomer(2, "zoe@example.org"), newcomer(3, "Known@example.org"), newcomer(4, "ZOE@example.org")]
        assert taken.add(first) == {4: 2}
        again = [newcomer(5, "left@example.org"), newcomer(6, "erased@example.org"), newcomer(7, "zoe@example.org"),
                 newcomer(8, "ann@example.org", SubscriberState.SUPPRESSED)]  # fmt: skip
        assert taken.add(again) == {7: 2}
        assert taken.finish(LATER) == Intake(added=2, known=1, kept_out=2, without_interests=1)
    assert [person.email for person in store.audience.all()][2:] == ["zoe@example.org", "ann@example.org"]


def import_and_fail(store):
    with store.audience.importing() as taken:
        taken.add([newcomer(2, "ann@example.org")])
        raise KeyboardInterrupt


def test_an_import_that_is_not_finished_leaves_nothing_and_the_next_one_starts_empty():
    store = new_store()
    with pytest.raises(KeyboardInterrupt):
        import_and_fail(store)
    with store.audience.importing() as taken:
        assert taken.add([newcomer(2, "ann@example.org")]) == {}
    assert list(store.audience.all()) == []


def test_a_running_import_keeps_nobody_else_waiting(tmp_path):
    """A million lines take a while; people who leave, and a send, go on meanwhile."""
    with closing(open_store("sqlite:mailer.db", tmp_path, bytes)) as store:
        with store.audience.importing() as taken, closing(sqlite3.connect(tmp_path / "mailer.db", timeout=0)) as other:
            taken.add([newcomer(2, "ann@example.org"), newcomer(3, "bob@example.org")])
            with other:
                digest = TOKENS.digest("address", "ann@example.org")
                other.execute("INSERT INTO suppressions VALUES (?, 'erased', '')", (digest,))
            assert taken.finish(NOW) == Intake(added=1, known=0, kept_out=1, without_interests=1)
        assert [person.email for person in store.audience.all()] == ["bob@example.org"]
