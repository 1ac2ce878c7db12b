"""The pages that every mail links to, answered on the event loop from kept bytes: the same as the templates write."""

from __future__ import annotations

import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from conftest import Clock, copy_newsroom
from hypothesis import example, given, settings
from hypothesis import strategies as st
from public_server import NOW, serving, went_out
from starlette.datastructures import FormData
from starlette.responses import PlainTextResponse
from unsubscribing import ONE_CLICK, Reader

from mailer.errors import StoreError
from mailer.models import SubscriberState
from mailer.web import kept, library, preferences, public, unsubscribe, visit
from mailer.web.site import Site
from mailer.web.visit import page, visited

PURPOSES = pytest.mark.parametrize("purpose", ["unsubscribe", "preferences"])
PAGES = {"unsubscribe": ("/u/", unsubscribe), "preferences": ("/p/", preferences)}
LANGUAGES = ["", "en", "fr", "es", "ar", "de"]


class Written:
    """In the place of what is kept: every page is written by its template."""

    def page(self, key, values, render):
        return render(values).encode()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A newsroom with one issue that went out."""
    room = copy_newsroom(tmp_path_factory.mktemp("fast") / "room", issues=True)
    went_out(room, "2018-12")
    yield room
    room.close()


@pytest.fixture(scope="module")
def pair(published):
    """The same site, with pages that are kept and with pages that are written."""
    keeping = Site.of(published, Clock())
    return keeping, replace(keeping, kept=Written())


@pytest.fixture(scope="module")
def reader(published):
    return Reader.joins(published)


@pytest.fixture
def client(published):
    with serving(published, Clock()) as client:
        yield client


def link(room, purpose, number):
    return f"{PAGES[purpose][0]}{room.tokens.sign(purpose, number)}"


def body(site, purpose, number, query=""):
    """The page as it is kept."""
    token = site.room.tokens.sign(purpose, number)
    scope = {"query_string": query.encode(), "headers": [], "client": None}
    visit = visited(site, site.room.store, scope, {"token": token}, FormData())
    site.library.latest(site.room.store.archive)
    return PAGES[purpose][1].show(visit).body.decode()


HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
    st.sampled_from(['"><script>alert(1)</script>', "' onfocus='x", "{{ newsletter }}", "&amp;", "</p>", "‮amina", ""]),
)


@PURPOSES
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_kept_page_is_what_the_template_writes_whoever_asks(pair, reader, purpose, data):
    """One site keeps pages over all examples, so a shape that `key` forgets would show up in another's page."""
    keeping, writing = pair
    room = keeping.room
    topics = st.lists(st.sampled_from(list(room.config.interests)), unique=True)
    person = replace(
        reader.person,
        name=data.draw(HOSTILE),
        interests=room.config.topic_order(data.draw(topics)),
        language=data.draw(st.sampled_from(LANGUAGES)),
        paused_until=data.draw(st.sampled_from(["", "2018-12-20", "2018-01-01"])),
    )
    room.store.audience.update(person, NOW)
    number = data.draw(st.sampled_from([reader.id, 0]))
    query = data.draw(st.sampled_from(["", "lang=fr", "lang=xx"]))
    assert body(keeping, purpose, number, query) == body(writing, purpose, number, query)


@settings(max_examples=60, deadline=None)
@given(one=HOSTILE, other=HOSTILE)
@example(one="slot-{}-other-", other="the other")
def test_a_value_never_becomes_another_or_a_piece_of_the_page(pair, one, other):
    """Even one that guessed the mark."""
    keeper = pair[0].kept
    one = one.format(keeper._nonce) if one.startswith("slot-") else one

    def render(values):
        template = pair[0].environment.from_string('<a title="{{ one }}">{{ other }}</a>{{ one }}')
        return template.render(values)

    values = {"one": one, "other": other}
    assert keeper.page("test", values, render).decode() == render(values)


def test_only_so_many_pages_are_kept(monkeypatch):
    monkeypatch.setattr(kept, "_MOST", 3)
    keeper, rendered = kept.Kept(), []

    def render(values):
        rendered.append(1)
        return "page"

    for key in [1, 2, 3, 3, 4, 4, 1]:
        assert keeper.page(key, {}, render) == b"page"
    assert len(rendered) == 5


@PURPOSES
@pytest.mark.parametrize("asked", [{}, {"X-Forwarded-Proto": "https"}, {"Connection": "close"}], ids=str)
def test_it_is_answered_on_the_event_loop_with_the_headers_of_every_page(
    client, published, reader, monkeypatch, purpose, asked
):
    """HEAD goes the ordinary way, and says the same."""
    path = link(published, purpose, reader.id)
    monkeypatch.setattr(library, "monotonic", lambda: 100.0)  # what is found now stays at hand
    client.get(path)  # finds the latest issue

    def told(method):
        headers = dict(client.request(method, path, headers=asked).headers)
        return {name: value for name, value in headers.items() if name != "date"}

    ordinary = told("HEAD")
    monkeypatch.setattr(visit, "run_in_threadpool", None)  # the ordinary way is closed
    assert told("GET") == ordinary
    assert ordinary["content-security-policy"]
    assert ("strict-transport-security" in ordinary, "connection" in ordinary) == (
        "X-Forwarded-Proto" in asked, "Connection" in asked,
    )  # fmt: skip


def test_it_is_answered_on_the_event_loop_under_a_path_prefix_too(tmp_path, monkeypatch):
    room = copy_newsroom(tmp_path / "room", MAILER_PUBLIC_URL="https://www.example.org/news")
    path = link(room, "unsubscribe", Reader.joins(room).id)
    monkeypatch.setattr(visit, "run_in_threadpool", None)  # the ordinary way is closed
    with serving(room, Clock()) as client:
        kept, taken = client.get(f"/news{path}"), client.get(path)
    room.close()
    assert (kept.status_code, kept.text) == (200, taken.text)


