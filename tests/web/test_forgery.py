"""Forged links: whichever character of whichever link is changed, the answer is 4xx and nothing changes (U7)."""

from __future__ import annotations

import pytest
from conftest import Clock
from people import NOW
from public_server import serving
from unsubscribing import AMINA, Reader, registry

from mailer.audience import joining
from mailer.models import Channel, Evidence

FORM = Evidence(NOW, Channel.FORM)


def everything(room):
    """All that a subscription is, and all that happened."""
    return list(room.store.audience.all()), [row for _, rows in room.store.journal.people() for row in rows]


def unsubscribe(room, reader):
    return "/u/", reader.link[3:], {"List-Unsubscribe": "One-Click"}


def preferences(room, reader):
    return "/p/", room.tokens.sign("preferences", reader.id), {"do": "leave", "save": "1", "leave": "1"}


def confirm(room, reader):
    letter = joining.ask(registry(room), "new@example.org", FORM).letter
    assert letter
    return "/confirm/", letter.token, {"confirm": "1"}


def my_data(room, reader):
    letter = joining.ask_my_data(registry(room), AMINA, FORM).letter
    assert letter
    return "/data/", letter.token, {"do": "erase", "erase": "1"}


def changed(token):
    """Each character changed in three ways, left out, doubled; cut, lengthened, spelt in another way."""
    for at, old in enumerate(token):
        for new in {"a" if old != "a" else "b", "A" if old != "A" else "B", old.swapcase()} - {old}:
            yield token[:at] + new + token[at + 1 :]
        yield token[:at] + token[at + 1 :]
        yield token[:at] + old + token[at:]
    yield from (token[:-1], f"{token}a", f"{token}=", f"0{token}", f"-{token}", token.replace(".", "%2E.", 1), "0")


@pytest.mark.parametrize("link", [unsubscribe, preferences, confirm, my_data])
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


@pytest.mark.parametrize(("path", "purpose"), [("/u/", "preferences"), ("/u/", "undo"), ("/p/", "unsubscribe")])
def test_U7_a_token_for_one_purpose_is_none_for_another(newsroom, path, purpose):
    reader = Reader.joins(newsroom)
    before = everything(newsroom)
    link = path + newsroom.tokens.sign(purpose, reader.id)
    with serving(newsroom, Clock()) as site:
        answers = [site.get(link).status_code, site.post(link, data={"List-Unsubscribe": "One-Click"}).status_code]
    assert answers == [404, 404]
    assert everything(newsroom) == before
