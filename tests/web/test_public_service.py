"""`mailer serve` as a service: it starts, says where, logs lines of JSON, ends when told, and names its mistakes."""

from __future__ import annotations

import json
import signal
import socket

import httpx
import pytest
from sending import finish

STARTED = "The reader's pages of "


def started(process):
    """The address that the log's first line tells."""
    line = json.loads(process.stderr.readline())
    assert line["message"].startswith(STARTED)
    return line["message"].split(" at ")[1].split("/,")[0]


def listens(client):
    try:
        socket.create_connection((client.base_url.host, client.base_url.port), timeout=20).close()
    except OSError:
        return False
    return True


@pytest.fixture
def service(office):
    process = office.start("serve", "--port", "0")
    with httpx.Client(base_url=started(process), timeout=20) as client:
        yield process, client


def test_it_serves_logs_a_line_of_json_a_request_and_stops_on_sigterm(service):
    process, client = service
    assert client.get("/healthz").text == "ok\n"
    line = json.loads(process.stderr.readline())
    assert {key: line[key] for key in ("level", "method", "page", "status")} == {
        "level": "info", "method": "GET", "page": "/healthz", "status": 200,
    }  # fmt: skip
    assert line["ms"] > 0
    process.send_signal(signal.SIGTERM)
    assert finish(process).code == 0


def test_what_is_in_flight_is_answered_before_it_stops(service):
    process, client = service
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as slow:
        slow.sendall(
            b"POST /subscribe HTTP/1.1\r\nHost: example.org\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\nname=A"
        )
        assert slow.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # so it reads the body
        process.send_signal(signal.SIGTERM)
        while listens(client):  # until it is about to stop
            pass
        slow.sendall(b"nn&email")
        answer = slow.recv(65536)
    assert answer.startswith(b"HTTP/1.1 4")
    assert finish(process).code == 0


def test_text_is_written_where_it_is_asked_for(office):
    process = office.start("serve", "--port", "0", "--log", "text")
    assert STARTED in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 0


def test_every_mistake_of_the_configuration_is_told_at_the_start(office):
    with (office.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.mailer.web]\nport = 99999\nproxies = ["nginx"]\nhots = "x"\n')
    answer = office.run("serve")
    assert answer.code == 1
    assert answer.err.count("pyproject.toml:") == 3
    assert "“web.port” must be less than or equal to 65535" in answer.err
    assert "“web.proxies” must be a network or an address in it, such as 127.0.0.0/8 or ::1" in answer.err
    assert "unknown key “web.hots”. Did you mean “host”?" in answer.err


def test_own_words_that_stand_for_nothing_are_told_at_the_start(office):
    with (office.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.mailer.texts.fr]\n"All isues" = "x"\n"All issues of {newsletter}" = "Tout {x}"\n')
    answer = office.run("serve")
    assert answer.code == 1
    assert "“All isues” is no text of the reader's pages. Did you mean “All issues”?" in answer.err
    assert "must hold the same words in braces; look at {newsletter}, {x}" in answer.err


def test_a_port_in_use_is_said(office):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answer = office.run("serve", "--port", str(port))
    assert answer.code == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use. Name another with --port" in answer.err
