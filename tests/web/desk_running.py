"""A desk that runs beside the test, and plain HTTP to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from mailer.newsroom import Newsroom
from mailer.web import desk
from mailer.web.desk_proof import Desk

TOKEN = "a-token-that-only-tests-know"


@contextmanager
def running(room: Newsroom, slug: str) -> Iterator[str]:
    """The address of the desk of an issue, served from another thread until the end."""
    laid = Desk(room, slug)
    with desk.listen(0) as listening:
        serving = desk.server(laid, listening, TOKEN)
        thread = threading.Thread(target=lambda: asyncio.run(desk.run(laid, serving, listening)))
        thread.start()
        try:
            yield desk.address(listening, TOKEN)
        finally:
            serving.should_exit = True
            thread.join()
            laid.close()


def ask(
    address: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and body: a GET, or a POST of a form. Headers given here win, Host too."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=30)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    body = urlencode(form) if form is not None else None
    connection.request("GET" if form is None else "POST", target, body, {**kind, **(headers or {})})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content
