"""status, log, explain: proving what happened."""

from __future__ import annotations

import csv
import io
import shutil

import pytest
from sending import NOW, SLUG, parsed
from smtp_relay import HANG_UP, Relay

from mailer.audience import subscribers

LOG_KEYS = ["email", "state", "attempts", "code", "enhanced", "reply", "step", "message_id", "edition", "queued_at",
            "settled_at"]  # fmt: skip
SCRIPT = {
    "RCPT bad@example.org": "550-5.1.1 No such\r\n550 user [here]",
    "RCPT later@example.org": "450 4.2.1 Busy",
    "content lost@example.org": HANG_UP,
}
PEOPLE = ["good@example.org", "bad@example.org", "later@example.org", "lost@example.org"]


@pytest.fixture
def sent(office):
    """An issue sent to four people, with four different ends."""
    with Relay(SCRIPT) as relay:
        office.use(relay)
        office.subscribe(*PEOPLE)
        office.run("send", SLUG, "--yes", "--no-wait")
        office.relay = relay
        yield office


def test_the_log_as_json_has_the_keys_of_the_design_and_the_message_ids_received(sent):
    rows = sent.run("log", SLUG, "--format", "json").json
    assert [list(row) for row in rows] == [LOG_KEYS] * 4
    assert [(row["email"], row["state"], row["attempts"], row["code"], row["enhanced"]) for row in rows] == [
        ("good@example.org", "accepted", 1, 250, "2.0.0"),
        ("bad@example.org", "refused", 1, 550, "5.1.1"),
        ("later@example.org", "deferred", 1, 450, "4.2.1"),
        ("lost@example.org", "unknown", 1, 0, ""),
    ]
    ids = {row["email"]: row["message_id"] for row in rows}
    received = {mail.recipient: parsed(mail)["Message-ID"] for mail in sent.relay.mails}
    assert received == {who: ids[who] for who in ("good@example.org", "lost@example.org")}
    assert len(set(ids.values())) == 4


def test_the_log_as_csv_says_the_same(sent):
    rows = list(csv.DictReader(io.StringIO(sent.run("log", SLUG, "--format", "csv").out)))
    as_json = sent.run("log", SLUG, "--json").json
    assert rows == [{key: str(value) for key, value in row.items()} for row in as_json]


def test_the_log_as_csv_has_its_header_without_any_row(sent):
    assert sent.run("log", SLUG, "--state", "skipped", "--format", "csv").out == ",".join(LOG_KEYS) + "\n"
    assert sent.run("log", SLUG, "--state", "skipped", "--format", "json").json == []


@pytest.mark.parametrize("state", ["accepted", "refused", "deferred", "unknown"])
def test_the_log_of_one_state(sent, state):
    [row] = sent.run("log", SLUG, "--state", state, "--json").json
    assert row["state"] == state


def test_the_log_as_a_table_shows_replies_as_they_came(sent):
    out = sent.run("log", SLUG).out
    assert "550 5.1.1 No such user [here]" in " ".join(out.split())
    assert max(len(line) for line in out.splitlines()) <= 80


def test_the_log_stays_readable_when_the_issue_is_gone(sent):
    before = sent.run("log", SLUG, "--json").json
    shutil.rmtree(sent.root / "issues")
    assert sent.run("log", SLUG, "--json").json == before


def test_status_of_one_issue_and_of_all(sent):
    one = sent.run("status", SLUG, "--json")
    seconds = one.json["seconds"]
    assert one.json == {
        "issue": SLUG, "audience": 4, "accepted": 1, "refused": 1, "deferred": 1, "unknown": 1, "skipped": 0,
        "queued": 0, "editions": 1, "seconds": seconds, "begin_at": "", "pace": [],
    }  # fmt: skip
    assert sent.run("status", "--json").json == {"issues": [one.json]}
    assert [line.split() for line in sent.run("status").out.splitlines() if line.strip().startswith(SLUG)] == [
        [SLUG, "4", "1", "1", "0", "1", "1"]
    ]
    assert f"mailer log {SLUG} --state unknown" in " ".join(sent.run("status", f"issues/{SLUG}/").out.split())


def test_status_says_when_what_was_put_off_is_due(office):
    with Relay({"RCPT": "450 4.2.1 Busy"}) as relay:
        office.use(relay, retry='["2h"]')
        office.subscribe(count=1)
        sent = office.run("send", SLUG, "--yes", "--no-wait")
    told = office.run("status", SLUG).err
    assert told.startswith("The next that was put off is due at 20")
    assert f"Go on, from {told[len('The next that was put off is due at ') : -2]}, with" in sent.err


