"""stop and settle: ending a send from another terminal, and deciding what it left unknown."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing

import pytest
from sending import SLUG
from smtp_relay import HANG_UP, Gate, Relay


@pytest.fixture
def undecided(office):
    """A send of which the first two of three went out without a reply."""
    with Relay({"content": [HANG_UP, HANG_UP, "250 2.0.0 Ok"]}) as relay:
        office.use(relay, connections=1)
        everybody = office.subscribe(count=3)
        assert office.run("send", SLUG, "--yes").code == 3
    assert office.states() == dict(zip(everybody, ["unknown", "unknown", "accepted"], strict=True))
    return everybody


def ids(office) -> dict[str, str]:
    return {row["email"]: row["message_id"] for row in office.run("log", SLUG, "--format", "json").json}


def test_settled_as_sent_closes_the_balance_and_sends_nothing_again(office, undecided):
    answer = office.run("settle", SLUG, "--as", "sent", "--json")
    assert (answer.code, answer.json["settled"], answer.json["accepted"], answer.json["unknown"]) == (0, 2, 3, 0)
    with Relay() as relay:
        office.use(relay)
        assert office.run("send", SLUG, "--yes").code == 0
        assert relay.received == []


def test_settled_as_unsent_is_sent_once_more_with_the_same_message_id(office, undecided):
    before = ids(office)
    assert office.run("settle", SLUG, "--as", "unsent", "--email", undecided[0]).code == 0
    assert office.states()[undecided[0]] == "queued"
    with Relay() as relay:
        office.use(relay)
        assert office.run("send", SLUG, "--yes").code == 3  # the other one is unknown still
        assert relay.received == undecided[:1]
        assert before[undecided[0]].encode() in relay.mails[0].content


HISTORY = "the server closed the connection"


def explained(office, person: str) -> tuple[str, dict[str, object], str]:
    """The sentence, what is said of decisions, and what a person reads of it."""
    data = office.run("explain", SLUG, person, "--json").json
    assert data["put_off"] == []
    shown = office.run("explain", SLUG, person).out
    history = " ".join(line.strip() for line in shown.splitlines() if line.startswith("  20"))
    return data["sentence"], data["settled"], history


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("sent", "Counts as accepted since {at}: settled as sent by the operator."),
        ("unsent", "Settled as unsent by the operator at {at}. Waits to be sent again."),
    ],
)
def test_explain_says_how_a_delivery_was_settled_and_keeps_what_was_known_before(office, undecided, word, said):
    since = office.log()[undecided[0]].settled_at
    office.run("settle", SLUG, "--as", word, "--email", undecided[0])
    sentence, [settled], history = explained(office, undecided[0])
    assert settled == {
        "unknown": {"at": since, "step": "content", "code": 0, "reply": HISTORY},
        "at": settled["at"],
        "why": f"settled as {word} by the operator",
    }
    assert sentence == said.format(at=settled["at"])
    assert history == f"{since} unknown: {HISTORY} {settled['at']} settled as {word} by the operator"


def test_explain_says_what_became_of_one_that_was_sent_again(office, undecided):
    office.run("settle", SLUG, "--as", "unsent", "--email", undecided[0])
    with Relay({"RCPT": "450 4.2.1 Busy"}) as relay:
        office.use(relay)
        office.run("send", SLUG, "--yes", "--no-wait")
    data = office.run("explain", SLUG, undecided[0], "--json").json
    assert data["sentence"].startswith("Put off after 2 attempts, at rcpt: 450 4.2.1 Busy. Next attempt at 20")
    assert [attempt["reply"] for attempt in data["put_off"]] == ["4.2.1 Busy"]
    assert [settled["why"] for settled in data["settled"]] == ["settled as unsent by the operator"]


def test_one_that_waits_to_be_sent_again_and_is_given_back_untried_is_queued(office, undecided):
    office.run("settle", SLUG, "--as", "unsent", "--yes")
    with Relay() as relay:
        office.use(relay, more='limits = "1/h"')
        answer = office.run("send", SLUG, "--yes", "--no-wait")
    assert (answer.code, sorted(office.states().values())) == (3, ["accepted", "accepted", "queued"])
    assert "a limit is used up, with 1 queued. Go on, from 20" in answer.err


@pytest.mark.parametrize(
    ("typed", "code", "settled", "said"),
    [
        ("y\n", 0, True, ""),
        ("n\n", 1, False, "Nothing was changed."),
        ("", 2, False, "Nothing was changed: there is nobody to ask; --yes answers, --email EMAIL settles one."),
    ],
    ids=["yes", "no", "nobody there"],
)
def test_settling_everybody_as_unsent_says_how_many_and_asks(office, undecided, typed, code, settled, said):
    answer = office.run("settle", SLUG, "--as", "unsent", typed=typed)
    assert answer.code == code
    assert answer.err.startswith("2 deliveries are unknown: each went out whole and may have arrived.")
    assert "Send all 2 again? [y/N] " in answer.err
    assert said in answer.err
    state = "queued" if settled else "unknown"
    assert office.states() == dict(zip(undecided, [state, state, "accepted"], strict=True))


def test_yes_answers_and_what_can_send_nothing_twice_is_not_asked(office, undecided):
    one = office.run("settle", SLUG, "--as", "unsent", "--email", undecided[0])
    everybody = office.run("settle", SLUG, "--as", "unsent", "--yes")
    nobody = office.run("settle", SLUG, "--as", "unsent")
    assert [(answer.code, answer.err) for answer in (one, everybody, nobody)] == [(0, "")] * 3
    assert [answer.out.splitlines()[-1] for answer in (one, everybody, nobody)] == [
        "1 settled, 1 unknown left.",
        "1 settled, 0 unknown left.",
        "0 settled, 0 unknown left.",
    ]


LOG = """\
Dec 14 08:00:01 mx postfix/smtpd[70]: 4Vx1: client=localhost[127.0.0.1]
Dec 14 08:00:01 mx postfix/cleanup[71]: 4Vx1: message-id={first}
Dec 14 08:00:01 mx postfix/cleanup[71]: 4Vx2: message-id={second}
Dec 14 08:00:01 mx postfix/cleanup[71]: 4Vx3: message-id=<somebody@else.example.org>
Dec 14 08:00:02 mx postfix/smtp[72]: 4Vx1: to=<r@example.org>, relay=m[192.0.2.1]:25, delay=1, dsn=4.2.0, status={one}
Dec 14 08:00:03 mx postfix/smtp[72]: 4Vx3: to=<r@example.org>, relay=m[192.0.2.1]:25, dsn=5.1.1, status=bounced (no)
Dec 14 08:00:04 mx postfix/smtp[72]: 4Vx2: to=<r@example.org>, relay=m[192.0.2.1]:25, delay=1, dsn=5.1.1, status={two}
"""


@pytest.mark.parametrize(
    ("one", "two", "states", "why"),
    [
        ("sent (250 2.0.0 Ok)", "bounced (550 5.1.1 no user)", ["accepted", "refused"], "bounced: 550 5.1.1 no user"),
        ("deferred (greylisted)", "expired (too old)", ["accepted", "refused"], "expired: too old"),
        ("something (else)", "sent (250 Ok)", ["unknown", "accepted"], "sent: 250 Ok"),
    ],
    ids=["sent and bounced", "deferred and expired", "nothing proved"],
)
def test_a_postfix_log_settles_what_it_proves_and_explain_says_so(office, undecided, tmp_path, one, two, states, why):
    known = ids(office)
    log = tmp_path / "mail.log"
    text = LOG.format(first=known[undecided[0]], second=known[undecided[1]], one=one, two=two)
    log.write_bytes(text.encode() + b"\xff not UTF-8\n")
    assert office.run("settle", SLUG, "--from-log", str(log)).code == 0
    assert office.states() == dict(zip(undecided, [*states, "accepted"], strict=True))
    sentence, [settled], _ = explained(office, undecided[1])
    assert sentence == f"Counts as {states[1]} since {settled['at']}: the relay's log says {why}."


def test_a_queue_id_given_again_does_not_settle_the_one_before(office, undecided, tmp_path):
    """Postfix's short queue ids come back; the second message under one is another."""
    first = ids(office)[undecided[0]]
    lines = (
        f"postfix/cleanup[1]: 4Vx1: message-id={first}",
        "postfix/cleanup[1]: 4Vx1: message-id=<other@example.org>",
        "postfix/smtp[2]: 4Vx1: to=<r@example.org>, relay=m, dsn=2.0.0, status=sent (Ok)",
    )
    (tmp_path / "mail.log").write_text("\n".join(lines), "utf-8")
    office.run("settle", SLUG, "--from-log", str(tmp_path / "mail.log"))
    assert office.states()[undecided[0]] == "unknown"


