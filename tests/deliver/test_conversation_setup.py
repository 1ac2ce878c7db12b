"""The session is being set up, and something is not as it should be: who gets the mail, and what is said.

Connections that are refused, certificates and logins stand in test_relay_security.py.
"""

from __future__ import annotations

import ssl

import pytest
import trustme
from sending import SLUG
from smtp_relay import HANG_UP, Relay


@pytest.mark.parametrize(
    ("step", "answers"),
    [
        ("greeting", ["421 4.3.2 Too busy", "220 relay"]),
        ("greeting", [HANG_UP, "220 relay"]),
        ("greeting", ["450 4.3.2 Not now", "220 relay"]),
        ("EHLO", ["421 4.3.2 Going down", "250 relay"]),
        ("EHLO", [HANG_UP, "250 relay"]),
        ("AUTH", ["454 4.7.0 Temporary authentication failure", "235 2.7.0 Welcome"]),
        ("AUTH", [HANG_UP, "235 2.7.0 Welcome"]),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0][:3] or "cut",
)
def test_trouble_that_may_pass_is_tried_again_and_nobody_is_put_off(office, monkeypatch, step, answers):
    """RFC 4954 section 6: 454 is temporary. Nothing was offered, so no delivery has an attempt more."""
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "secret")
    login = ("mailer@example.org", "secret") if step == "AUTH" else None
    offered = ("PIPELINING", "AUTH PLAIN") if login else ("PIPELINING",)
    with Relay({step: answers}, login=login, extensions=offered) as relay:
        office.use(relay, connections=1)
        everybody = office.subscribe(count=2)
        answer = office.run("send", SLUG, "--yes")
        assert (answer.code, relay.received, relay.connections) == (0, everybody, 2)
    assert {(row.state, row.attempts) for row in office.log().values()} == {("accepted", 1)}


def test_starttls_that_is_off_for_now_is_tried_again_and_nothing_goes_out_in_clear(office, tmp_path, monkeypatch):
    """RFC 3207 section 4: 454 is temporary."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA).configure_cert(context)
    answers = ["454 4.7.0 TLS not available due to temporary reason", "220 2.0.0 Ready"]
    with Relay({"STARTTLS": answers}, security="smtp+starttls", tls=context) as relay:
        office.use(relay, connections=1)
        everybody = office.subscribe(count=2)
        assert office.run("send", SLUG, "--yes").code == 0
        assert (relay.received, relay.connections) == (everybody, 2)


@pytest.mark.parametrize("code", [500, 502, 504])
def test_a_server_that_does_not_know_ehlo_is_greeted_with_helo_and_sent_to_step_by_step(office, code):
    """RFC 5321 section 3.2. Without extensions there is no PIPELINING, and MAIL carries no SIZE."""
    with Relay({"EHLO": f"{code} 5.5.1 What?", "HELO": "250 relay.example.org"}) as relay:
        office.use(relay, connections=1)
        everybody = office.subscribe(count=2)
        assert office.run("send", SLUG, "--yes").code == 0
        said = [event for _, event in relay.events]
        assert relay.received == everybody
    assert [line for line in said if line.startswith("MAIL")] == ["MAIL FROM:<newsletter@example.org>"] * 2
    assert said.index("HELO " + said[0].partition(" ")[2]) == 1


def test_without_size_mail_names_none(office):
    """RFC 1870 section 5: the parameter only where the server offers the extension."""
    with Relay(extensions=("PIPELINING",)) as relay:
        office.use(relay, connections=1)
        office.subscribe(count=1)
        assert office.run("send", SLUG, "--yes").code == 0
        assert [event for _, event in relay.events if "SIZE" in event] == []


@pytest.mark.parametrize(
    ("step", "reply", "told"),
    [
        ("greeting", "421 4.3.2 Closed", "said 421 4.3.2 Closed"),
        ("greeting", HANG_UP, "cannot be reached: "),
        ("EHLO", "421 4.3.2 Closed", "said 421 4.3.2 Closed"),
        ("EHLO", "502 5.5.1 What?", "said "),
        ("greeting", "HTTP/1.1 400 Bad Request", "does not speak SMTP"),
    ],
    ids=["421 greeting", "no greeting", "421 EHLO", "neither EHLO nor HELO", "another protocol"],
)
def test_trouble_that_does_not_pass_ends_with_4_and_everybody_is_queued(office, monkeypatch, step, reply, told):
    monkeypatch.setattr("mailer.deliver.engine._FIRST_TRIES", (0.0, 0.0))
    with Relay({step: reply}) as relay:
        office.use(relay, connections=2)
        office.subscribe(count=3)
        answer = office.run("send", SLUG, "--yes", "--json")
        last = " ".join(answer.err[answer.err.index("Error: ") :].split())
        assert last.startswith(f"Error: {relay.url} {told}")
    assert last.endswith(f"Nothing is lost; go on with: mailer send {SLUG}")
    assert (answer.code, answer.json["queued"], set(office.states().values())) == (4, 3, {"queued"})


def test_a_pause_for_refusals_is_told_although_another_connection_was_turned_away(office):
    """The second connection waits for its next try when the circuit breaker opens: what is told is why it opened."""
    with Relay({"greeting": ["220 relay", "421 4.3.2 Too many"], "RCPT": "550 5.7.1 Go away"}) as relay:
        office.use(relay, connections=2)
        office.subscribe(count=30)
        answer = office.run("send", SLUG, "--yes", "--json")
    assert (answer.code, answer.json["refused"], answer.json["queued"]) == (3, 20, 10)
    assert "paused: 20 of the last 20 were refused" in " ".join(answer.err.split())
