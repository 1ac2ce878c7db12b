"""Preferences: everything a reader chooses, behind the signed link of every mail, saved by one POST."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from joining_form import done, links
from public_server import NOW, went_out

from mailer.audience import life, subscribers
from mailer.audience.registry import Registry
from mailer.models import Channel, Event, Evidence, SubscriberState

pytest_plugins = ["mailing_site"]


@pytest.fixture
def room(room, write_issue):
    """Nora chose cooperatives, and got an issue."""
    went_out(room, write_issue(), "nora@example.org", interests=["cooperatives"])
    return room


@pytest.fixture
def path(room):
    """Nora's link."""
    return f"/p/{room.tokens.sign('preferences', 1)}"


SAME = {"email": "nora@example.org", "interests": ["cooperatives"], "language": "en", "name": ""}


def nora(room):
    return room.store.audience.get(1)


def told(page: str) -> list[str]:
    """What the page says that changed, without markup."""
    note = re.search(r'<div class="note" role="status"[^>]*>(.*?)</div>', page, re.DOTALL)
    return [re.sub("<[^>]+>", "", each) for each in re.findall("<li>(.*?)</li>", note[1])] if note else []


def events(room) -> list[str]:
    return [str(row.event) for row in room.store.journal.rows(1)][1:]


def test_U8_looking_at_preferences_changes_nothing(client, room, path):
    before = nora(room)
    statuses = {client.request(method, path).status_code for method in ("GET", "HEAD") * 50}
    assert (statuses, nora(room), events(room)) == ({200}, before, [])


@pytest.mark.parametrize("position", [0, 3, -1])
def test_a_changed_link_is_nobodys_and_changes_nothing(client, room, path, position):
    token = list(path.removeprefix("/p/"))
    token[position] = "z" if token[position] != "z" else "y"
    forged = f"/p/{''.join(token)}"
    assert (client.get(forged).status_code, client.post(forged, data=SAME | {"name": "X"}).status_code) == (404, 404)
    assert nora(room).name == ""


@pytest.mark.parametrize(
    ("given", "changes", "written"),
    [
        ({"interests": ["cooperatives", "green-jobs"]}, ["Your topics: Cooperatives, Green jobs."], ["changed"]),
        ({"interests": []}, ["You get every story."], ["changed"]),
        ({"name": "Nora  K."}, ["Your name: Nora K."], ["changed"]),
        ({"language": "fr"}, ["Votre langue : Français."], ["changed"]),
        ({"paused_until": "2019-01-31"}, ["No issue reaches you before 31 January 2019."], ["paused"]),
        (
            {"interests": ["social-finance"], "name": "<b>", "paused_until": "2018-12-15"},
            ["Your topics: Social finance.", "Your name: &lt;b&gt;", "No issue reaches you before 15 December 2018."],
            ["changed", "paused"],
        ),
    ],
    ids=["topics", "no topics", "name", "language", "pause", "three at once"],
)  # fmt: skip
def test_one_post_saves_all_and_says_what_changed(client, room, path, given, changes, written):
    client.post(path, data=SAME)  # the language was never said before
    before = len(events(room))
    answer = client.post(path, data=SAME | given)
    said = [re.sub("\u00a0", " ", change) for change in told(answer.text)]
    assert sorted(said) == sorted(changes)
    assert (answer.status_code, events(room)[before:]) == (200, written)
    kept = nora(room)
    assert kept.interests == tuple(given.get("interests", SAME["interests"]))
    assert kept.paused_until == given.get("paused_until", "")


def test_saving_what_is_the_same_says_so(client, room, path):
    client.post(path, data=SAME)
    answer = client.post(path, data=SAME)
    assert "Nothing was changed" in answer.text
    assert events(room) == ["changed"]  # the language, which was never said before


def test_a_pause_is_ended_by_an_empty_day(client, room, path):
    client.post(path, data=SAME | {"paused_until": "2019-01-31"})
    assert told(client.post(path, data=SAME | {"paused_until": ""}).text) == ["Your pause is over."]
    assert nora(room).paused_until == ""


def test_a_pause_that_is_over_is_no_error(client, room, clock, path):
    client.post(path, data=SAME | {"paused_until": "2018-12-20"})
    clock.now += timedelta(days=30)
    assert client.post(path, data=SAME | {"paused_until": "2018-12-20"}).status_code == 200
    assert nora(room).paused_until == ""


@pytest.mark.parametrize("day", ["2018-12-14", "2020-12-14", "tomorrow", "2018-02-30"])
def test_W12_a_wrong_day_is_said_at_its_field_and_nothing_is_saved(client, room, path, day):
    answer = client.post(path, data=SAME | {"paused_until": day, "name": "Nora"})
    assert answer.status_code == 422
    assert 'aria-describedby="paused_until-hint paused_until-wrong" aria-invalid="true"' in answer.text
    assert "Choose a day from 15 December 2018 to 15 December 2019." in answer.text
    assert (f'value="{day}"' in answer.text, 'value="Nora"' in answer.text) == (True, True)
    assert (nora(room).name, nora(room).paused_until) == ("", "")