def test_after_a_backup_was_put_back_the_log_takes_out_of_the_queue_who_has_the_issue(office, tmp_path):
    store, kept = office.root / "subscribers" / "mailer.db", tmp_path / "kept.db"
    with Relay({"RCPT r002@example.org": ["450 4.2.1 Later", "250 Ok"]}) as relay:
        office.use(relay)
        first, put_off, third, fourth = office.subscribe(count=4)
        office.run("send", SLUG, "--yes", "--limit", "2")
        with closing(sqlite3.connect(store)) as now, closing(sqlite3.connect(kept)) as copy:
            now.backup(copy)
        relay.follow({})
        office.run("send", SLUG, "--yes", "--no-wait")
        assert relay.received == [first, third, fourth]
        for file in store.parent.glob("mailer.db*"):
            file.unlink()
        kept.rename(store)
        assert office.states() == {first: "accepted", put_off: "deferred", third: "queued", fourth: "queued"}
        known = ids(office)
        lines = [
            line
            for number, who in enumerate((put_off, third))
            for line in (
                f"postfix/cleanup[1]: 4Vx{number}: message-id={known[who]}",
                f"postfix/smtp[2]: 4Vx{number}: to=<{who}>, relay=m, dsn=2.0.0, status=sent (250 Ok)",
            )
        ]
        (tmp_path / "mail.log").write_text("\n".join(lines), "utf-8")
        answer = office.run("settle", SLUG, "--from-log", str(tmp_path / "mail.log"))
        assert answer.out.splitlines()[-1] == "2 settled, 0 unknown left."
        assert office.states() == {first: "accepted", put_off: "accepted", third: "accepted", fourth: "queued"}
        assert office.run("send", SLUG, "--yes").code == 0
        assert relay.received == [first, third, fourth, fourth]  # of the fourth the log had lost the trace
    sentence = office.run("explain", SLUG, third, "--json").json["sentence"]
    at = office.log()[third].settled_at
    assert sentence == f"Accepted by the server at {at}: the relay's log says sent: 250 Ok"


