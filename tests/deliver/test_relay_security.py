"""Relays that can be used, with TLS and a login; and relays that cannot, told apart in one sentence."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager

import pytest
import trustme
from sending import SLUG
from smtp_relay import HANG_UP, Relay

LOGIN = ("mailer@example.org", "pa:ss wörd %41")


@pytest.fixture(scope="module")
def authority():
    """A certificate authority of this run's own."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


def certified(authority, name="127.0.0.1"):
    """A server's side of TLS, with a certificate for this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, key_type=trustme.KeyType.ECDSA).configure_cert(context)
    return context


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    """This machine trusts the authority, and nobody else."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("security", ["smtp", "smtp+starttls", "smtps"])
def test_a_login_is_made_once_a_connection_behind_encryption(
    office, authority, trusted, monkeypatch, tmp_path, security, mechanism
):
    secret = tmp_path / "password"
    secret.write_text(LOGIN[1] + "\n", "utf-8")
    monkeypatch.setenv("MAILER_SMTP_PASSWORD_FILE", str(secret))
    extensions = ("PIPELINING", f"AUTH {mechanism}")
    with Relay(security=security, tls=certified(authority), login=LOGIN, extensions=extensions) as relay:
        office.use(relay)
        everybody = office.subscribe(count=3)
        answer = office.run("send", SLUG, "--yes")
        assert (answer.code, relay.received, relay.connections) == (0, everybody, 1)
        said = [event.split()[0] for _, event in relay.events if "@" not in event]
    assert said[: said.index("AUTH") + 1] == {
        "smtp": ["EHLO", "AUTH"],
        "smtps": ["EHLO", "AUTH"],
        "smtp+starttls": ["EHLO", "STARTTLS", "EHLO", "AUTH"],
    }.get(security)
    assert said.count("AUTH") == 1


def test_without_a_user_no_login_is_made(office, monkeypatch):
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "unused")
    with Relay(extensions=("AUTH PLAIN LOGIN",)) as relay:
        office.use(relay)
        office.subscribe(count=1)
        assert office.run("send", SLUG, "--yes").code == 0
        assert not any(event.startswith("AUTH") for _, event in relay.events)


@contextmanager
def closed_port():
    """The address of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    yield f"smtp://127.0.0.1:{port}"


@contextmanager
def scripted(authority, key="", answer="", scheme="", **settings):
    """The URL of a relay with one thing wrong."""
    with Relay({key: answer}, **settings) as relay:
        _, _, place = relay.url.partition("://")
        yield f"{scheme or relay.security}://{place}"


BROKEN = {
    "nobody-listens": (lambda ca: closed_port(), "cannot be reached: "),
    "greeting-554": (lambda ca: scripted(ca, "greeting", "554 5.3.2 No service"), "said 554 5.3.2 No service. "),
    "ehlo-550": (lambda ca: scripted(ca, "EHLO", "550 5.7.1 Go away"), "said 550 5.7.1 Go away. "),
    "login-refused": (
        lambda ca: scripted(ca, login=("mailer@example.org", "something else")),
        "refused the login: 535 5.7.8 Authentication failed. ",
    ),
    "no-starttls": (lambda ca: scripted(ca, scheme="smtp+starttls"), "STARTTLS"),
    "starttls-454": (
        lambda ca: scripted(ca, "STARTTLS", "554 5.7.3 TLS is off", security="smtp+starttls", tls=certified(ca)),
        "554 5.7.3 TLS is off",
    ),
    "unknown-authority": (
        lambda ca: scripted(ca, security="smtp+starttls", tls=certified(trustme.CA())),
        "has no certificate that can be trusted: ",
    ),
    "unknown-authority-smtps": (
        lambda ca: scripted(ca, security="smtps", tls=certified(trustme.CA())),
        "has no certificate that can be trusted: ",
    ),
    "name-of-another": (
        lambda ca: scripted(ca, security="smtps", tls=certified(ca, "mail.example.org")),
        "has no certificate that can be trusted: ",
    ),
    "name-of-another-starttls": (
        lambda ca: scripted(ca, security="smtp+starttls", tls=certified(ca, "mail.example.org")),
        "has no certificate that can be trusted: ",
    ),
    "no-tls-on-this-port": (
        lambda ca: scripted(ca, scheme="smtps"),
        "does not begin with TLS, as smtps:// does. Try smtp+starttls://, or another port. ",
    ),
    "sender-refused": (
        lambda ca: scripted(ca, "MAIL", "553 5.7.1 Not your address"),
        "refuses the sender newsletter@example.org: 553 5.7.1 Not your address. ",
    ),
}


@pytest.mark.parametrize("which", BROKEN)
def test_a_relay_that_cannot_be_used_ends_with_4_and_loses_nothing(office, authority, trusted, monkeypatch, which):
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", LOGIN[1])
    broken, told = BROKEN[which]
    everybody = office.subscribe(count=3)
    with broken(authority) as url:
        office.use(url, connections=2)
        answer = office.run("send", SLUG, "--yes", "--json")
    assert (answer.code, answer.json["queued"]) == (4, 3)
    last = " ".join(answer.err[answer.err.index("Error: ") :].split())
    assert last.startswith(f"Error: {url} ") or last.startswith(f"Error: {url}: ")
    assert told in last
    assert last.endswith(f"Nothing is lost; go on with: mailer send {SLUG}")
    assert "Traceback" not in answer.err
    assert LOGIN[1] not in answer.err
    assert set(office.states().values()) == {"queued"}
    with Relay() as mended:
        office.use(mended)
        assert office.run("send", SLUG, "--yes").code == 0
        assert mended.received == everybody


def test_a_login_without_a_password_names_the_variable(office, monkeypatch):
    monkeypatch.delenv("MAILER_SMTP_PASSWORD", raising=False)
    office.subscribe(count=1)
    with scripted(None, login=("mailer@example.org", "something")) as url:
        office.use(url)
        answer = office.run("send", SLUG, "--yes")
    assert "; no password is set (MAILER_SMTP_PASSWORD). Nothing is lost" in " ".join(answer.err.split())


def test_a_relay_that_refuses_the_connection_for_now_is_tried_again(office):
    with Relay({"greeting": ["421 4.3.2 Too busy", "220 relay"]}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=2)
        assert office.run("send", SLUG, "--yes").code == 0
        assert (relay.received, relay.connections) == (everybody, 2)


def test_a_relay_that_breaks_down_in_the_middle_leaves_the_rest_queued(office):
    with Relay({"greeting": ["220 relay", "554 Closed for today"], "RCPT r002@example.org": HANG_UP}) as relay:
        office.use(relay)
        office.subscribe(count=4)
        answer = office.run("send", SLUG, "--yes")
        assert relay.received == ["r001@example.org"]
    assert answer.code == 4
    assert "said 554 Closed for today." in " ".join(answer.err.split())
    assert sorted(office.states().values()) == ["accepted", "deferred", "queued", "queued"]