def test_another_address_is_confirmed_there_before_it_counts(client, room, relay, path):
    answer = client.post(path, data=SAME | {"email": "new@example.org"})
    assert "We are sending a mail to new@example.org." in told(answer.text)[-1]
    relay.wait_for(lambda: len(relay.mails) == 1)
    assert (relay.received, nora(room).email) == (["new@example.org"], "nora@example.org")
    [link] = links(relay.mails, "/address/")
    page = client.get(link)
    assert (page.status_code, page.text.count("<button"), nora(room).email) == (200, 1, "nora@example.org")
    assert (client.post(link).status_code, nora(room).email) == (200, "new@example.org")
    assert client.post(link).status_code == 200  # again, it changes nothing
    assert events(room)[-2:] == ["address-asked", "address-changed"]


@pytest.mark.parametrize("situation", ["free", "taken"])
def test_P5_the_answer_does_not_say_whether_another_address_is_known(client, room, relay, path, situation):
    if situation == "taken":
        subscribers.add(room.store.audience, room.config, room.tokens, "new@example.org", "", [], NOW)
    answer = client.post(path, data=SAME | {"email": "new@example.org"})
    assert "We are sending a mail to new@example.org." in told(answer.text)[-1]
    done(room)
    assert relay.received == (["new@example.org"] if situation == "free" else [])


def test_an_address_taken_meanwhile_is_refused_and_a_link_ends_after_seven_days(client, room, relay, clock, path):
    client.post(path, data=SAME | {"email": "new@example.org"})
    relay.wait_for(lambda: len(relay.mails) == 1)
    [link] = links(relay.mails, "/address/")
    subscribers.add(room.store.audience, room.config, room.tokens, "new@example.org", "", [], NOW)
    assert client.post(link).status_code == 409
    clock.now += timedelta(days=8)
    assert (client.get(link).status_code, client.post(link).status_code) == (410, 410)
    assert nora(room).email == "nora@example.org"


def titles(page: str) -> list[str]:
    section = re.search(r'<section class="taste".*?</section>', page, re.DOTALL)[0]
    return re.findall("<li><bdi>(.*?)</bdi>", section)


def test_the_page_shows_what_the_latest_issue_would_have_brought(client, room, path):
    page = client.get(path).text
    assert titles(page) == ["Cooperatives grow", "For everybody"]
    assert "it would have brought 2 stories, of 2." in page


def test_a_choice_is_looked_at_without_being_saved(client, room, path):
    answer = client.post(path, data=SAME | {"interests": ["green-jobs"], "name": "Nora", "look": "1"})
    assert titles(answer.text) == ["For everybody"]
    assert "it would have brought 1 story, of 2." in answer.text
    assert ('value="green-jobs" checked' in answer.text, 'value="Nora"' in answer.text) == (True, True)
    assert (nora(room).interests, events(room)) == (("cooperatives",), [])


def test_the_page_speaks_the_readers_language(client, room, path):
    client.post(path, data=SAME | {"language": "ar"})
    assert '<html lang="ar" dir="rtl">' in client.get(path).text
    assert '<html lang="es" dir="ltr">' in client.get(f"{path}?lang=es").text


def test_U14_the_way_out_is_one_link_away_and_asks_for_nothing(client, room, path):
    [leave] = re.findall(r'href="(/u/[^"]+)"', client.get(path).text)
    page = client.get(leave).text
    assert re.findall(r"<(?:input|select|textarea)\b[^>]*", page) == []
    assert "<button" in page


def test_U19_a_test_mails_link_works_and_changes_nothing(client, room):
    inert = f"/p/{room.tokens.sign('preferences', 0)}"
    assert "You came from a test mail." in client.get(inert).text
    before = list(room.store.audience.all())
    answer = client.post(inert, data={"email": "x@example.org", "name": "X", "interests": ["green-jobs"]})
    assert answer.status_code == 200
    assert (list(room.store.audience.all()), room.store.outbox.count()) == (before, 0)


@pytest.mark.parametrize(("act", "status"), [(life.leave, 200), (life.erase, 410)], ids=["left", "erased"])
def test_one_who_is_gone_is_told_how_to_come_back(client, room, path, act, status):
    act(Registry(room.store, room.config, room.tokens), 1, Evidence(NOW, Channel.OPERATOR))
    for answer in (client.get(path), client.post(path, data=SAME | {"name": "Nora"})):
        assert (answer.status_code, "You are not subscribed" in answer.text) == (status, True)
    if status == 200:
        assert (nora(room).state, nora(room).name) == (SubscriberState.UNSUBSCRIBED, "")


def test_P2_a_change_keeps_what_was_shown_and_where_it_came_from(client, room, path):
    client.post(f"{path}?lang=fr", data=SAME | {"name": "Nora"}, headers={"User-Agent": "Reader/1.0"})
    row = room.store.journal.last(1, Event.CHANGED)
    assert (row.channel, row.network, row.agent) == (Channel.LINK, "127.0.0.1", "Reader/1.0")
    assert row.details["shown_in"] == "fr"
    assert room.store.journal.wording(row.details["wording"]).startswith("Vos préférences\nThèmes\n")
    assert row.details["token"] == room.tokens.name(path.removeprefix("/p/"))