@pytest.mark.parametrize(
    "words", [(), ("--as", "sent", "--from-log", "x"), ("--email", "a@example.org"), ("--as", "maybe")]
)
def test_settle_asks_for_one_way_to_decide(office, words):
    assert office.run("settle", SLUG, *words).code == 2


def test_a_log_that_is_not_there_is_named(office, undecided):
    answer = office.run("settle", SLUG, "--from-log", "nowhere.log")
    assert (answer.code, answer.err) == (1, "Error: nowhere.log cannot be read: No such file or directory\n")


def test_stop_ends_a_running_send_after_what_is_in_flight(office):
    gate = Gate()
    with Relay({"content": [gate]}) as relay:
        office.use(relay, connections=1)
        everybody = office.subscribe(count=4)
        sending = office.start("send", SLUG, "--yes", stderr=subprocess.PIPE)
        gate.wait()
        stopped = office.run("stop", SLUG, "--json").json
        assert stopped == {"issue": SLUG, "process": sending.pid}
        assert any(line.startswith("Stopping: ") for line in sending.stderr)  # it has heard
        gate.open()
        assert sending.wait(60) == 130
    assert office.states()[everybody[0]] == "accepted"
    assert set(office.states().values()) == {"accepted", "queued"}


def test_stop_without_a_send_says_so(office):
    answer = office.run("stop", SLUG)
    assert (answer.code, answer.err) == (0, f"Nobody is sending {SLUG}. See where it stands: mailer status {SLUG}\n")
