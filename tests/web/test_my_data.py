"""My data: everything held, to download or to erase, by a link that is mailed and good for an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest
from joining_form import links, send
from public_server import went_out

pytest_plugins = ["mailing_site"]


@pytest.fixture
def room(room, write_issue):
    """Nora got an issue."""
    went_out(room, write_issue(), "nora@example.org")
    return room


@pytest.fixture
def link(client, relay, clock):
    """Nora's, as it was mailed."""
    send(client, clock, path="/data", email="nora@example.org")
    relay.wait_for(lambda: len(relay.mails) == 1)
    [path] = links(relay.mails, "/data/")
    return path


def test_P4_everything_held_can_be_downloaded(client, link):
    answer = client.post(link, data={"act": "download"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["cache-control"] == "private, no-store"
    held = answer.json()
    assert held["subscriber"]["email"] == "nora@example.org"
    assert [row["event"] for row in held["consent"]] == ["added"]
    assert [(issue["issue"], issue["state"]) for issue in held["issues"]] == [("2019-01", "accepted")]


def test_P4_everything_is_erased_and_the_totals_stay(client, room, link):
    before = room.store.sendlog.balance("2019-01")
    assert client.post(link, data={"act": "erase", "sure": "yes"}).status_code == 200
    assert room.store.audience.get(1) is None
    assert room.store.audience.is_suppressed(room.tokens.digest("address", "nora@example.org"))
    assert room.store.sendlog.balance("2019-01") == before
    assert room.store.journal.verify().problems == ()
    for again in (client.get(link), client.post(link, data={"act": "download"})):
        assert (again.status_code, "nora" in again.text) == (410, False)


def test_erasing_has_to_be_ticked_first(client, room, link):
    """WCAG 2.2, 3.3.4: what deletes a reader's data is confirmed."""
    answer = client.post(link, data={"act": "erase"})
    assert answer.status_code == 422
    assert 'id="sure" name="sure" value="yes" required aria-invalid="true" aria-describedby="sure-wrong"' in answer.text
    assert room.store.audience.get(1) is not None


def test_U8_opening_the_link_shows_and_changes_nothing(client, room, link):
    page = client.get(link)
    assert {client.request(method, link).status_code for method in ("GET", "HEAD") * 50} == {200}
    assert ("nora" in page.text, room.store.audience.get(1) is None) == (False, False)


@pytest.mark.parametrize("data", [{}, {"act": "everything"}], ids=["nothing", "unknown"])
def test_an_unknown_form_is_refused(client, room, link, data):
    assert client.post(link, data=data).status_code == 400
    assert room.store.audience.get(1) is not None


@pytest.mark.parametrize(("minutes", "status"), [(59, 200), (61, 410)])
def test_the_link_is_good_for_an_hour(client, link, clock, minutes, status):
    clock.now += timedelta(minutes=minutes)
    answers = client.get(link), client.post(link, data={"act": "download"})
    assert [answer.status_code for answer in answers] == [status, status]


def test_no_other_link_opens_it(client, room, link):
    """Never on a bare link: neither that of every mail nor a changed one."""
    others = [room.tokens.sign("preferences", 1), room.tokens.sign("my-data", 1), link.removeprefix("/data/")[:-1]]
    assert [client.post(f"/data/{other}", data={"act": "download"}).status_code for other in others] == [404] * 3


def test_a_stranger_gets_no_mail_and_the_same_answer(client, relay, clock, link):
    known = send(client, clock, path="/data", email="nora@example.org")
    stranger = send(client, clock, path="/data", email="stranger@example.org")
    assert stranger.text.replace("stranger@", "nora@") == known.text
    relay.wait_for(lambda: len(relay.mails) == 2)
    assert relay.received == ["nora@example.org"] * 2


def test_W12_a_wrong_address_is_said_at_its_field(client, clock):
    answer = send(client, clock, path="/data", email="nora")
    assert answer.status_code == 422
    assert 'aria-describedby="email-hint email-wrong" aria-invalid="true"' in answer.text
    assert 'value="nora"' in answer.text
