"""What one person's message says that no other's does."""

from __future__ import annotations

from dataclasses import replace
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from received import field, fields
from samples import ANN, CONFIG, DATE, ISSUE, TOKENS, personaliser, settings

from mailer.compose.personal import Personaliser
from mailer.models import Subscriber
from mailer.settings import Config
from mailer.tokens import Tokens


def token(url: str) -> str:
    return url.rpartition("/")[2]


def test_every_value_of_a_person():
    leave = TOKENS.sign("unsubscribe", 42)
    personal = personaliser().personal(ANN)
    assert {name: getattr(personal, name) for name in personal.__slots__} == {
        "name": "Ann Example",
        "email": "ann@example.org",
        "interests": "Cooperatives, Green jobs & skills",
        "unsubscribe_url": f"https://newsletter.example.org/u/{leave}",
        "preferences_url": f"https://newsletter.example.org/p/{TOKENS.sign('preferences', 42)}",
        "web_url": f"https://newsletter.example.org/2018-12/{TOKENS.sign('web 2018-12', 42)}",
        "full_name": "Ann Example",
        "message_id": f"<2018-12.{TOKENS.digest('message', '2018-12 42')}@example.org>",
        "unsubscribe_mailto": f"mailto:unsubscribe@example.org?subject={leave}",
    }


@pytest.mark.parametrize("name", ["", "  ", "\r\n", "\u00a0\u2028"])
def test_one_without_a_name_is_a_reader_and_has_no_name_in_to(name):
    personal = personaliser().personal(replace(ANN, name=name))
    assert (personal.name, personal.full_name) == ("reader", "")
    assert dict(fields(personal.headers(DATE, False)))["To"] == "<ann@example.org>"


@pytest.mark.parametrize(
    ("interests", "shown"),
    [
        pytest.param((), "all topics", id="none chosen"),
        pytest.param(("cooperatives",), "Cooperatives", id="one"),
        pytest.param(("green-jobs", "cooperatives"), "Cooperatives, Green jobs & skills", id="in the configured order"),
        pytest.param(("green-jobs", "retired"), "Green jobs & skills", id="a retired one beside another"),
        pytest.param(("retired",), "retired", id="only a retired one, which is not everything"),
    ],
)
def test_interests_are_shown_by_their_labels(interests, shown):
    assert personaliser().personal(replace(ANN, interests=interests)).interests == shown


@pytest.mark.parametrize(
    ("slot", "purpose", "path"),
    [
        ("unsubscribe_url", "unsubscribe", "/u/"),
        ("preferences_url", "preferences", "/p/"),
        ("web_url", "web 2018-12", "/2018-12/"),
    ],
)
def test_each_link_names_the_reader_for_its_own_purpose(slot, purpose, path):
    url = getattr(personaliser().personal(ANN), slot)
    assert url == f"https://newsletter.example.org{path}{token(url)}"
    purposes = ("unsubscribe", "preferences", "web 2018-12", "web 2019-01")
    assert {each: TOKENS.read(each, token(url)) for each in purposes} == dict.fromkeys(purposes) | {purpose: 42}


def test_links_lie_under_the_public_address_with_its_path():
    config = settings(public_url="https://example.org/newsletter/")
    assert personaliser(config).personal(ANN).unsubscribe_url.startswith("https://example.org/newsletter/u/16.")


@pytest.mark.parametrize("slot", ["unsubscribe_url", "preferences_url", "web_url"])
def test_the_links_of_a_test_mail_are_genuine_but_name_nobody(slot):
    """Standards U19."""
    purpose = {"unsubscribe_url": "unsubscribe", "preferences_url": "preferences", "web_url": "web 2018-12"}[slot]
    assert TOKENS.read(purpose, token(getattr(personaliser(inert=True).personal(ANN), slot))) == 0


def test_the_mailto_of_a_test_mail_names_nobody():
    uri = urlsplit(personaliser(inert=True).personal(ANN).unsubscribe_mailto)
    assert TOKENS.read("unsubscribe", parse_qs(uri.query)["subject"][0]) == 0


@pytest.mark.parametrize(
    ("unsubscribe", "address"),
    [
        ("", "unsubscribe@example.org"),
        ("leave@example.com", "leave@example.com"),
        ("Leaving <leave+us@example.com>", "leave+us@example.com"),
        ("a?b&c@bücher.example.org", "a?b&c@xn--bcher-kva.example.org"),
    ],
)
def test_where_the_mailto_way_of_leaving_goes(unsubscribe, address):
    uri = urlsplit(personaliser(settings(unsubscribe=unsubscribe)).personal(ANN).unsubscribe_mailto)
    assert (uri.scheme, unquote(uri.path)) == ("mailto", address)
    assert TOKENS.read("unsubscribe", parse_qs(uri.query)["subject"][0]) == 42


