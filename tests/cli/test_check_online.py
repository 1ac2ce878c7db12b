"""mailer check --online against a real web server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mailer import __version__
from mailer.cli import online
from mailer.cli.online import Cache, ask
from mailer.compose.checks.answers import Answer

MOVES = {"/moved": 301, "/for-now": 302}


class Web(ThreadingHTTPServer):
    """Answers by path: a status, `/head-405` refuses HEAD, `/moved` leads to `/200` for good, `/for-now` for now."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.asked: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.never = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Page(BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        with self.server.lock:
            self.server.asked.append((self.command, self.path))
            self.server.agents.add(self.headers["User-Agent"])
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        if self.path == "/slow":
            self.server.never.wait(20)
        with self.server.lock:
            self.server.at_once -= 1
        self.send_response(self._status())
        if self.path in MOVES:
            self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _status(self) -> int:
        if self.path == "/head-405":
            return 405 if self.command == "HEAD" else 200
        return MOVES.get(self.path) or (int(self.path[1:]) if self.path[1:].isdigit() else 200)

    do_GET = do_HEAD

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web():
    server = Web()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.never.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(online, "_PAUSE", 0.0)


def test_each_answer_says_what_a_reader_would_find(web):
    urls = {path: web.url(path) for path in ("/200", "/404", "/410", "/500", "/head-405", "/moved", "/for-now")}
    said = asyncio.run(ask(urls.values()))
    assert {path: said[url] for path, url in urls.items()} == {
        "/200": Answer(200),
        "/404": Answer(404),
        "/410": Answer(410),
        "/500": Answer(500),
        "/head-405": Answer(200),
        "/moved": Answer(200, moved=web.url("/200")),
        "/for-now": Answer(200),
    }
    assert [said[urls[path]].gone for path in ("/200", "/404", "/410", "/500")] == [False, True, True, False]
    assert [said[urls[path]].doubtful for path in ("/200", "/404", "/500")] == [False, False, True]


def test_a_host_is_asked_one_address_at_a_time_by_head_first_under_our_name(web):
    asyncio.run(ask([web.url(f"/20{number}") for number in range(5)] + [web.url("/head-405")]))
    assert web.most_at_once == 1
    assert Counter(web.asked) == Counter(
        [("HEAD", f"/20{number}") for number in range(5)] + [("HEAD", "/head-405"), ("GET", "/head-405")]
    )
    assert web.agents == {f"mailer/{__version__} (newsletter link check)"}


def test_hosts_are_asked_at_the_same_time_and_none_for_ever(web, monkeypatch):
    monkeypatch.setattr(online, "_TIMEOUT", 0.2)
    other = web.url("/200").replace("127.0.0.1", "localhost")
    said = asyncio.run(ask([web.url("/slow"), other]))
    assert said == {web.url("/slow"): Answer(0, "no answer within 0 seconds"), other: Answer(200)}


def test_nobody_behind_an_address_is_doubtful():
    said = asyncio.run(ask(["http://127.0.0.1:1/"]))["http://127.0.0.1:1/"]
    assert (said, said.doubtful) == (Answer(0, "nobody answers there"), True)


def test_a_host_that_does_not_exist_is_gone():
    said = asyncio.run(ask(["http://nowhere.invalid/"]))["http://nowhere.invalid/"]
    assert (said, said.gone) == (Answer(0, "there is no such host", unknown_host=True), True)


def test_good_answers_are_kept_for_a_day_and_bad_ones_asked_again(tmp_path):
    path, now = tmp_path / "links.json", 1_000_000.0
    Cache(path, lambda: now).keep({"https://a.example/": Answer(200), "https://b.example/": Answer(404)})
    later = Cache(path, lambda: now + 86_399)
    assert (later.get("https://a.example/"), later.get("https://b.example/")) == (Answer(200), None)
    assert Cache(path, lambda: now + 86_400).get("https://a.example/") is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"https://a.example/": 3}', '{"https://a.example/": {"at": "x"}}'])
def test_a_broken_cache_is_done_without(tmp_path, content):
    path = tmp_path / "links.json"
    path.write_text(content)
    cache = Cache(path)
    assert cache.get("https://a.example/") is None
    cache.keep({"https://a.example/": Answer(200)})
    assert list(json.loads(path.read_text())) == ["https://a.example/"]


def test_check_online_finds_the_dead_link_and_asks_the_good_one_once(office, web):
    from conftest import ISSUE
    from sending import SLUG

    text = ISSUE.replace("https://example.org/grow", web.url("/404"))
    office.write_issue(text.replace("https://example.org/report", web.url("/200")))
    for _ in range(2):
        answer = office.run("check", SLUG, "--online", "--json")
        found = [(one["line"], one["text"]) for one in answer.json["findings"] if one["id"] == "MLR044"]
        assert found == [(14, f"{web.url('/404')}: the server answers 404")]
    assert Counter(path for _, path in web.asked) == {"/404": 4, "/200": 1}
    assert (office.root / ".cache/links.json").is_file()
