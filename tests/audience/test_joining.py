"""Double opt-in, another address, and the mail that opens one's own data (standards P1, P5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from people import CONFIG, NOW, TOKENS
from registering import ANN, by, joined, new_registry

from mailer.audience import joining, life, replay, retention
from mailer.audience.joining import Asked
from mailer.errors import BadLink, ExpiredLink, MailerError, NotFound
from mailer.models import Channel, Event, LetterKind, Subscriber, SubscriberState
from mailer.times import shifted

FORM = Channel.FORM


def days(number: float) -> str:
    return shifted(NOW, timedelta(days=number))


def ask(registry, email=ANN, at=NOW, network="", **choices):
    return joining.ask(registry, email, by(FORM, at, network=network), **choices)


def assert_sound(registry):
    assert registry.journal.verify().problems == ()
    assert list(replay.differences(registry.audience, registry.journal)) == []


def test_p1_who_asked_is_pending_until_they_confirm():
    registry = new_registry()
    letter = ask(registry, name="Ann", interests=["green-jobs"], language="fr").letter
    assert replace(letter, token="") == replace(
        letter, kind=LetterKind.CONFIRM, to=ANN, name="Ann", language="fr", token="", subscriber_id=1,
        expires_at="2018-12-21T08:00:00Z",
    )  # fmt: skip
    assert registry.audience.segments() == []
    pending = Subscriber(ANN, "Ann", ("green-jobs",), "fr", state=SubscriberState.PENDING, id=1, changed_at=NOW)
    assert registry.audience.get(1) == pending
    active = replace(pending, state=SubscriberState.ACTIVE)
    assert joining.asking(registry, letter.token, NOW) == active
    assert registry.audience.get(1) == pending
    confirmed = replace(active, changed_at=days(6))
    assert joining.confirm(registry, letter.token, by(at=days(6))) == registry.audience.get(1) == confirmed
    assert_sound(registry)


def test_confirming_again_changes_nothing():
    registry = new_registry()
    letter = ask(registry).letter
    first = joining.confirm(registry, letter.token, by())
    life.change(registry, 1, by(), interests=["cooperatives"])
    again = joining.confirm(registry, letter.token, by(at=days(1)))
    assert again == replace(first, interests=("cooperatives",)) == registry.audience.get(1)


def test_the_evidence_of_both_steps_is_kept():
    """Standards P2: wording, language, network, agent, token."""
    registry = new_registry()
    id_ = life.wording(registry, "form", "fr", "Je m'abonne.")
    evidence = by(FORM, wording=id_, language="fr", network="192.0.2.7", agent="Firefox")
    token = joining.ask(registry, ANN, evidence, interests=["green-jobs"]).letter.token
    joining.confirm(registry, token, by(at=days(1), network="192.0.2.8"))
    asked, confirmed = registry.journal.rows(1)
    assert asked.details == {"interests": ["green-jobs"], "language": "", "state": "pending", "wording": id_,
                             "shown_in": "fr"}  # fmt: skip
    assert (asked.event, asked.channel, asked.network, asked.agent) == (Event.ASKED, FORM, "192.0.2.7", "Firefox")
    assert confirmed.details == {"interests": ["green-jobs"], "language": "", "token": TOKENS.name(token)}
    assert (confirmed.event, confirmed.network, confirmed.at) == (Event.CONFIRMED, "192.0.2.8", days(1))
    assert registry.journal.wording(id_) == "Je m'abonne."


def test_p5_who_is_subscribed_gets_a_mail_that_says_so():
    registry = new_registry()
    joined(registry)
    rows = len(registry.journal.rows(1))
    letter = ask(registry, "ANN@example.org", interests=["green-jobs"]).letter
    assert (letter.kind, letter.to, letter.subscriber_id) == (LetterKind.ALREADY, ANN, 1)
    assert life.bearer(registry, "preferences", letter.token) == 1
    assert (registry.audience.get(1).interests, len(registry.journal.rows(1))) == ((), rows)


@pytest.mark.parametrize(
    ("email", "choices", "message"),
    [
        ("ann", {}, "“ann” is no address"),
        (ANN, {"name": "A\x07"}, "control character"),
        (ANN, {"interests": ["gren-jobs"]}, "unknown interest"),
        (ANN, {"language": "de"}, "unknown language"),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_p5_a_mistake_is_the_same_mistake_for_known_and_unknown(email, choices, message, known):
    registry = new_registry()
    if known:
        joined(registry)
    with pytest.raises(MailerError, match=message):
        ask(registry, email, **choices)


def test_p1_an_address_gets_three_letters_a_day_whatever_it_is():
    for known in (False, True):
        registry = new_registry()
        if known:
            registry.audience.insert(Subscriber(ANN), ANN, NOW)
        answers = [
            ask(registry, at=shifted(NOW, timedelta(hours=hour)), network=f"192.0.2.{hour}") for hour in range(5)
        ]
        assert [answer.limited for answer in answers] == [False, False, False, True, True]
        assert [bool(answer.letter) for answer in answers] == [True, True, True, False, False]
        assert ask(registry, at=days(1.01)).letter


@pytest.mark.parametrize(
    ("addresses", "limited"),
    [(["192.0.2.7"] * 21, 1), (["2001:db8::1", "2001:db8::ffff"] * 11, 2),
     ([f"192.0.2.{n}" for n in range(21)], 0), ([f"2001:db8:0:{n}::1" for n in range(21)], 0)],
    ids=["one", "one-64", "many", "many-64"],
)  # fmt: skip
def test_p1_a_network_asks_twenty_times_an_hour(addresses, limited):
    registry = new_registry()
    answers = [ask(registry, f"r{at}@example.org", network=network) for at, network in enumerate(addresses)]
    assert sum(answer.limited for answer in answers) == limited
    assert registry.audience.counts()[SubscriberState.PENDING] == len(addresses) - limited
    assert ask(registry, at=shifted(NOW, timedelta(hours=1)), network=addresses[0]).letter


def test_neither_address_nor_network_stands_in_the_counts():
    registry = new_registry()
    ask(registry, network="192.0.2.7")
    keys = [key for (key,) in registry.store._database.execute("SELECT key FROM asks")]
    assert len(keys) == 2
    assert all(len(key) == 32 and "@" not in key and "." not in key for key in keys)


def test_a_letter_of_last_week_confirms_nothing():
    registry = new_registry()
    token = ask(registry).letter.token
    with pytest.raises(ExpiredLink):
        joining.confirm(registry, token, by(at=shifted(days(7), timedelta(seconds=1))))
    assert registry.audience.get(1).state is SubscriberState.PENDING
    assert joining.confirm(registry, token, by(at=days(7))).state is SubscriberState.ACTIVE


def test_each_letter_confirms_what_it_says():
    registry = new_registry()
    first = ask(registry, interests=["green-jobs"]).letter
    second = ask(registry, interests=["cooperatives"]).letter
    assert registry.audience.get(1).interests == ("cooperatives",)
    assert joining.asking(registry, second.token, NOW).interests == ("cooperatives",)
    assert joining.confirm(registry, first.token, by()).interests == ("green-jobs",)
    assert_sound(registry)


def test_who_left_stays_off_the_list_until_they_confirm_themselves():
    registry = new_registry()
    joined(registry)
    old = life.leave(registry, 1, by(at=days(1)))
    letter = ask(registry, at=days(2), name="Ann", interests=["green-jobs"]).letter
    assert (letter.kind, registry.audience.get(1)) == (LetterKind.CONFIRM, old)
    assert_sound(registry)
    back = joining.confirm(registry, letter.token, by(at=days(3)))
    expected = Subscriber(ANN, "Ann", ("green-jobs",), id=1, changed_at=days(3))
    assert back == registry.audience.get(1) == expected
    assert_sound(registry)


@pytest.mark.parametrize("act", ["leave", "suppress", "erase", "expire"])
def test_a_letter_from_before_the_end_confirms_nothing(act):
    registry = new_registry()
    token = ask(registry).letter.token
    acts = {
        "leave": lambda: life.leave(registry, 1, by()),
        "suppress": lambda: life.suppress(registry, 1, by(Channel.SEND), "complaint"),
        "erase": lambda: life.erase(registry, 1, by()),
        "expire": lambda: registry.audience.erase(1, NOW, Event.EXPIRED),
    }
    acts[act]()
    before = registry.audience.counts()
    with pytest.raises(NotFound):
        joining.confirm(registry, token, by(at=days(1)))
    assert registry.audience.counts() == before


@pytest.mark.parametrize("why", ["complaint", "bounced"])
def test_who_is_suppressed_gets_no_mail_whoever_asks(why):
    registry = new_registry()
    joined(registry)
    life.suppress(registry, 1, by(Channel.SEND), why)
    assert ask(registry) == joining.ask_my_data(registry, ANN, by(FORM)) == Asked()
    life.erase(registry, 1, by())
    assert ask(registry, at=days(2)) == Asked()


def test_who_erased_themselves_may_come_back_by_their_own_wish_only():
    registry = new_registry()
    joined(registry)
    life.erase(registry, 1, by())
    digest = registry.address_hash(ANN)
    letter = ask(registry).letter
    assert (letter.subscriber_id, registry.audience.is_suppressed(digest)) == (2, True)
    joining.confirm(registry, letter.token, by())
    assert (registry.audience.get(2).state, registry.audience.is_suppressed(digest)) == (SubscriberState.ACTIVE, False)
    assert_sound(registry)


def test_an_address_changes_when_the_new_one_confirms():
    registry = new_registry()
    joined(registry, name="Ann")
    letter = joining.ask_address_change(registry, 1, "Anna@example.com", by()).letter
    assert (letter.kind, letter.to, registry.audience.get(1).email) == (
        LetterKind.CONFIRM_ADDRESS, "Anna@example.com", ANN
    )  # fmt: skip
    changed = joining.confirm_address_change(registry, letter.token, by(at=days(1)))
    assert changed == registry.audience.get(1) == registry.audience.find("anna@example.com")
    assert (changed.email, registry.audience.find(ANN)) == ("Anna@example.com", None)
    assert joining.confirm_address_change(registry, letter.token, by(at=days(2))) == changed
    assert_sound(registry)


def test_the_owner_of_an_older_letter_cannot_confirm_another_address():
    registry = new_registry()
    joined(registry)
    old = joining.ask_address_change(registry, 1, "one@example.com", by()).letter
    new = joining.ask_address_change(registry, 1, "two@example.com", by()).letter
    with pytest.raises(NotFound, match="latest mail"):
        joining.confirm_address_change(registry, old.token, by())
    assert joining.confirm_address_change(registry, new.token, by()).email == "two@example.com"


def test_a_taken_address_is_not_told_and_not_given_twice():
    registry = new_registry()
    joined(registry)
    letter = joining.ask_address_change(registry, 1, "bob@example.org", by()).letter
    joined(registry, "bob@example.org")
    assert joining.ask_address_change(registry, 1, "BOB@example.org", by()) == Asked()
    with pytest.raises(MailerError, match="cannot be used"):
        joining.confirm_address_change(registry, letter.token, by())
    assert registry.audience.get(1).email == ANN


def test_the_mail_for_ones_own_data_is_good_for_an_hour():
    registry = new_registry()
    joined(registry, language="es")
    letter = joining.ask_my_data(registry, ANN, by(FORM)).letter
    assert (letter.kind, letter.language, letter.expires_at) == (LetterKind.MY_DATA, "es", "2018-12-14T09:00:00Z")
    assert joining.my_data_bearer(registry, letter.token, "2018-12-14T09:00:00Z") == 1
    with pytest.raises(ExpiredLink):
        joining.my_data_bearer(registry, letter.token, "2018-12-14T09:00:01Z")
    assert joining.ask_my_data(registry, "bob@example.org", by(FORM)) == Asked()


def test_a_letter_of_one_kind_is_no_letter_of_another():
    registry = new_registry()
    token = ask(registry).letter.token
    for reading in (joining.my_data_bearer, lambda *a: joining.confirm_address_change(*a[:2], by())):
        with pytest.raises(BadLink):
            reading(registry, token, NOW)
    assert registry.audience.get(1).state is SubscriberState.PENDING


def test_who_never_confirmed_is_forgotten_and_may_ask_again():
    registry = new_registry()
    ask(registry)
    retention.remove(registry, days(7.1))
    assert (registry.audience.get(1), registry.audience.is_suppressed(registry.address_hash(ANN))) == (None, False)
    assert ask(registry, at=days(8)).letter.subscriber_id == 2
    assert_sound(registry)
    assert CONFIG.retention.unconfirmed == joining.CONFIRM_WITHIN
