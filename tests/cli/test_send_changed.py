"""`mailer send` goes on with an issue that was changed after its first mails: the rest get what the others got."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ISSUE
from PIL import Image
from sending import NOW, SLUG, Office, parsed
from smtp_relay import Relay

ILLUSTRATED = ISSUE.replace("They [grow", "![A dot](images/dot.png)\n\nThey [grow")
FIRST = ["amina@example.org", "bo@example.org"]
PEOPLE = {"chen": "cooperatives", "dede": "green-jobs", "ebo": "cooperatives"}
REST = [f"{name}@example.org" for name in PEOPLE]
MAILBOX = "Enterprises <newsletter@example.org>"


@pytest.fixture(params=["link", "embed"], scope="module")
def images(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def unchanged(images: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, bytes]]:
    """What everybody gets when nothing is changed, sent in two runs."""
    with pytest.MonkeyPatch.context() as patch, Relay() as relay:
        office = Office(tmp_path_factory.mktemp("unchanged") / "office", patch)
        begin(office, relay, images)
        again = office.run("send", SLUG, "--yes")
        office.close()
    assert (again.code, relay.received, "changed" in again.err) == (0, sorted(FIRST + REST), False), again.err
    return contents(relay)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as started:
        yield started


def begin(office: Office, relay: Relay, images: str = "link") -> None:
    """Five people, of whom two have got the issue."""
    office.use(relay)
    replace(office.root / "pyproject.toml", "\npostal_address", f'\nimages = "{images}"\npostal_address')
    office.write_issue(ILLUSTRATED)
    draw(office.root, "#0f5c7a")
    office.subscribe(*FIRST)
    office.subscribe(**PEOPLE)
    office.run("send", SLUG, "--yes", "--limit", "2", "--no-wait")
    assert relay.received == FIRST


def contents(relay: Relay) -> dict[str, tuple[str, bytes]]:
    """Envelope sender and message by recipient; the moment of sending is the only thing that may differ."""
    return {mail.recipient: (mail.sender, re.sub(rb"\nDate: [^\r]+", b"\nDate:", mail.content)) for mail in relay.mails}


def draw(root: Path, colour: str) -> None:
    path = root / "issues" / SLUG / "images" / "dot.png"
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (40, 40), colour).save(path)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def issue(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: replace(root / "issues" / SLUG / "issue.md", old, new)


def settings(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: replace(root / "pyproject.toml", old, new)


def theme(name: str, text: str) -> Callable[[Path], None]:
    return lambda root: (root / "templates" / "enterprises" / name).write_text(text, "utf-8")


def without_cooperatives(root: Path) -> None:
    text = (root / "pyproject.toml").read_text("utf-8")
    (root / "pyproject.toml").write_text(re.sub(r"(?m)^cooperatives = .*\n", "", text), "utf-8")


FILE = f"issues/{SLUG}/issue.md"
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "story": (issue("They [grow fast]", "They [grew fast]"), "story “coops” changed"),
    "subject": (issue("subject: Two", "subject: 2"), "the front matter changed"),
    "preheader": (issue("nothing else at all", "something else"), "the front matter changed"),
    "language": (issue("date:", "language: fr\ndate:"), "the front matter changed"),
    "story-gone": (
        lambda root: (root / FILE).write_text(ILLUSTRATED[: ILLUSTRATED.index("## For everybody")], "utf-8"),
        "the list of stories changed\n  - story “all” is gone",
    ),
    "story-for-others": (issue("topics=cooperatives", "topics=green-jobs"), "story “coops” changed"),
    "broken": (
        issue("topics=cooperatives", "topics=coops"),
        f"{FILE}:12: unknown topic “coops”. Known are: cooperatives, ",
    ),
    "no-text": (lambda root: (root / FILE).write_bytes(b"\xff\xfe\0"), f"{FILE}:1: is not UTF-8 here; save the file"),
    "file-gone": (lambda root: (root / FILE).unlink(), f"{FILE}: there is no such file"),
    "folder-gone": (lambda root: shutil.rmtree(root / "issues" / SLUG), f"issues/{SLUG} is gone"),
    "theme": (theme("inline.css", "p { margin: 0 }\n"), "templates/enterprises/inline.css changed"),
    "words": (lambda root: replace(root / "templates/enterprises/theme.toml", '"reader"', '"friend"'),
              "templates/enterprises/theme.toml changed"),
    "theme-broken": (theme("theme.toml", "[colours"), "templates/enterprises/theme.toml: cannot be read: "),
    "template-gone": (lambda root: shutil.rmtree(root / "templates"), "there is no template “enterprises”"),
    "sender": (settings(MAILBOX, "Somebody <else@example.net>"), "the newsletter's settings changed"),
    "public-url": (settings("https://newsletter.", "https://elsewhere."), "the newsletter's settings changed"),
    "label": (settings('cooperatives = "Cooperatives"', 'cooperatives = "Co-ops"'), "the interests changed"),
    "interest-gone": (without_cooperatives, f"{FILE}:12: unknown topic “cooperatives”."),
    "picture": (lambda root: draw(root, "#ffffff"), "picture images/dot.png changed"),
    "picture-gone": (lambda root: (root / f"issues/{SLUG}/images/dot.png").unlink(), f"{FILE}:14: "),
}  # fmt: skip


@pytest.mark.parametrize("which", CHANGES)
def test_the_rest_get_the_same_bytes_whatever_was_changed(office, relay, images, unchanged, which):
    change, named = CHANGES[which]
    begin(office, relay, images)
    change(office.root)
    answer = office.run("send", SLUG, "--yes")
    assert (answer.code, relay.received) == (0, sorted(FIRST + REST)), answer.err
    assert contents(relay) == unchanged
    assert f"{SLUG} was planned for 5 people; 3 are open.\nIt has changed since it was planned at " in answer.err
    assert named in answer.err
    assert "\nThe 3 readers who still wait get what the others got. Changes are not sent.\nRelay " in answer.err


def test_a_dry_run_says_so_and_sends_nothing(office, relay):
    begin(office, relay)
    office.write_issue("")
    answer = office.run("send", SLUG, "--dry-run", "--json")
    assert (answer.code, relay.received, answer.json["queued"]) == (0, FIRST, 3)
    assert answer.err.splitlines()[2:] == [
        f"  - {FILE}: is empty; begin with --- and title:, date:, then # Section and ## Story",
        "The 3 readers who still wait get what the others got. Changes are not sent.",
        f"Relay {relay.url}, 1 connection; 3 to send.",
        "Nothing was sent: this was a dry run.",
    ]


def test_it_says_so_before_it_asks_and_no_is_heard(office, relay):
    begin(office, relay)
    office.run("send", SLUG, "--yes", "--limit", "2", "--no-wait")
    office.write_issue()
    answer = office.run("send", SLUG, typed="n\n")
    assert (answer.code, len(relay.mails)) == (1, 4)
    assert answer.err.index("The reader who still waits gets what the others got.") < answer.err.index("Send? [y/N]")


@pytest.mark.parametrize("which", ["story", "broken", "folder-gone", "template-gone"])
def test_what_is_finished_stays_finished(office, relay, which):
    begin(office, relay)
    office.run("send", SLUG, "--yes")
    finished = office.run("send", SLUG)
    CHANGES[which][0](office.root)
    assert office.run("send", SLUG) == finished
    assert (finished.code, len(relay.mails)) == (0, 5)
    assert finished.err.endswith(f"{SLUG} is finished; there is nothing to send.\n")


def test_a_file_that_is_put_back_is_not_mentioned(office, relay):
    begin(office, relay)
    office.write_issue()
    assert "It has changed" in office.run("send", SLUG, "--dry-run").err
    office.write_issue(ILLUSTRATED)
    assert "changed" not in office.run("send", SLUG, "--dry-run").err


def test_it_cannot_be_planned_anew_even_where_the_file_is_broken(office, relay):
    begin(office, relay)
    office.write_issue("")
    answer = office.run("send", SLUG, "--yes", "--replan")
    assert (answer.code, answer.err, len(relay.mails)) == (
        1,
        f"Error: issue {SLUG} is partly sent and cannot be planned anew; go on with: mailer send {SLUG}\n",
        2,
    )


def test_the_relay_and_its_limits_are_todays(office, relay):
    begin(office, relay)
    office.write_issue("")
    with Relay() as another:
        office.use(another, more='limits = "2/h"')
        answer = office.run("send", SLUG, "--yes", "--no-wait")
    assert "a limit is used up" in answer.err
    assert (relay.received, another.received) == (FIRST, REST[:2])


def test_links_are_signed_for_the_list_as_it_is_called_today_so_that_they_work(office, relay):
    begin(office, relay)
    settings('list_id = "enterprises.example.org"', 'list_id = "renamed.example.org"')(office.root)
    assert office.run("send", SLUG, "--yes").code == 0
    message = parsed(relay.of(REST[0]))
    token = re.search(r"/u/([^>]+)>", message["List-Unsubscribe"])[1]
    room = office.room()
    assert message["List-Id"] == "Enterprises Newsletter <enterprises.example.org>"
    assert room.store.audience.get(room.tokens.read("unsubscribe", token)).email == REST[0]


def test_mails_are_signed_for_the_sender_they_name(office, relay):
    begin(office, relay)
    office.run("keys", "dkim", "n2026")
    settings("[tool.mailer.smtp]", '[tool.mailer.dkim]\nselector = "n2026"\n\n[tool.mailer.smtp]')(office.root)
    settings(MAILBOX, "Somebody <else@example.net>")(office.root)
    assert office.run("send", SLUG, "--yes").code == 0
    signature = parsed(relay.of(REST[0]))["DKIM-Signature"]
    assert re.findall(r"\b[ds]=([^;]+)", signature) == ["example.org", "n2026"]


@pytest.mark.parametrize("when", ["half sent", "finished"])
def test_explain_and_log_tell_what_was_sent(office, relay, when):
    begin(office, relay)
    if when == "finished":
        office.run("send", SLUG, "--yes")
    explained = office.run("explain", SLUG, REST[0])
    settings(MAILBOX, "Somebody <else@example.net>")(office.root)
    issue("## Cooperatives grow", "## Cooperatives shrink")(office.root)
    assert office.run("explain", SLUG, REST[0]) == explained
    assert explained.out.count("Cooperatives grow") == 1
    shutil.rmtree(office.root / "issues")
    assert office.run("explain", SLUG, REST[0]) == explained
    logged = {row["email"]: row["message_id"] for row in office.run("log", SLUG, "--format", "json").json}
    received = {mail.recipient: parsed(mail)["Message-ID"] for mail in relay.mails}
    assert received.items() <= logged.items()
    assert len(received) == {"half sent": 2, "finished": 5}[when]


def test_settle_finds_the_message_ids_of_the_sender_it_was_planned_with(office, relay):
    begin(office, relay)
    room = office.room()
    [claim] = room.store.sendlog.claim(SLUG, 1, NOW)
    room.store.sendlog.offer(SLUG, claim.subscriber.id, NOW)  # and the process is killed
    sent = {row["email"]: row["message_id"] for row in office.run("log", SLUG, "--format", "json").json}
    settings(MAILBOX, "Somebody <else@example.net>")(office.root)
    lines = [
        f"Dec 14 08:00:01 mx postfix/cleanup[2]: 4F1: message-id={sent[claim.subscriber.email]}",
        "Dec 14 08:00:02 mx postfix/smtp[3]: 4F1: to=<chen@example.org>, relay=mx, dsn=2.0.0, status=sent (250 Ok)",
    ]
    (office.root / "mail.log").write_text("\n".join(lines) + "\n", "ascii")
    answer = office.run("settle", SLUG, "--from-log", str(office.root / "mail.log"), "--json")
    assert (answer.json["settled"], answer.json["unknown"], answer.json["accepted"]) == (1, 0, 3)


@pytest.mark.parametrize("older", ["snapshot without its sender", "no snapshot"])
def test_a_plan_of_an_older_release_goes_on_only_with_the_file_as_it_was(office, relay, older):
    begin(office, relay)
    with closing(sqlite3.connect(office.root / "subscribers" / "mailer.db")) as database, database:
        if older == "no snapshot":
            database.execute("DELETE FROM snapshots")
        else:
            [facts] = database.execute("SELECT facts FROM snapshots").fetchone()
            told = json.loads(zlib.decompress(facts))
            del told["newsletter"], told["interests"]
            database.execute("UPDATE snapshots SET facts = ?", (zlib.compress(json.dumps(told).encode()),))
    office.write_issue(ILLUSTRATED.replace("grow fast", "grew fast"))
    changed = office.run("send", SLUG, "--yes")
    assert (changed.code, relay.received) == (1, FIRST)
    assert changed.err.endswith(
        "  - story “coops” changed\nMessages have gone out, so the rest must be the same: take the changes back.\n"
    )
    office.write_issue(ILLUSTRATED)
    assert office.run("send", SLUG, "--yes").code == 0
    assert relay.received == sorted(FIRST + REST)