@pytest.mark.parametrize("command", [["status"], ["log"], ["log", "--pace"]], ids=" ".join)
def test_an_issue_never_planned_says_how_to_begin(office, command):
    answer = office.run(*command, SLUG)
    assert (answer.code, answer.out, answer.err) == (
        *(1, ""),
        f"Error: issue {SLUG} has not been planned yet. Begin with: mailer send {SLUG}\n",
    )


@pytest.mark.parametrize(
    ("person", "said"),
    [
        ("good@example.org", "Accepted by the server at {} after 1 attempt: 250 2.0.0 Ok: queued"),
        ("bad@example.org", "Refused by the server at {} after 1 attempt, at rcpt: 550 5.1.1 No such user [here]"),
        ("later@example.org", "Put off after 1 attempt, at rcpt: 450 4.2.1 Busy. Next attempt at {}."),
        ("lost@example.org", "Unknown since {}: the server closed the connection. Not sent again by itself."),
    ],
)
def test_explain_says_what_became_of_a_delivery(sent, person, said):
    row = sent.log()[person]
    answer = sent.run("explain", SLUG, person)
    assert answer.code == 0
    assert said.format(row.settled_at or row.next_at) in " ".join(answer.out.split())
    assert sent.run("explain", SLUG, person, "--json").json["sentence"] == said.format(row.settled_at or row.next_at)


def test_explain_gives_each_story_its_reason(office):
    office.subscribe("all@example.org", coops="cooperatives", green="green-jobs")
    why = {
        person: [
            (story["id"], story["shown"], story["why"])
            for story in office.run("explain", SLUG, f"{person}@example.org", "--json").json["stories"]
        ]
        for person in ("all", "coops", "green")
    }
    assert why == {
        "all": [("coops", True, "no interests chosen: the whole issue"), ("all", True, "for everybody")],
        "coops": [("coops", True, "chose Cooperatives"), ("all", True, "for everybody")],
        "green": [("coops", False, "only for Cooperatives"), ("all", True, "for everybody")],
    }


def test_explain_lists_earlier_attempts(sent):
    answer = sent.run("explain", SLUG, "later@example.org", "--json").json
    assert [{**attempt, "at": ""} for attempt in answer["put_off"]] == [
        {"at": "", "step": "rcpt", "code": 450, "reply": "4.2.1 Busy"}
    ]
    assert answer["delivery"] == sent.run("log", SLUG, "--state", "deferred", "--json").json[0]
    assert answer["subscriber"]["email"] == "later@example.org"
    assert "put off at rcpt: 450 4.2.1 Busy" in sent.run("explain", SLUG, "later@example.org").out


def test_explain_before_the_plan_after_it_and_for_who_left(office):
    office.subscribe("early@example.org", "gone@example.org", "left@example.org")
    room = office.room()
    subscribers.remove(room.store.audience, "gone@example.org", NOW)

    def sentence(person):
        return office.run("explain", SLUG, f"{person}@example.org", "--json").json["sentence"]

    before = [sentence("early"), sentence("gone")]
    office.plan()
    office.subscribe("late@example.org")
    subscribers.remove(room.store.audience, "left@example.org", NOW)
    assert [*before, sentence("early"), sentence("late")] == [
        "Would get the stories marked yes.",
        f"Gets nothing: unsubscribed since {NOW}.",
        "Waits to be sent.",
        "Not in this send: subscribed after it was planned.",
    ]
    with Relay() as relay:
        office.use(relay)
        office.run("send", SLUG, "--yes")
    assert sentence("left") == "Skipped: unsubscribed since the send was planned."


def test_explain_keeps_to_the_edition_that_was_planned(office):
    """Interests changed afterwards change the next issue."""
    office.subscribe(reader="cooperatives")
    room = office.plan()
    person = subscribers.find(room.store.audience, "reader@example.org")
    room.store.audience.update(type(person)(person.email, interests=("green-jobs",), id=person.id), NOW)
    stories = office.run("explain", SLUG, "reader@example.org", "--json").json["stories"]
    assert [(story["shown"], story["why"]) for story in stories] == [
        (True, "chosen when the send was planned"),
        (True, "for everybody"),
    ]


def test_explain_for_a_stranger_says_where_to_look(office):
    answer = office.run("explain", SLUG, "stranger@example.org")
    assert (answer.code, answer.out) == (1, "")
    assert "Look with: mailer subscribers list" in " ".join(answer.err.split())