@pytest.fixture
def raw(client):
    """A connection, to be read until the server closes it: before the 5 s after which it closes an idle one."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=4) as connection:
        yield connection, connection.makefile("rb")


@pytest.mark.parametrize("asked", ["HTTP/1.0", "HTTP/1.1\r\nConnection: close"], ids=["1.0", "close"])
def test_the_connection_is_closed_for_one_who_asks_for_a_single_page(raw, published, reader, asked):
    """RFC 9112 section 9.6."""
    connection, answer = raw
    connection.sendall(f"GET {link(published, 'unsubscribe', reader.id)} {asked}\r\nHost: x\r\n\r\n".encode())
    assert answer.read().endswith(b"</html>")


def test_pages_asked_for_together_come_in_their_order(raw, published, reader):
    """RFC 9112 section 9.3.2: pipelining."""
    connection, answer = raw
    paths = [link(published, purpose, reader.id) for purpose in ("unsubscribe", "preferences", "unsubscribe")]
    asked = "".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths)
    connection.sendall(asked.encode() + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    titles = re.findall(rb"<h1[^>]*>([^<]+)", answer.read())
    assert len(titles) == 3
    assert titles[0] == titles[2] != titles[1]


def test_it_is_counted_and_logged_by_its_route(client, published, reader, caplog):
    """Standards P9."""
    with caplog.at_level("INFO", "mailer.access"):
        client.get(link(published, "unsubscribe", reader.id))
        client.get(link(published, "unsubscribe", reader.id)[:-1] + "!")
        client.get("/healthz")  # by then the line of the one before is written
    said = [(record.request["page"], record.request["status"]) for record in caplog.records]
    assert said[:2] == [("/u/{token}", 200), ("/u/{token}", 404)]


@pytest.mark.parametrize("busy", [True, False], ids=["a busy store", "what is not at hand"])
def test_what_cannot_be_answered_at_once_is_answered_the_ordinary_way(published, reader, monkeypatch, busy):
    tried = []

    def at_once(visit, person):
        tried.append(person)
        if busy:
            raise StoreError("database is locked")

    def ordinary(visit):
        return PlainTextResponse(visit.parts["token"])

    monkeypatch.setattr(public, "ROUTES", [page("/e/{token}", get=ordinary), *public.ROUTES])
    monkeypatch.setattr(public, "AT_ONCE", {"/e/{token}": ("unsubscribe", at_once)})
    token = published.tokens.sign("unsubscribe", reader.id)
    with serving(published, Clock()) as client:
        answer = client.get(f"/e/{token}")
    assert (answer.status_code, answer.text) == (200, token)
    assert len(tried) == 1


def test_a_page_is_answered_while_somebody_writes(client, published, reader):
    client.get(link(published, "preferences", reader.id))
    other = published.open_store()
    with other.audience.transaction():
        other.audience.update(replace(reader.person, name="Somebody else"), NOW)
        answers = [client.get(link(published, purpose, reader.id)) for purpose in PAGES]
    other.close()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all("Somebody else" not in answer.text for answer in answers)


def test_a_change_is_seen_by_the_very_next_page(client, published):
    amina = Reader.joins(published, "next@example.org")
    assert "<h1>You are unsubscribed" not in client.get(amina.link).text
    assert client.post(amina.link, data=ONE_CLICK).status_code == 200
    assert client.get(amina.link).text != client.get(link(published, "unsubscribe", 0)).text
    assert '<button name="do" value="leave">' not in client.get(amina.link).text


def test_what_another_process_changes_is_seen_by_the_very_next_page(client, published):
    amina = Reader.joins(published, "elsewhere@example.org")
    leave, choose = amina.link, link(published, "preferences", amina.id)
    other = published.open_store()
    found = [client.get(leave), client.get(choose)]
    assert [(page.status_code, amina.person.email in page.text) for page in found] == [(200, True), (200, True)]
    paused = replace(amina.person, name="Somebody else", paused_until="2018-12-30")
    other.audience.update(paused, NOW)
    chosen = client.get(choose).text
    assert ("Somebody else" in chosen, 'value="2018-12-30"' in chosen) == (True, True)
    other.audience.update(replace(paused, state=SubscriberState.UNSUBSCRIBED), NOW)
    found = [client.get(leave), client.get(choose)]
    other.close()
    assert not any('value="leave"' in page.text or "Somebody else" in page.text for page in found)


def test_the_event_loops_store_neither_writes_nor_waits(published, reader):
    store = published.open_store()
    store.only_read()
    with pytest.raises(StoreError, match="readonly"):
        store.audience.update(reader.person, NOW)
    store.close()


def test_what_is_posted_takes_turns(published, monkeypatch):
    together, met = threading.Barrier(2), []

    def act(visit):
        with suppress(threading.BrokenBarrierError):
            together.wait(0.3)  # for another that is posted meanwhile
            met.append(True)
        return PlainTextResponse("")

    monkeypatch.setattr(public, "ROUTES", [page("/e/{token}", post=act)])
    with serving(published, Clock()) as client, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.post("/e/x", data=ONE_CLICK), range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert met == []


def test_the_latest_issue_is_looked_for_once_a_second(newsroom, write_issue, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(library, "monotonic", lambda: now[0])
    books, archive = library.Library(), newsroom.store.archive
    assert books.latest(archive) is None
    went_out(newsroom, write_issue(), "amina@example.org")
    now[0] += 0.9
    assert (books.knows_latest, books.latest(archive)) == (True, None)
    now[0] += 0.2
    assert not books.knows_latest
    assert books.latest(archive).issue.slug == "2019-01"
