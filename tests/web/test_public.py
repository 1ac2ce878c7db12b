"""The reader's site around its pages: errors, languages, headers, limits, proxies, figures, the log."""

from __future__ import annotations

import logging
import re

import pytest
from conftest import copy_newsroom
from public_server import serving, went_out
from starlette.responses import PlainTextResponse, Response

from mailer.web import public
from mailer.web.security import BODY_LIMIT
from mailer.web.visit import Visit, page

TOKEN = "16.Zk3vAbCdEfGhIjKl"


def echo(visit: Visit) -> Response:
    """What came, and from whom."""
    return PlainTextResponse(f"{visit.parts['token']} {visit.form.get('choice')} from {visit.client}")


def fail(visit: Visit) -> Response:
    """A mistake whose message names somebody."""
    raise RuntimeError("amina@example.org")


@pytest.fixture
def echoing(monkeypatch):
    """Two pages more."""
    monkeypatch.setattr(
        public, "ROUTES", [page("/e/{token}", get=echo, post=echo), page("/broken", get=fail), *public.ROUTES]
    )


@pytest.fixture
def site(echoing, newsroom, clock):
    with serving(newsroom, clock) as client:
        yield client


# --- errors and languages ---------------------------------------------------------------------------------


def test_the_site_is_alive(site):
    answer = site.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize(
    ("query", "accepted", "language", "dir_", "heading"),
    [
        ("", "", "en", "ltr", "This page does not exist"),
        ("", "fr-CH, fr;q=0.9", "fr", "ltr", "Cette page n’existe pas"),
        ("?lang=es", "fr", "es", "ltr", "Esta página no existe"),
        ("?lang=ar", "", "ar", "rtl", "هذه الصفحة غير موجودة"),
        ("?lang=xx", "fr", "fr", "ltr", "Cette page n’existe pas"),
    ],
)
def test_an_error_speaks_the_readers_language(site, query, accepted, language, dir_, heading):
    answer = site.get(f"/nowhere/at/all{query}", headers={"Accept-Language": accepted})
    assert answer.status_code == 404
    assert f'<html lang="{language}" dir="{dir_}">' in answer.text
    assert f"<h1>{heading}</h1>" in answer.text


def test_a_page_that_cannot_do_that_says_what_it_can(site):
    """RFC 9110 section 15.5.6."""
    answer = site.delete(f"/e/{TOKEN}")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert "<h1>This page cannot do that</h1>" in answer.text


def test_a_mistake_of_ours_shows_and_logs_no_message(site, caplog):
    with caplog.at_level(logging.INFO):
        answer = site.get("/broken")
    assert answer.status_code == 500
    assert "<h1>Something went wrong</h1>" in answer.text
    assert "Traceback" not in answer.text
    assert "amina" not in answer.text + caplog.text
    assert re.search(r"/broken failed: RuntimeError at .*test_public\.py:\d+", caplog.text)


def test_head_is_get_without_a_body(site):
    answer = site.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == site.get("/").headers["content-length"]


# --- forms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [{"data": {"choice": "été"}}, {"files": {"choice": (None, "été")}}],
                         ids=["urlencoded", "multipart"])  # fmt: skip
def test_a_form_is_read_in_both_encodings(site, encoding):
    """RFC 8058 section 3.2."""
    assert site.post(f"/e/{TOKEN}", **encoding).text == f"{TOKEN} été from 127.0.0.1"


def test_a_body_that_is_no_form_has_no_fields(site):
    assert site.post(f"/e/{TOKEN}", content=b'{"choice": "a"}').text == f"{TOKEN} None from 127.0.0.1"


