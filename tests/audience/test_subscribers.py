"""The life of a subscription: add, change, leave, erase."""

from __future__ import annotations

from dataclasses import replace

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
        (
            {"name": "A\udcff"},
            "“ann@example.org”: is not UTF-8; save the file as UTF-8 (in Excel: Save as “CSV UTF-8”)",
        ),
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
    with pytest.raises(
        MailerError,
        match=r"^ann@example.org is subscribed already; change them with: mailer subscribers change ann@example.org$",
    ):
        add(store, "ANN@example.org")


def test_who_left_is_not_added_again():
    store = new_store()
    add(store)
    subscribers.remove(store.audience, "ann@example.org", LATER)
    with pytest.raises(
        MailerError, match=r"^ann@example.org left on 2019-01-10; only their own wish brings them back$"
    ):
        add(store)


def test_who_was_erased_is_not_added_again():
    store = new_store()
    add(store, "Ann@example.org")
    subscribers.erase(store.audience, TOKENS, "ann@example.org", LATER)
    with pytest.raises(MailerError, match=r"^ANN@example.org was erased or suppressed and must not be written to$"):
        add(store, "ANN@example.org")


def test_interests_are_known_by_id_or_label_in_any_letter_case():
    store = new_store()
    assert add(store, interests=["green  JOBS", "Cooperatives"]).interests == ("cooperatives", "green-jobs")


def test_a_change_touches_only_what_is_given():
    store = new_store()
    before = add(store, name="Ann", interests=["green-jobs"], language="fr")

    def change(**what):
        return subscribers.change(store.audience, CONFIG, "ANN@example.org", LATER, **what)

    named = change(name=" Anna  Smith ")
    assert (
        named == replace(before, name="Anna Smith", changed_at=LATER) == subscribers.find(store.audience, before.email)
    )
    assert change(interests=["Social finance"], language="") == replace(
        named, interests=("social-finance",), language=""
    )
    assert change(interests=[]).interests == ()
    assert change() == subscribers.find(store.audience, before.email)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "A\x07"}, "“ann@example.org”: holds the control character U+0007; delete it"),
        ({"interests": ["green-job"]}, "unknown interest “green-job”. Did you mean “green-jobs”?"),
        ({"language": "de"}, "unknown language “de”. Known are: en, fr, es, ar."),
    ],
    ids=["name", "interest", "language"],
)
def test_a_wrong_change_changes_nothing(wrong, message):
    store = new_store()
    before = add(store)
    with pytest.raises(MailerError) as caught:
        subscribers.change(store.audience, CONFIG, before.email, LATER, **{"name": "Anna"} | wrong)
    assert (str(caught.value), subscribers.find(store.audience, before.email)) == (message, before)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (SubscriberState.UNSUBSCRIBED, "ann@example.org left on 2018-12-14; only their own wish brings them back"),
        (SubscriberState.SUPPRESSED, "ann@example.org is suppressed since 2018-12-14 and must not be written to"),
    ],
)
@pytest.mark.parametrize("act", ["add", "change"])
def test_who_is_off_the_list_is_neither_added_nor_changed(state, message, act):
    """The date they left must stay: a change would overwrite it."""
    store = new_store()
    [number] = subscribe(store, "ann@example.org")
    store.audience.set_state(number, state, NOW)
    acts = {
        "add": lambda: add(store),
        "change": lambda: subscribers.change(store.audience, CONFIG, "ann@example.org", LATER, name="Ann"),
    }
    with pytest.raises(MailerError) as caught:
        acts[act]()
    assert (str(caught.value), subscribers.find(store.audience, "ann@example.org").changed_at) == (message, NOW)


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
