"""Forged links: whichever character of whichever link is changed, the answer is 4xx and nothing changes (U7)."""

from __future__ import annotations

import pytest
from conftest import Clock
from people import NOW
from public_server import serving
from unsubscribing import AMINA, Reader, registry, rename_list, two_lists

from mailer.audience import joining
from mailer.models import Channel, Evidence, SubscriberState
from mailer.newsroom import Newsroom

FORM = Evidence(NOW, Channel.FORM)


def everything(room):
    """All that a subscription is, and all that happened."""
    return list(room.store.audience.all()), [row for _, rows in room.store.journal.people() for row in rows]


def unsubscribe(room, reader):
    return "/u/", reader.link[3:], {"List-Unsubscribe": "One-Click"}


def preferences(room, reader):
    return (
        "/p/",
        room.tokens.sign("preferences", reader.id),
        {"email": AMINA, "name": "Forged", "interests": "green-jobs"},
    )


def confirm(room, reader):
    letter = joining.ask(registry(room), "new@example.org", FORM).letter
    assert letter
    return "/confirm/", letter.token, {"confirm": "1"}


def my_data(room, reader):
    letter = joining.ask_my_data(registry(room), AMINA, FORM).letter
    assert letter
    return "/data/", letter.token, {"act": "erase", "sure": "yes"}


def address(room, reader):
    letter = joining.ask_address_change(registry(room), reader.id, "moved@example.org", FORM).letter
    assert letter
    return "/address/", letter.token, {}


LINKS = pytest.mark.parametrize("link", [unsubscribe, preferences, confirm, address, my_data])


def changed(token):
    """Each character changed in three ways, left out, doubled; cut, lengthened, spelt in another way."""
    for at, old in enumerate(token):
        for new in {"a" if old != "a" else "b", "A" if old != "A" else "B", old.swapcase()} - {old}:
            yield token[:at] + new + token[at + 1 :]
        yield token[:at] + token[at + 1 :]
        yield token[:at] + old + token[at:]
    yield from (token[:-1], f"{token}a", f"{token}=", f"0{token}", f"-{token}", token.replace(".", "%2E.", 1), "0")


@LINKS
def test_U7_any_changed_character_is_refused_and_changes_nothing(newsroom, link):
    reader = Reader.joins(newsroom)
    path, token, form = link(newsroom, reader)
    before = everything(newsroom)
    with serving(newsroom, Clock()) as site:
        assert site.get(path + token).status_code == 200
        answers = {
            (method, forged): site.request(method, path + forged, data=form if method == "POST" else None).status_code
            for forged in set(changed(token)) - {token}
            for method in ("GET", "POST")
        }
        assert {key: status for key, status in answers.items() if not 400 <= status < 500} == {}
        assert everything(newsroom) == before
        assert site.post(path + token, data=form).status_code == 200
    assert everything(newsroom) != before, "the form does nothing with the link as it was mailed, so it showed nothing"


@pytest.mark.parametrize(("path", "purpose"), [("/u/", "preferences"), ("/u/", "undo"), ("/p/", "unsubscribe")])
def test_U7_a_token_for_one_purpose_is_none_for_another(newsroom, path, purpose):
    reader = Reader.joins(newsroom)
    before = everything(newsroom)
    link = path + newsroom.tokens.sign(purpose, reader.id)
    with serving(newsroom, Clock()) as site:
        answers = [site.get(link).status_code, site.post(link, data={"List-Unsubscribe": "One-Click"}).status_code]
    assert answers == [404, 404]
    assert everything(newsroom) == before


@pytest.mark.parametrize("names", [("here", "there"), ("there", "here")], ids=["one", "other"])
@LINKS
def test_U7_a_link_says_nothing_to_another_list_with_the_same_key(tmp_path, link, names):
    """The number in it is somebody else's there."""
    rooms = two_lists(tmp_path)
    here, there = (rooms[name] for name in names)
    path, token, form = link(here, Reader.joins(here))
    Reader.joins(there, "joao@example.org")
    before = everything(there)
    with serving(here, Clock()) as own, serving(there, Clock()) as other:
        assert own.get(path + token).status_code == 200
        answers = [other.get(path + token).status_code, other.post(path + token, data=form).status_code]
    assert answers == [404, 404]
    assert everything(there) == before


@pytest.mark.parametrize(("former", "status"), [("enterprises.example.org", 200), ("", 404)])
def test_U13_links_survive_another_list_id_where_the_former_one_is_named(newsroom, former, status):
    reader = Reader.joins(newsroom)
    renamed = Newsroom.open(newsroom.root, newsroom.env)
    rename_list(renamed, "news.example.org", former)
    with serving(renamed, Clock()) as site:
        assert site.get(reader.link).status_code == status
        assert site.post(Reader(renamed, reader.id).link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert reader.state == SubscriberState.UNSUBSCRIBED
    renamed.close()


def test_who_must_not_come_back_does_not_after_another_list_id(newsroom):
    """The hashes of addresses and the seal of the journal hang on the key alone."""
    reader = Reader.joins(newsroom)
    reader.erase()
    renamed = Newsroom.open(newsroom.root, newsroom.env)
    rename_list(renamed, "news.example.org")
    assert renamed.store.audience.is_suppressed(registry(renamed).address_hash(AMINA))
    assert renamed.store.journal.verify().problems == ()
    renamed.close()