def test_a_broken_form_is_refused(site):
    answer = site.post(f"/e/{TOKEN}", content=b"--x\r\nnonsense", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400
    assert "<h1>This page cannot be shown</h1>" in answer.text


@pytest.mark.parametrize(
    ("size", "chunked", "status"),
    [
        (BODY_LIMIT, False, 200),
        (BODY_LIMIT + 1, False, 413),
        (BODY_LIMIT, True, 200),
        (BODY_LIMIT + 1, True, 413),
        (50 * BODY_LIMIT, True, 413),
    ],
)
def test_a_body_has_a_limit(site, size, chunked, status):
    whole = b"choice=" + b"a" * (size - 7)
    content = iter([whole[:1000], whole[1000:]]) if chunked else whole
    answer = site.post(f"/e/{TOKEN}", content=content, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == status
    assert (answer.headers.get("connection") == "close") == (status == 413)


# --- headers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", f"/e/{TOKEN}", "/nowhere", "/broken", "/style.css", "/metrics"])
def test_every_answer_keeps_the_reader_safe(site, path):
    """Standards P9: nothing is told to others; no script, no frame, no cookie."""
    headers = site.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "form-action": "'self'",
        "base-uri": "'none'", "frame-ancestors": "'none'",
    }  # fmt: skip
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert {"set-cookie", "server", "strict-transport-security"} & set(headers) == set()


@pytest.mark.parametrize(
    ("path", "caching", "robots"),
    [
        ("/", "public, max-age=300", "all"),
        (f"/e/{TOKEN}", "private, no-store", "noindex"),
        ("/nowhere", "private, no-store", "noindex"),
    ],
)
def test_only_what_is_everybodys_may_be_kept_and_indexed(site, path, caching, robots):
    headers = site.get(path).headers
    assert (headers["cache-control"], headers["x-robots-tag"]) == (caching, robots)


# --- proxies ----------------------------------------------------------------------------------------------

FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


def configured(folder, text, **env):
    room = copy_newsroom(folder, **env)
    with (room.root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(text)
    return room


@pytest.mark.parametrize(
    ("proxies", "client", "hsts"),
    [
        ('["127.0.0.0/8"]', "203.0.113.9", "max-age=31536000"),
        ('["192.0.2.1"]', "127.0.0.1", None),
        ("[]", "127.0.0.1", None),
    ],
    ids=["from a proxy of ours", "from another host", "without a proxy"],
)
def test_forwarded_headers_count_from_configured_proxies_only(echoing, tmp_path, clock, proxies, client, hsts):
    room = configured(tmp_path / "room", f"\n[tool.mailer.web]\nproxies = {proxies}\n")
    with serving(room, clock) as site:
        answer = site.get(f"/e/{TOKEN}", headers=FORWARDED)
    assert answer.text == f"{TOKEN} None from {client}"
    assert answer.headers.get("strict-transport-security") == hsts


def test_the_site_works_under_a_path_prefix_that_a_proxy_keeps_or_takes_off(tmp_path, clock):
    room = copy_newsroom(tmp_path / "room", MAILER_PUBLIC_URL="https://www.example.org/news/enterprises")
    with serving(room, clock) as site:
        kept, taken = site.get("/news/enterprises/"), site.get("/")
        assert (kept.status_code, kept.text) == (200, taken.text)
        assert site.get("/news/enterprisesX/").status_code == 404
        links = set(re.findall(r'(?:href|action|src)="(/[^"]*)"', kept.text))
        assert links >= {"/news/enterprises/?lang=en", "/news/enterprises/style.css"}
        assert {link for link in links if not link.startswith("/news/enterprises/")} == set()
        assert site.get("/news/enterprises/style.css").status_code == 200


# --- figures and the log ----------------------------------------------------------------------------------


def test_metrics_count_requests_and_tell_where_sends_stand(site, newsroom, write_issue):
    went_out(newsroom, write_issue(), "amina@example.org", "joao@example.org")
    site.get(f"/e/{TOKEN}")
    site.get(f"/e/{TOKEN}")
    answer = site.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    for line in (
        "# TYPE mailer_http_requests_total counter",
        'mailer_http_requests_total{method="GET",page="/e/{token}",status="200"} 2',
        'mailer_deliveries{issue="2019-01",state="accepted"} 2',
        'mailer_deliveries{issue="2019-01",state="refused"} 0',
        'mailer_deliveries{issue="2019-01",state="queued"} 0',
        'mailer_sending{issue="2019-01"} 0.0',
        'mailer_subscribers{state="active"} 2',
    ):
        assert lines.count(line) == 1, line
    samples = [line for line in lines if not line.startswith("#")]
    assert [line for line in samples if not re.fullmatch(r'\w+\{(\w+="[^"]*",?)*\} \d+(\.\d+)?', line)] == []


@pytest.mark.parametrize(
    ("client", "status"),
    [("127.0.0.1", 200), ("127.8.8.8", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("203.0.113.9", 404), ("x", 404)],
)
def test_metrics_are_for_configured_networks(site, client, status):
    assert site.get("/metrics", headers={"X-Forwarded-For": client}).status_code == status


def test_the_log_names_pages_and_never_a_token_or_an_address(site, caplog):
    """Standards P9."""
    with caplog.at_level(logging.DEBUG):
        site.post(f"/e/{TOKEN}?email=amina@example.org", data={"choice": "amina@example.org"})
        site.get(f"/{TOKEN}/amina@example.org/nowhere")
        site.get("/healthz")  # by then the line of the one before is written
    lines = [
        re.sub(r"[\d.]+ ms", "", record.getMessage()) for record in caplog.records if record.name == "mailer.access"
    ]
    assert lines[:2] == ["POST /e/{token} 200 ", "GET /{slug}/{name:path} 404 "]
    ours = " ".join(record.getMessage() for record in _of(caplog, "mailer", "uvicorn"))
    assert "amina" not in ours
    assert TOKEN not in ours


def _of(caplog, *loggers):
    return [record for record in caplog.records if record.name.startswith(loggers)]
