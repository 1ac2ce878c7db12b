"""Anything may be sent to any route, and no answer is 5xx, by hypothesis.

Routes are taken from the application itself, so a new one is fuzzed from its first day. schemathesis reads an OpenAPI
description, which these pages do not have: writing one for it would test the description.
"""

from __future__ import annotations

import logging
import re
import string
from contextlib import suppress
from urllib.parse import quote

import httpx
import pytest
from conftest import ROOT, Clock, copy_newsroom
from hypothesis import example, given, settings
from hypothesis import strategies as st
from people import NOW
from public_server import serving, went_out
from unsubscribing import registry

from mailer.audience import joining
from mailer.models import Channel, Evidence
from mailer.web import public

SECRET_ADDRESS = "amina.secret@example.org"
SLUG = "2019-01"
PATHS = sorted({route.path for route in public.ROUTES})  # type: ignore[attr-defined]
_ISSUE = """\
---
title: News
date: 2018-12-14
subject: One story
preheader: One story for everybody, and nothing else at all, but long enough
---

# News

## A story {#story date=2019-01-10 place=Geneva}

A text.
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    room = copy_newsroom(tmp_path_factory.mktemp("fuzz") / "room")
    (room.root / "issues" / SLUG).mkdir(parents=True)
    (room.root / "issues" / SLUG / "issue.md").write_text(_ISSUE, "utf-8")
    went_out(room, SLUG, SECRET_ADDRESS)
    yield room
    room.close()


@pytest.fixture(scope="module")
def site(room):
    with serving(room, Clock()) as client:
        yield client


class Lines(logging.Handler):
    """What the log says, with what a traceback would say."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(f"{record.getMessage()} {record.exc_info or ''}")


@pytest.fixture(scope="module")
def lines():
    handler = Lines()
    for name in ("mailer", "uvicorn"):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield handler.kept
    for name in ("mailer", "uvicorn"):
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(scope="module")
def genuine(room):
    """A good link of each purpose, for its route; some are used up while others are tried."""
    register, form = registry(room), Evidence(NOW, Channel.FORM)
    confirmation = joining.ask(register, "new@example.org", form).letter
    change = joining.ask_address_change(register, 1, "other@example.org", form).letter
    data = joining.ask_my_data(register, SECRET_ADDRESS, form).letter
    assert confirmation
    assert change
    assert data
    sign = room.tokens.sign
    return {
        "/u/": [sign("unsubscribe", 1), sign("unsubscribe", 0), sign("unsubscribe", 99), sign("unsubscribe", -1)],
        "/p/": [sign("preferences", 1), sign("preferences", 0), sign("preferences", 99), sign("preferences", -1)],
        "/confirm/": [confirmation.token],
        "/address/": [change.token],
        "/data/": [data.token],
        "": [SLUG, sign(f"web {SLUG}", 1), "story", "cooperatives"],
        "@undo": [sign("undo", 1)],
        "@ticket": [sign("form", int(Clock().now.timestamp()) - 60)],
    }


WORDS = st.text(max_size=40) | st.sampled_from(
    ["", "1", "2018-12-14", "9999-12-31", "0000-00-00", SECRET_ADDRESS, "a@b", "cooperatives", "fr", "\x00", "\ud800",
     "@undo", "@ticket", "leave", "undo", "why", "download", "One-Click", "a" * 5000, "<script>", "%00", "’" * 300, "²"]
)  # fmt: skip
_FORMS = "".join(path.read_text("utf-8") for path in (ROOT / "mailer/web/pages/public").glob("*.html"))
FIELDS = set(re.findall(r'<(?:input|select|button)\b[^>]* name="([a-z_]+)"', _FORMS))  # so a new one is fuzzed, too
NAMES = st.sampled_from(["List-Unsubscribe", "lang", *sorted(FIELDS)]) | st.text(max_size=10)
FORMS = st.lists(st.tuples(NAMES, WORDS), max_size=8)
BODIES = st.tuples(
    st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x",
         "multipart/form-data; boundary=", "application/x-www-form-urlencoded; charset=utf-16",
         "application/x-www-form-urlencoded; charset=nonsense", "application/json", "", "text/plain"]
    ),
    st.binary(max_size=300) | st.sampled_from(
        [b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="do"\r\n\r\nleave\r\n--x--', b"%", b"a=%ff&=&&=",
         b'--x\r\nContent-Disposition: form-data; name="do"; filename="a"\r\n\r\nleave\r\n--x--',
         b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--", b"--x\r\nnonsense\r\n\r\n--x--"]
    ),
)  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(["Accept-Language", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "If-Modified-Since",
                     "If-None-Match", "Range", "Cookie", "Host", "Referer", "Accept"]),
    st.text(string.printable[:95], max_size=60).map(str.strip)
    | st.sampled_from(["1.2.3.4, ::1", "fr;q=x,*;q=", "en" * 300, "bytes=9-"]),
    max_size=4,
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, list[str], list[tuple[str, str]], object, dict[str, str]]:
    method = draw(
        st.sampled_from(["GET", "POST", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
    )
    path = draw(st.sampled_from(PATHS))
    parts = [draw(st.sampled_from(["good", "good", "bad"])) for _ in range(path.count("{"))]
    fillings = [draw(st.integers(0, 9).map(str)) if part == "good" else f"!{draw(WORDS)}" for part in parts]
    return method, path, fillings, draw(FORMS), draw(st.none() | BODIES), draw(HEADERS)


def _filled(path: str, fillings: list[str], genuine: dict[str, list[str]]) -> str:
    """The route with its parts filled: a genuine one of its kind, or whatever was drawn."""
    for filling in fillings:
        begin, _, rest = path.partition("{")
        known = genuine.get(begin, genuine[""])
        part = filling[1:] if filling.startswith("!") else known[int(filling) % len(known)]
        path = begin + quote(part, safe="", errors="replace") + rest.partition("}")[2]
    return path


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@settings(max_examples=400)
@example(("POST", "/u/{token}", ["0"], [("do", "undo"), ("undo", "²")], None, {}))
@example(("POST", "/u/{token}", ["3"], [("do", "why"), ("why", "other")], None, {}))
@given(requests())
def test_no_request_makes_an_error_of_ours_and_no_line_of_the_log_tells_who(site, genuine, lines, request_):
    method, path, fillings, form, body, headers = request_
    address = _filled(path, fillings, genuine)
    fields = [
        (_sendable(name), genuine[value][0] if value in ("@undo", "@ticket") else _sendable(value))
        for name, value in form
    ]
    lines.clear()
    with suppress(httpx.RemoteProtocolError):  # what is no HTTP is answered by nobody
        if body is None:
            data = {name: [value for own, value in fields if own == name] for name, _ in fields}
            answer = site.request(method, address, params=fields[:2], data=data, headers=headers)
        else:
            content_type, content = body
            answer = site.request(method, address, content=content, headers={**headers, "Content-Type": content_type})
        assert answer.status_code < 500, lines
        assert "set-cookie" not in answer.headers
    told = "\n".join(lines)
    for personal in (SECRET_ADDRESS, *(token for tokens in genuine.values() for token in tokens if len(token) > 16)):
        assert personal not in told
