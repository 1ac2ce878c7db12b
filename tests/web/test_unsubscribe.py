"""Leaving by link and by one click. U1-U20 are the requirements of the team's list of mail standards.

Those that concern the headers of a mail and not these pages are shown in tests/compose/test_unsubscribe_headers.py.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from conftest import copy_newsroom
from public_server import serving
from sending import NOW, SLUG, finish
from smtp_relay import Gate, Relay
from unsubscribing import AMINA, ONE_CLICK, Reader, registry, two_lists

from mailer import config as configuration
from mailer.audience import life
from mailer.audience.intake import import_csv
from mailer.models import Channel, Event, Evidence, Reason, SubscriberState
from mailer.newsroom import Newsroom

URLENCODED = {"data": ONE_CLICK}
MULTIPART = {"files": {name: (None, value) for name, value in ONE_CLICK.items()}}
ENCODINGS = pytest.mark.parametrize("encoding", [URLENCODED, MULTIPART], ids=["urlencoded", "multipart"])
LEFT = SubscriberState.UNSUBSCRIBED


@pytest.fixture
def site(newsroom, clock):
    with serving(newsroom, clock) as client:
        yield client


@pytest.fixture
def amina(newsroom):
    return Reader.joins(newsroom)


def hidden(page: str) -> str:
    """The token that the form for coming back holds."""
    [token] = re.findall(r'<input type="hidden" name="undo" value="([^"]+)">', page)
    return token


def headings(page: str) -> list[str]:
    return [re.sub("<.*?>", "", found) for found in re.findall(r"<h[12]>(.*?)</h[12]>", page)]


# --- one click --------------------------------------------------------------------------------------------


@ENCODINGS
def test_U4_one_post_unsubscribes_without_cookie_login_or_origin(site, amina, encoding):
    """RFC 8058 sections 3.1 and 3.2."""
    site.headers.clear()
    answer = site.post(amina.link, **encoding)
    assert (answer.status_code, answer.text, amina.state) == (200, "You are unsubscribed.", LEFT)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        ("application/x-www-form-urlencoded; charset=utf-8", b"List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=x",
         b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'),
        ('multipart/form-data; boundary="a b"',
         b'--a b\r\nContent-Disposition: form-data; name=List-Unsubscribe\r\nContent-Type: text/plain\r\n\r\n'
         b'One-Click\r\n--a b--'),
    ],
    ids=["urlencoded", "with a charset", "multipart of RFC 8058 section 8.2", "multipart, spelt otherwise"],
)  # fmt: skip
def test_U5_both_encodings_are_read_as_mail_programs_write_them(site, amina, content_type, body):
    answer = site.post(amina.link, content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, amina.state) == (200, LEFT)


@ENCODINGS
def test_U6_the_answer_is_200_again_and_again_also_after_erasure(site, amina, encoding):
    first = [site.post(amina.link, **encoding).status_code for _ in range(3)]
    events = [row.event for row in amina.journal]
    amina.erase()
    after = [site.post(amina.link, **encoding).status_code for _ in range(3)]
    assert (first, after) == ([200] * 3, [200] * 3)
    assert events == [Event.ADDED, Event.LEFT]
    assert [row.event for row in amina.journal] == [Event.ADDED, Event.LEFT, Event.ERASED]


def test_U8_looking_changes_nothing(site, amina):
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
        for query in ("", "?List-Unsubscribe=One-Click", "?do=leave"):
            site.request(method, amina.link + query)
    assert (amina.state, [row.event for row in amina.journal]) == (SubscriberState.ACTIVE, [Event.ADDED])


def test_U8_the_page_has_one_button(site, amina):
    page = site.get(amina.link).text
    assert re.findall(r"<button.*?</button>", page) == ['<button name="do" value="leave">Unsubscribe</button>']
    assert re.findall(r"<(?:input|select|textarea)", page) == []
    assert f'<bdi dir="ltr">{AMINA}</bdi>' in page


def test_U9_the_button_of_the_page_works(site, amina):
    answer = site.post(amina.link, data={"do": "leave"})
    assert (answer.status_code, amina.state) == (200, LEFT)
    assert headings(answer.text) == ["You are unsubscribed", "Was this a mistake?", "Would you tell us why?"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": {"List-Unsubscribe": "one-click"}},
        {"data": {"List-Unsubscribe": ""}},
        {"data": {"list-unsubscribe": "One-Click"}},
        {"data": {"do": "Leave"}},
        {"data": {"email": AMINA}},
        {"json": ONE_CLICK},
        {"content": b"List-Unsubscribe=One-Click", "headers": {"Content-Type": "text/plain"}},
        {"content": b"List-Unsubscribe=One-Click"},
        {"files": {"List-Unsubscribe": ("a.txt", "One-Click")}},
    ],
    ids=["empty", "small letters", "no value", "another name", "another button", "an address", "JSON", "plain text",
         "no type", "a file"],
)  # fmt: skip
def test_U9_any_other_body_is_refused_and_changes_nothing(site, amina, body):
    assert site.post(amina.link, **body).status_code == 400
    assert (amina.state, [row.event for row in amina.journal]) == (SubscriberState.ACTIVE, [Event.ADDED])


@pytest.mark.parametrize("names", [("here", "there"), ("there", "here")], ids=["one", "other"])
@ENCODINGS
def test_U10_other_newsletters_stay(tmp_path, clock, names, encoding):
    """A newsroom is a list. Two share a key, and number 1 is another person in each: a link counts in its own alone."""
    rooms = two_lists(tmp_path)
    here, there = (rooms[name] for name in names)
    leaving, staying = Reader.joins(here), Reader.joins(there, "joao@example.org")
    assert (leaving.id, here.tokens.digest("", "")) == (staying.id, there.tokens.digest("", ""))
    with serving(here, clock) as one, serving(there, clock) as other:
        assert other.post(leaving.link, **encoding).status_code == 404
        assert one.post(leaving.link, **encoding).status_code == 200
        assert other.get(leaving.link).status_code == 404
    assert (leaving.state, staying.state) == (LEFT, SubscriberState.ACTIVE)
    assert [row.event for row in staying.journal] == [Event.ADDED]


@ENCODINGS
def test_U12_who_leaves_during_a_send_gets_no_mail_of_it(office, clock, encoding):
    """The send stands between its first and its second content; both others are claimed already."""
    gate = Gate("250 2.0.0 Ok: queued")
    with Relay({"content": gate}) as relay:
        office.use(relay)
        office.subscribe(count=3)
        room = office.room()
        sending = office.start("send", SLUG, "--yes")
        gate.wait()
        with serving(room, clock) as site:
            assert site.post(Reader(room, 2).link, **encoding).status_code == 200
        gate.open()
        assert finish(sending).code == 0
    assert relay.received == ["r001@example.org", "r003@example.org"]
    row = office.log()["r002@example.org"]
    assert (str(row.state), row.attempts, row.reply) == ("skipped", 0, "unsubscribed since the send was planned")


def test_U13_a_link_works_after_ten_years_and_two_new_keys(tmp_path, clock):
    folder = tmp_path / "room"
    copy_newsroom(folder)
    reader = Reader.joins(Newsroom.open(folder, {}))
    link = reader.link
    reader.room.close()
    for _ in range(2):
        configuration.add_key(folder, configuration.new_key(), {})
    clock.now += timedelta(days=3653)
    room = Newsroom.open(folder, {})
    with serving(room, clock) as site:
        assert site.post(link, **URLENCODED).status_code == 200
    assert Reader(room, reader.id).state == LEFT
    assert Reader(room, reader.id).link != link
    room.close()


def test_U14_nothing_is_asked_before_and_nothing_required_after(site, amina):
    page = site.post(amina.link, data={"do": "leave"}).text
    assert amina.state is LEFT
    assert "required" not in page
    assert re.findall(r'name="why" value="([^"]+)"', page) == list(Reason)


@pytest.mark.parametrize(
    "body", [URLENCODED, MULTIPART, {"data": {"do": "leave"}}, {"data": {"do": "why", "why": "other"}}]
)
def test_U19_a_test_mails_link_works_and_changes_nothing(site, amina, newsroom, body):
    link = f"/u/{newsroom.tokens.sign('unsubscribe', 0)}"
    page = site.get(link)
    assert (page.status_code, headings(page.text)) == (200, ["Unsubscribe from Enterprises Newsletter?"])
    assert "nothing will change" in page.text
    assert site.post(link, **body).status_code == 200
    assert list(newsroom.store.journal.people()) == [(amina.id, amina.journal)]
    assert amina.state is SubscriberState.ACTIVE


def test_U20_an_import_does_not_bring_back_who_left(site, amina, newsroom, tmp_path):
    site.post(amina.link, **URLENCODED)
    file = tmp_path / "people.csv"
    file.write_text(f"email\n{AMINA}\n", "utf-8")
    import_csv(file, file.name, newsroom.store.audience, newsroom.config, newsroom.tokens, NOW,
               on_bad=lambda problem: None)  # fmt: skip
    assert amina.state is LEFT


# --- undo and why -----------------------------------------------------------------------------------------


def test_leaving_can_be_taken_back_from_the_result_page(site, amina):
    before = amina.person
    page = site.post(amina.link, data={"do": "leave"}).text
    assert "Until 13 January 2019 you can take it back." in page
    answer = site.post(amina.link, data={"do": "undo", "undo": hidden(page)})
    assert (answer.status_code, headings(answer.text)) == (200, ["You are subscribed again"])
    assert amina.person == before
    assert [row.event for row in amina.journal] == [Event.ADDED, Event.LEFT, Event.UNDONE]


def test_what_came_back_is_in_the_journal_with_the_words_of_the_button(site, amina, newsroom):
    page = site.post(f"{amina.link}?lang=fr", data={"do": "leave"}).text
    site.post(f"{amina.link}?lang=fr", data={"do": "undo", "undo": hidden(page)}, headers={"User-Agent": "Firefox"})
    _, left, undone = amina.journal
    assert (left.channel, undone.channel) == (Channel.LINK, Channel.LINK)
    assert (undone.network, undone.agent, undone.details["shown_in"]) == ("127.0.0.1", "Firefox", "fr")
    assert newsroom.store.journal.wording(undone.details["wording"]) == "Me réabonner"


@pytest.mark.parametrize(
    ("days", "status", "state"), [(29, 200, SubscriberState.ACTIVE), (31, 410, LEFT)], ids=["in time", "too late"]
)
def test_undo_is_there_for_30_days(site, amina, clock, days, status, state):
    page = site.post(amina.link, data={"do": "leave"}).text
    clock.now += timedelta(days=days)
    again = site.get(amina.link).text
    assert ("Was this a mistake?" in headings(again)) == (state is SubscriberState.ACTIVE)
    assert site.post(amina.link, data={"do": "undo", "undo": hidden(page)}).status_code == status
    assert amina.state is state


def test_undo_after_erasure_says_that_it_is_too_late(site, amina):
    page = site.post(amina.link, data={"do": "leave"}).text
    amina.erase()
    answer = site.post(amina.link, data={"do": "undo", "undo": hidden(page)})
    assert (answer.status_code, amina.state) == (410, None)
    assert "can no longer be taken back" in answer.text


def test_undo_needs_the_token_of_the_result_page_and_of_this_person(site, amina, newsroom):
    other = Reader.joins(newsroom, "joao@example.org")
    for reader in (amina, other):
        site.post(reader.link, **URLENCODED)
    tokens = newsroom.tokens
    for forged in ("", amina.link[3:], tokens.sign("undo", other.id), tokens.sign("preferences", amina.id)):
        assert site.post(amina.link, data={"do": "undo", "undo": forged}).status_code == 400
    assert site.post(amina.link, data={"do": "undo"}).status_code == 400
    assert (amina.state, other.state) == (LEFT, LEFT)


def test_an_answer_to_why_is_kept_once(site, amina):
    site.post(amina.link, data={"do": "leave"})
    page = site.post(amina.link, data={"do": "why", "why": "too-many"}).text
    assert "Thank you for your answer." in page
    assert headings(page) == ["You are unsubscribed", "Was this a mistake?"]
    site.post(amina.link, data={"do": "why", "why": "other"})
    assert [row.details.get("why") for row in amina.journal if row.event is Event.SAID_WHY] == ["too-many"]


@pytest.mark.parametrize(
    ("form", "status"), [({"do": "why"}, 200), ({"do": "why", "why": "a<b>"}, 400), ({"do": "why", "why": ""}, 400)]
)
def test_no_answer_is_fine_and_another_than_ours_is_refused(site, amina, form, status):
    site.post(amina.link, data={"do": "leave"})
    assert site.post(amina.link, data=form).status_code == status
    assert [row.event for row in amina.journal] == [Event.ADDED, Event.LEFT]


def test_who_came_back_is_asked_no_why(site, amina):
    page = site.post(amina.link, data={"do": "leave"}).text
    site.post(amina.link, data={"do": "undo", "undo": hidden(page)})
    answer = site.post(amina.link, data={"do": "why", "why": "other"})
    assert headings(answer.text) == ["Unsubscribe from Enterprises Newsletter?"]
    assert [row.event for row in amina.journal] == [Event.ADDED, Event.LEFT, Event.UNDONE]


def test_who_was_suppressed_sees_no_way_back(site, amina, newsroom):
    site.post(amina.link, **URLENCODED)
    life.undo_leave(registry(newsroom), amina.id, Evidence(NOW, Channel.LINK))
    life.suppress(registry(newsroom), amina.id, Evidence(NOW, Channel.SEND), "bounced")
    for page in (site.get(amina.link), site.post(amina.link, data={"do": "leave"})):
        assert (page.status_code, headings(page.text)) == (200, ["You are unsubscribed"])
    assert amina.state is SubscriberState.SUPPRESSED


# --- language and privacy ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "query", "browser", "spoken", "button"),
    [
        ("fr", "", "es", "fr", "Se désabonner"),
        ("fr", "?lang=es", "", "es", "Darse de baja"),
        ("ar", "", "", "ar", "إلغاء الاشتراك"),
        ("", "", "es", "es", "Darse de baja"),
    ],
    ids=["the subscriber's", "as asked", "from right to left", "the browser's, when none was chosen"],
)
def test_the_page_speaks_the_readers_language(site, newsroom, own, query, browser, spoken, button):
    reader = Reader.joins(newsroom, language=own)
    page = site.get(reader.link + query, headers={"Accept-Language": browser}).text
    assert f'<html lang="{spoken}"' in page
    assert f">{button}</button>" in page


def test_a_one_click_is_told_to_the_journal_and_not_to_the_log(site, amina, newsroom, caplog):
    """Standards P2, P9."""
    with caplog.at_level("DEBUG"):
        site.post(amina.link, data=ONE_CLICK, headers={"User-Agent": "Mailprogram/1"})
        site.get("/healthz")  # by then the line of the one before is written
    row = amina.journal[-1]
    token = newsroom.tokens.name(amina.link[3:])
    assert (row.event, row.channel, row.network, row.agent) == (
        Event.LEFT, Channel.ONE_CLICK, "127.0.0.1", "Mailprogram/1",
    )  # fmt: skip
    assert row.details["token"] == token
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("mailer", "uvicorn"))]
    assert [line for line in ours if AMINA in line or amina.link[3:] in line] == []
    assert any(line.startswith("POST /u/{token} 200") for line in ours)


def test_the_day_until_which_it_can_be_taken_back_is_the_day_it_can(site, amina, clock):
    """Someone who leaves late in the evening is not promised a day too many."""
    clock.now = datetime(2018, 12, 14, 23, 59, tzinfo=UTC)
    page = site.post(amina.link, data={"do": "leave"}).text
    assert "Until 13 January 2019" in page
