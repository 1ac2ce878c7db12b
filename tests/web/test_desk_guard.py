"""Who may talk to the desk, and what it tells a browser about itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from conftest import ROOT, SECRET
from desk_running import TOKEN, ask, running

from mailer.newsroom import Newsroom


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The desk of the December issue."""
    store = f"sqlite:{tmp_path_factory.mktemp('store') / 'mailer.db'}"
    room = Newsroom.open(ROOT, {"MAILER_SECRET_KEY": SECRET, "MAILER_STORE_URL": store})
    with running(room, "2018-12") as found:
        yield found


PATHS = ["", "frame", "message.eml", "readers?q=a", "picture/0", "events", "theme.css", "desk.css", "desk.js"]


@pytest.mark.parametrize("path", [*PATHS, "test", "open"])
@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper()])
def test_a_wrong_token_finds_nothing(address: str, token: str, path: str):
    status, _, body = ask(f"{address.removesuffix(f'{TOKEN}/')}{token}/{path}")
    assert (status, body) == (404, b"There is nothing here.")


def test_an_address_without_a_path_finds_nothing(address: str):
    """RFC 9112 section 3.2.4: OPTIONS may ask about the server as a whole."""
    port = address.split(":")[2].split("/")[0]
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as connection:
        connection.sendall(f"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.2:{port}", ""]
)
def test_a_foreign_host_is_refused_even_with_the_token(address: str, host: str):
    """RFC 9110 section 7.2; DNS rebinding points a name of its own at this computer."""
    port = address.split(":")[2].split("/")[0]
    status, _, body = ask(address, headers={"Host": host.format(port=port)})
    assert (status, body) == (421, b"This address is not the desk's.")


def test_localhost_is_this_computer_too(address: str):
    assert ask(address.replace("127.0.0.1", "localhost"))[0] == 200


@pytest.mark.parametrize("path", PATHS[:5] + PATHS[6:])
def test_every_answer_keeps_the_token_to_itself_and_other_sites_out(address: str, path: str):
    status, headers, _ = ask(f"{address}{path}")
    assert status == 200
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy or path == "frame"
    assert "http" not in policy


@pytest.mark.parametrize(("images", "source"), [("on", "'self'"), ("off", "'none'")])
def test_a_mail_in_its_frame_runs_nothing_and_shows_pictures_only_when_asked_to(address: str, images: str, source: str):
    _, headers, _ = ask(f"{address}frame?images={images}")
    assert headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {source}; base-uri 'none'; frame-ancestors 'self'; "
        "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )


@pytest.mark.parametrize("path", ["picture/99", "nothing", "frame?edition=nothing", "pages/desk.css", "..%2fdesk.py"])
def test_what_is_not_there_is_not_there(address: str, path: str):
    assert ask(f"{address}{path}")[0] == 404
