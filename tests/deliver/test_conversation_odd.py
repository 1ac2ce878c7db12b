"""What a server may say or leave unsaid at the steps where nobody expects it (RFC 5321 sections 4.2 and 4.3)."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme
from sending import SLUG
from smtp_relay import HANG_UP, Gate, Relay

USUAL = {"MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 Go on", "RSET": "250 2.0.0 Ok"}
STEPS = pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
WAYS = pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelined", "step by step"])


def send_three(office, clock, script, extensions):
    """Three messages over one connection; returns their rows and the relay."""
    with Relay(script, extensions=extensions) as relay:
        office.use(relay, connections=1, timeout="1s")
        office.subscribe(count=3)
        office.plan()
        asyncio.run(office.sending(clock).go(wait=False))
    return list(office.log().values()), relay


ODD = {
    "220 Ready": (220, "Ready"),
    "354 Go on": (354, "Go on"),
    "199 Soon": (199, "Soon"),
    "999 What?": (999, "What?"),
    "HTTP/1.1 400 Bad": (0, "the server said something that is no SMTP reply: 'HTTP/1.1 400 Bad'"),
    "250-" + "x" * 70_000: (0, "the reply is longer than 65536 bytes"),
}
RIGHT_THERE = {("MAIL", "220 Ready"), ("RCPT", "220 Ready"), ("DATA", "354 Go on")}


@WAYS
@pytest.mark.parametrize(
    ("step", "said"),
    [(step, said) for step in ("MAIL", "RCPT", "DATA") for said in ODD if (step, said) not in RIGHT_THERE],
    ids=lambda value: value[:8],
)
def test_a_wrong_code_before_the_content_puts_one_off_and_leaves_the_others_alone(
    office, clock, step, said, extensions
):
    """What was not refused is tried again; the connection, of which nobody knows where it stands, is left."""
    (first, second, third), relay = send_three(office, clock, {step: [USUAL[step], said, USUAL[step]]}, extensions)
    assert (first.state, third.state, relay.connections) == ("accepted", "accepted", 2)
    code, kept = ODD[said]
    if step == "MAIL" and not code:  # as a server that hangs up between two messages: nobody's fault
        assert (second.state, second.attempts) == ("accepted", 1)
        return
    assert (second.state, second.attempts, second.code, second.reply, second.step) == (
        "deferred", 1, code, kept, step.lower(),
    )  # fmt: skip
    assert relay.received == ["r001@example.org", "r003@example.org"]


@WAYS
@STEPS
def test_a_reply_of_many_lines_or_15_kilobytes_is_one_reply_at_each_step(office, clock, step, extensions):
    code = USUAL[step][:3]
    odd = [f"{code}-one\r\n{code}-two\r\n{code} three", f"{code} {'long ' * 3_000}", USUAL[step]]
    rows, relay = send_three(office, clock, {step: odd}, extensions)
    assert [(row.state, row.attempts) for row in rows] == [("accepted", 1)] * 3
    assert relay.connections == 1


@WAYS
@pytest.mark.parametrize(
    "answer",
    [lambda: HANG_UP, lambda: "421 4.3.2 Going down", lambda: "502 5.5.1 What?", Gate],
    ids=["cut", "421", "502", "silence"],
)
def test_a_server_that_cannot_begin_anew_is_left_and_the_reason_for_the_refusal_kept(office, clock, answer, extensions):
    """RSET follows a refused recipient; whatever becomes of it says nothing of that recipient."""
    script = {"RCPT": [USUAL["RCPT"], "550 5.1.1 No", USUAL["RCPT"]], "RSET": answer()}
    (first, second, third), relay = send_three(office, clock, script, extensions)
    assert (second.state, second.code, second.reply, second.step) == ("refused", 550, "5.1.1 No", "rcpt")
    assert (first.state, third.state, relay.connections) == ("accepted", "accepted", 2)


@pytest.mark.parametrize("answer", [HANG_UP, "500 What?", "nonsense"], ids=["cut", "500", "another protocol"])
def test_a_goodbye_gone_wrong_changes_nothing(office, answer):
    with Relay({"QUIT": answer}) as relay:
        office.use(relay)
        everybody = office.subscribe(count=2)
        assert office.run("send", SLUG, "--yes").code == 0
        assert relay.received == everybody


# --- before the first MAIL --------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """A server's certificate that this machine trusts."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA).configure_cert(context)
    return context


GREETED = "250-relay\r\n250-STARTTLS\r\n250 AUTH PLAIN"
SETUP = {
    "greeting": (), "EHLO": (), "STARTTLS": (), "EHLO behind TLS": (GREETED,), "AUTH": (),
}  # fmt: skip
RIGHT = {"greeting": "220 relay", "EHLO": GREETED, "STARTTLS": "220 Ready", "AUTH": "235 Welcome"}


def set_up(office, tls, monkeypatch, step, answer):
    """A send of two messages, of which the first connection meets `answer` at this step."""
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "secret")
    before, step = SETUP[step], step.partition(" ")[0]
    script = {step: [*before, answer, RIGHT[step]]}
    with Relay(script, security="smtp+starttls", tls=tls, login=("mailer@example.org", "secret")) as relay:
        office.use(relay, connections=1, timeout="1s")
        everybody = office.subscribe(count=2)
        answer = office.run("send", SLUG, "--yes")
    return answer, relay, everybody


@pytest.mark.parametrize("way", ["silence", "cut"])
@pytest.mark.parametrize("step", SETUP)
def test_silence_or_a_cut_while_a_session_is_set_up_is_tried_again_and_nobody_is_put_off(
    office, tls, monkeypatch, step, way
):
    answer, relay, everybody = set_up(office, tls, monkeypatch, step, Gate() if way == "silence" else HANG_UP)
    assert (answer.code, relay.received, relay.connections) == (0, everybody, 2)
    assert {(row.state, row.attempts) for row in office.log().values()} == {("accepted", 1)}


@pytest.mark.parametrize("said", ["HTTP/1.1 400 Bad Request", f"250 {'long ' * 3_000}"], ids=["HTTP", "15 KB"])
@pytest.mark.parametrize("step", SETUP)
def test_what_is_no_smtp_while_a_session_is_set_up_ends_with_4_and_everybody_is_queued(
    office, tls, monkeypatch, step, said
):
    """Lines of a reply have at most 512 bytes (RFC 5321 section 4.5.3.1.5): before a session stands, 8 KB are read."""
    answer, relay, _ = set_up(office, tls, monkeypatch, step, said)
    assert (answer.code, relay.received, set(office.states().values())) == (4, [], {"queued"})
    assert "does not speak SMTP. Nothing is lost; go on with: mailer send" in " ".join(answer.err.split())
