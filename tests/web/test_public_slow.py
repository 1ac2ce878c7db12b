"""Clients that take their time: each is cut off, and the others are served meanwhile."""

from __future__ import annotations

import socket
import threading

import pytest
from public_server import serving
from starlette.responses import PlainTextResponse, Response

from mailer.web import public, server
from mailer.web.security import PATIENCE
from mailer.web.server import HEAD_LIMIT
from mailer.web.visit import Visit, page

SHORT = 0.3  # seconds of patience
LARGE = 30_000_000
HEAD = b"GET /healthz HTTP/1.1\r\nHost: example.org\r\n"
POST = b"POST /form HTTP/1.1\r\nHost: example.org\r\nContent-Length: 100\r\n\r\nchoice="


def form(visit: Visit) -> Response:
    return PlainTextResponse("read")


def large(visit: Visit) -> Response:
    """More than the buffers of both sockets hold."""
    return Response(b"x" * LARGE)


@pytest.fixture
def pages(monkeypatch):
    monkeypatch.setattr(public, "ROUTES", [page("/form", post=form), page("/large", get=large), *public.ROUTES])


@pytest.fixture
def site(newsroom, clock, pages):
    with serving(newsroom, clock, patience=SHORT) as client:
        yield client


def connected(site, buffer=0):
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(20)
    connection.connect((site.base_url.host, site.base_url.port))
    return connection


def everything(connection):
    """What the server says until it hangs up; a reset is hanging up too."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("sent", [b"", HEAD[:10], HEAD], ids=["nothing", "half a line", "no end of the head"])
def test_a_client_that_does_not_finish_its_head_is_cut_off(site, sent):
    """Slowloris."""
    with connected(site) as slow:
        slow.sendall(sent)
        assert site.get("/healthz").status_code == 200
        assert everything(slow) == b""


def test_a_kept_connection_has_as_long_for_its_next_head(site):
    with connected(site) as slow:
        slow.sendall(HEAD + b"\r\n")
        assert slow.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        slow.sendall(HEAD)
        assert b"200" not in everything(slow)


def test_a_head_without_end_is_cut_off_by_its_length(newsroom, clock):
    with serving(newsroom, clock, patience=PATIENCE) as site, connected(site) as endless:
        endless.sendall(HEAD + b"X-Filler: " + b"a" * HEAD_LIMIT)
        assert everything(endless) == b""


def test_a_client_that_does_not_finish_its_form_is_told(site):
    with connected(site) as slow:
        slow.sendall(POST)
        answer = everything(slow)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"<h1>That took too long</h1>" in answer


def test_a_client_that_takes_no_answer_is_cut_off(newsroom, clock, pages, monkeypatch):
    lost = threading.Event()

    class Told(server._Patient):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            lost.set()

    monkeypatch.setattr(server, "_Patient", Told)
    with serving(newsroom, clock, patience=SHORT) as site, connected(site, buffer=4096) as slow:
        slow.sendall(b"GET /large HTTP/1.1\r\nHost: example.org\r\n\r\n")
        assert lost.wait(20)
        assert 0 < len(everything(slow)) < LARGE


def test_a_client_that_takes_its_answer_slowly_gets_all_of_it(newsroom, clock, pages):
    with serving(newsroom, clock, patience=SHORT) as site, site.stream("GET", "/large") as answer:
        received = 0
        for chunk in answer.iter_raw(1_000_000):
            received += len(chunk)
            threading.Event().wait(SHORT / 10)
        assert received == LARGE