# --- Message-ID (standards F5) ----------------------------------------------------------------------------


def test_a_message_id_is_the_same_on_every_attempt_whatever_else_changes():
    changed = replace(ANN, name="Ann B.", email="ann@example.com", interests=())
    later = Personaliser(replace(ISSUE, subject="New", digest="f" * 64), CONFIG, TOKENS, "lecteur", "tout")
    assert later.message_id(changed) == personaliser().message_id(ANN)
    assert personaliser().personal(ANN).message_id == personaliser().message_id(ANN)


def test_no_two_messages_share_an_id():
    people = [replace(ANN, id=number) for number in range(1, 1_001)]
    issues = [personaliser(), personaliser(slug="2019-01"), personaliser(slug="2018-1"), personaliser(slug="2018")]
    found = [each.message_id(person) for each in issues for person in people]
    tests = [personaliser(inert=True).message_id(replace(ANN, email=f"{number}@example.org")) for number in range(100)]
    assert len(set(found + tests)) == len(found) + len(tests) == 4_100


def test_a_message_id_cannot_be_made_without_the_key():
    other = Personaliser(ISSUE, CONFIG, Tokens("enterprises.example.org", b"another key"), "reader", "all topics")
    assert other.message_id(ANN) != personaliser().message_id(ANN)


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("Enterprises <newsletter@news.example.org>", "news.example.org"),
        ("newsletter@Bücher.example.org", "xn--bcher-kva.example.org"),
    ],
)
def test_a_message_id_is_of_the_senders_domain(sender, domain):
    message_id = personaliser(settings(sender=sender)).message_id(ANN)
    assert message_id == f"<2018-12.{TOKENS.digest('message', '2018-12 42')}@{domain}>"


# --- the header fields ------------------------------------------------------------------------------------


def test_the_fields_that_name_the_person_or_the_moment():
    """RFC 8058 section 3.1: one https and one mailto address; RFC 5322 section 3.6 for the others."""
    leave = TOKENS.sign("unsubscribe", 42)
    assert personaliser().personal(ANN).headers(DATE, False).decode("ascii").split("\r\n") == [
        "To: Ann Example <ann@example.org>",
        f"Date: {DATE}",
        f"Message-ID: <2018-12.{TOKENS.digest('message', '2018-12 42')}@example.org>",
        f"List-Unsubscribe: <https://newsletter.example.org/u/{leave}>,",
        f" <mailto:unsubscribe@example.org?subject={leave}>",
        "",
    ]


def test_the_date_is_the_one_given_with_its_zone():
    """Standards F6."""
    date = "Sat, 15 Dec 2018 09:30:00 +0530"
    written = field(personaliser().personal(ANN).headers(date, False), "Date")
    assert (written, parsedate_to_datetime(written).isoformat()) == (date, "2018-12-15T09:30:00+05:30")


@pytest.mark.parametrize("number", [1, 42, 10_000_000])
def test_the_https_address_stays_within_76_columns(number):
    """Standards U18: a relay that folds it anew breaks its signature."""
    lines = personaliser().personal(replace(ANN, id=number)).headers(DATE, False).split(b"\r\n")
    (line,) = (line for line in lines if line.startswith(b"List-Unsubscribe: <https:"))
    assert len(line) <= 76


@pytest.mark.parametrize(
    "public_url",
    [
        "https://bücher.example.org",
        "https://example.org/a b",
        "https://example.org/a>,<b",
        "https://example.org/a\nX: y",
    ],
)
def test_a_public_address_that_would_spoil_a_header_is_refused(public_url):
    with pytest.raises(ValueError, match=r"newsletter\.public_url\n.* must be (in ASCII|an address such as)"):
        settings(public_url=public_url)


@pytest.mark.parametrize("key", ["sender", "reply_to", "unsubscribe"])
def test_an_office_address_that_needs_smtputf8_is_refused(key):
    """RFC 6531: it would need every relay on the way to offer it."""
    with pytest.raises(ValueError, match=rf"newsletter\.{key}\n.* must be ASCII before the @"):
        settings(**{key: "büro@example.org"})


def test_people_and_settings_are_read_not_kept():
    """A Personaliser is shared by all connections of a send."""
    shared: Personaliser = personaliser(Config.model_validate(CONFIG.model_dump(exclude_unset=True)))
    first = shared.personal(ANN)
    shared.personal(Subscriber("bob@example.org", id=7, name="Bob"))
    assert shared.personal(ANN) == first
