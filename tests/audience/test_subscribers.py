"""The life of a subscription: add, leave, erase."""

from __future__ import annotations

import pytest
from people import CONFIG, NOW, TOKENS, new_store, subscribe

from mailer.audience import subscribers
from mailer.errors import MailerError, NotFound
from mailer.models import Subscriber, SubscriberState

LATER = "2019-01-10T08:00:00Z"


def add(store, email="ann@example.org", name="", interests=(), language=""):
    return subscribers.add(store.audience, CONFIG, TOKENS, email, name, list(interests), NOW, language)


def test_who_is_added_is_found_in_any_letter_case():
    store = new_store()
    added = add(store, " Ann@EXAMPLE.org ", "  Ann \t Smith ", ["green-jobs", "cooperatives", "green-jobs"], "fr")
    expected = Subscriber("Ann@example.org", "Ann Smith", ("cooperatives", "green-jobs"), "fr", id=1, changed_at=NOW)
    assert added == expected
    assert subscribers.find(store.audience, "aNN@example.ORG") == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"email": "ann"}, "“ann” is no address: An email address must have an @-sign."),
        ({"name": "A\x07"}, "“ann@example.org”: holds the control character U+0007; delete it"),
        ({"name": "A" * 201}, "“ann@example.org”: the name is longer than 200 characters"),
        ({"name": "A\udcff"}, "“ann@example.org”: is not UTF-8; save the file as UTF-8"),
        ({"interests": ["green-job"]}, "unknown interest “green-job”. Did you mean “green-jobs”?"),
        ({"language": "de"}, "unknown language “de”. Known are: en, fr, es, ar."),
    ],
    ids=["address", "control-character", "long-name", "not-utf-8", "interest", "language"],
)
def test_what_is_wrong_is_named_and_nobody_is_added(wrong, message):
    store = new_store()
    with pytest.raises(MailerError) as caught:
        add(store, **wrong)
    assert (str(caught.value), list(store.audience.all())) == (message, [])


def test_who_is_there_already_is_not_added_twice():
    store = new_store()
    add(store)
    with pytest.raises(MailerError, match=f"^ann@example.org is active already, since {NOW}$"):
        add(store, "ANN@example.org")


def test_who_left_is_not_added_again():
    store = new_store()
    add(store)
    subscribers.remove(store.audience, "ann@example.org", LATER)
    with pytest.raises(MailerError, match=f"^ann@example.org is unsubscribed already, since {LATER}$"):
        add(store)


def test_who_was_erased_is_not_added_again():
    store = new_store()
    add(store, "Ann@example.org")
    subscribers.erase(store.audience, TOKENS, "ann@example.org", LATER)
    with pytest.raises(MailerError, match=r"^ANN@example.org was erased or suppressed and must not be written to$"):
        add(store, "ANN@example.org")


def test_leaving_twice_changes_nothing_more():
    store = new_store()
    add(store)
    first = subscribers.remove(store.audience, "ANN@example.org", LATER)
    again = subscribers.remove(store.audience, "ann@example.org", "2020-01-01T00:00:00Z")
    assert first == again == subscribers.find(store.audience, "ann@example.org")
    assert (again.state, again.changed_at) == (SubscriberState.UNSUBSCRIBED, LATER)


def test_leaving_does_not_lift_a_suppression():
    store = new_store()
    subscribe(store, Subscriber("ann@example.org", state=SubscriberState.SUPPRESSED))
    assert subscribers.remove(store.audience, "ann@example.org", LATER).state is SubscriberState.SUPPRESSED
    assert subscribers.find(store.audience, "ann@example.org").state is SubscriberState.SUPPRESSED


@pytest.mark.parametrize("act", ["find", "remove", "erase"])
def test_a_stranger_is_not_found(act):
    audience = new_store().audience
    calls = {
        "find": lambda: subscribers.find(audience, "bob@example.org"),
        "remove": lambda: subscribers.remove(audience, "bob@example.org", NOW),
        "erase": lambda: subscribers.erase(audience, TOKENS, "bob@example.org", NOW),
    }
    with pytest.raises(NotFound, match=r"^nobody with the address bob@example.org is subscribed"):
        calls[act]()
    assert not audience.is_suppressed(TOKENS.digest("address", "bob@example.org"))
