"""`mailer inbox` on a Maildir: who leaves by mail, what is left alone, and what a hostile mail costs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from email import message_from_bytes, policy
from pathlib import Path
from time import process_time
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import ROOT, SECRET
from unsubscribing import AMINA, Reader, registry

from mailer.audience.inbox import Tally, process
from mailer.audience.mailboxes import HEAD, Maildir
from mailer.models import Channel, Event, SubscriberState

NOW = "2018-12-14T08:00:00Z"
NOTHING = {"unsubscribed": 0, "again": 0, "tests": 0, "automatic": 0, "unknown": 0}
GONE, HERE = SubscriberState.UNSUBSCRIBED, SubscriberState.ACTIVE


def make(folder: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    return folder


def put(maildir: Path, mail: str | bytes, name: str = "1544774400.M1P1.mx", part: str = "new") -> Path:
    path = maildir / part / name
    path.write_bytes(mail if isinstance(mail, bytes) else mail.encode("utf-8"))
    return path


def leaving(token: str, *fields: str, sender: str = AMINA) -> str:
    """An unsubscribe mail as a mail program writes it."""
    return "\n".join((f"From: {sender}", "To: unsubscribe@example.org", f"Subject: {token}", *fields, "", "Please."))


@pytest.fixture
def maildir(tmp_path):
    return make(tmp_path / "Maildir")


@pytest.fixture
def amina(office):
    return Reader.joins(office.room())


@pytest.fixture
def token(amina):
    return amina.link.removeprefix("/u/")


def files(maildir):
    return sorted(str(path.relative_to(maildir)) for path in maildir.rglob("*") if path.is_file())


# --- who leaves -------------------------------------------------------------------------------------------


def test_U15_a_mail_from_another_address_removes_the_owner_of_its_token(office, maildir, amina, token):
    """RFC 2369 section 3.2."""
    joao = Reader.joins(amina.room, "joao@example.org")
    put(maildir, leaving(token, sender="Joao <joao@example.org>"))
    answer = office.run("inbox", "--maildir", str(maildir))
    assert (answer.code, answer.out, answer.err) == (0, "1 reader unsubscribed.\n", "")
    assert (amina.state, joao.state) == (GONE, HERE)
    row = amina.journal[-1]
    assert (row.event, row.channel, row.details["token"]) == (
        Event.LEFT, Channel.MAILTO, amina.room.tokens.name(token),
    )  # fmt: skip


def test_U15_the_mailto_of_a_real_mail_leads_here(office, maildir, amina):
    """The address and the subject as `List-Unsubscribe` has them."""
    out = office.root / "out"
    assert office.run("build", "2019-01", "--for", AMINA, "--out", str(out)).code == 0
    [path] = out.rglob("*.eml")
    field = message_from_bytes(path.read_bytes(), policy=policy.SMTP)["List-Unsubscribe"]
    [mailto] = [part.strip("<> ") for part in field.split(",") if "mailto:" in part]
    put(maildir, leaving(parse_qs(urlsplit(mailto).query)["subject"][0]))
    tally = office.run("inbox", "--maildir", str(maildir), "--json").json
    assert tally == NOTHING | {"unsubscribed": 1}
    assert amina.state is GONE


@pytest.mark.parametrize(
    "subject",
    [
        "{}",
        "Re: {}",
        "[EXTERNAL] unsubscribe {} please",
        "=?utf-8?q?{}?=",
        "=?utf-8?Q?D=C3=A9sabonnement?= {}",
        "(\u202a{}\u202c)",
        " \n {}",
    ],
    ids=["bare", "Re", "words around", "encoded", "partly encoded", "marks of direction", "folded"],
)
def test_the_token_is_found_whatever_programs_wrote_around_it(office, maildir, amina, token, subject):
    put(maildir, leaving(subject.format(token)))
    assert office.run("inbox", "--maildir", str(maildir), "--json").json == NOTHING | {"unsubscribed": 1}
    assert amina.state is GONE


def test_a_mail_that_somebody_read_already_counts_as_well(office, maildir, amina, token):
    put(maildir, leaving(token), "1544774400.M1P1.mx:2,RS", "cur")
    assert office.run("inbox", "--maildir", str(maildir), "--json").json == NOTHING | {"unsubscribed": 1}
    assert files(maildir) == [".Unsubscribed/cur/1544774400.M1P1.mx:2,RS", ".Unsubscribed/maildirfolder"]


def test_whoever_left_or_was_erased_or_never_was_is_counted_apart(office, maildir, amina, token):
    other = Reader.joins(amina.room, "joao@example.org")
    put(maildir, leaving(token), "1")
    put(maildir, leaving(token), "2")
    put(maildir, leaving(other.link[3:]), "3")
    put(maildir, leaving(amina.room.tokens.sign("unsubscribe", 0)), "4")
    other.erase()
    tally = office.run("inbox", "--maildir", str(maildir), "--json").json
    assert tally == NOTHING | {"unsubscribed": 1, "again": 2, "tests": 1}


# --- what is left alone -----------------------------------------------------------------------------------


def forgeries(reader: Reader) -> list[str]:
    """The token with each of its characters changed; another purpose's; none."""
    token, tokens = reader.link[3:], reader.room.tokens
    flipped = [token[:at] + ("b" if old == "a" else "a") + token[at + 1 :] for at, old in enumerate(token)]
    return [*flipped, token[:-1], f"{token}a", tokens.sign("preferences", reader.id), "unsubscribe", ""]


def test_a_mail_without_a_genuine_token_is_left_and_counted(office, maildir, amina):
    subjects = forgeries(amina)
    for number, subject in enumerate(subjects):
        put(maildir, leaving(subject), f"{number}")
    before = files(maildir)
    answer = office.run("inbox", "--maildir", str(maildir))
    assert (answer.code, answer.out) == (0, "0 readers unsubscribed.\n")
    assert answer.err == (
        f"{len(subjects)} mails left where they are, without a genuine link: somebody should read them.\n"
    )
    assert (amina.state, [row.event for row in amina.journal], files(maildir)) == (HERE, [Event.ADDED], before)


@pytest.mark.parametrize(
    ("field", "acts"),
    [
        ("Auto-Submitted: auto-replied", False),
        ("Auto-Submitted: auto-generated", False),
        ("auto-submitted: Auto-Replied (vacation)", False),
        ("Auto-Submitted: auto-notified; owner-email=x@example.org", False),
        ("Auto-Submitted: no\nAuto-Submitted: auto-replied", False),
        ("Return-Path: <>", False),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", False),
        ("Content-Type: MULTIPART/Report; boundary=x", False),
        ("Auto-Submitted: no", True),
        ("Auto-Submitted: No (a person)", True),
        ("Return-Path: <amina@example.org>", True),
        ("X-Mailer: a mail program", True),
        ("List-Unsubscribe: <mailto:x@example.org>", True),
    ],
)
def test_automatic_answers_and_returned_mail_are_never_acted_on(office, maildir, amina, token, field, acts):
    """Standards B11: RFC 3834 section 5, RFC 5321 section 4.5.5, RFC 6522."""
    put(maildir, leaving(token, field))
    tally = office.run("inbox", "--maildir", str(maildir), "--json").json
    assert tally == NOTHING | {"unsubscribed" if acts else "automatic": 1}
    assert amina.state is (GONE if acts else HERE)
    assert (files(maildir)[0] == "new/1544774400.M1P1.mx") is not acts


# --- again, and after a crash -----------------------------------------------------------------------------


def test_B13_a_second_run_changes_nothing(office, maildir, amina, token):
    put(maildir, leaving(token))
    office.run("inbox", "--maildir", str(maildir))
    after, journal = files(maildir), amina.journal
    assert after == [".Unsubscribed/cur/1544774400.M1P1.mx:2,S", ".Unsubscribed/maildirfolder"]
    assert office.run("inbox", "--maildir", str(maildir), "--json").json == NOTHING
    assert (files(maildir), amina.journal) == (after, journal)


def test_B13_a_mail_that_could_not_be_put_away_is_acted_on_once(office, maildir, amina, token):
    put(maildir, leaving(token))
    blocked = maildir / ".Unsubscribed"
    blocked.write_text("a file where the folder should be", "utf-8")
    answer = office.run("inbox", "--maildir", str(maildir))
    assert (answer.code, answer.out) == (1, "")
    assert "Traceback" not in answer.err
    assert str(blocked) in answer.err
    blocked.unlink()
    assert office.run("inbox", "--maildir", str(maildir), "--json").json == NOTHING | {"again": 1}
    assert [row.event for row in amina.journal] == [Event.ADDED, Event.LEFT]


def test_B13_whatever_kills_the_process_no_mail_is_lost(office, maildir):
    room = office.room()
    readers = [Reader.joins(room, f"r{number:03d}@example.org") for number in range(200)]
    for number, reader in enumerate(readers):
        put(maildir, leaving(reader.link[3:]), f"{number:03d}")
    done = maildir / ".Unsubscribed" / "cur"
    done.mkdir(parents=True)
    inbox = [sys.executable, "-m", "mailer", "-C", str(office.root), "inbox", "--maildir", str(maildir)]
    process = subprocess.Popen(inbox, env=os.environ | {"MAILER_SECRET_KEY": SECRET}, cwd=ROOT)
    while not any(done.iterdir()):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(files(maildir / "new")) > 0, "it was killed too late to show anything"
    tally = office.run("inbox", "--maildir", str(maildir), "--json").json
    assert {reader.state for reader in readers} == {GONE}
    assert [row.event for reader in readers for row in reader.journal] == [Event.ADDED, Event.LEFT] * 200
    assert len(list(done.iterdir())) == 200
    assert tally["again"] <= 1


# --- hostile mails ----------------------------------------------------------------------------------------

TOKEN = "1.AAAAAAAAAAAAAAAA"
HOSTILE = {
    "500 levels of MIME": b"Subject: x\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(500)
    ),
    "one header of 10 MB": b"Subject: " + b"a" * 10_000_000,
    "a subject of token after token": b"Subject: " + f"{TOKEN} ".encode() * 100_000,
    "a subject of letters that could begin a number": b"Subject: " + b"1" * 60_000 + b"\n\n",
    "100,000 headers": b"Auto-Submitted: no\n" * 100_000,
    "an unknown charset": b"Subject: =?x-none?q?1.AAAAAAAAAAAAAAAA?=\n\n",
    "a charset beyond ASCII": "Subject: =?uté-8?q?1.AAAAAAAAAAAAAAAA?=\n\n".encode(),
    "a broken encoded-word": b"Subject: =?utf-8?b?A?= =?utf-8?b?AAAAA?= =?utf-16?b?2AA=?=\n\n",
    "thousands of encoded-words": b"Subject: " + b"=?utf-8?q?a?= " * 50_000,
    "bytes that are no text": b"Subject: \xff\xfe\x00\x80 \xc3\x28\n\xff\xfe: x\n\n",
    "nothing": b"",
    "no line end": b"Subject",
    "parameters without end": b"Content-Type: multipart/report;" + b' a="' * 15_000 + b"\n\n",
    "comments in comments": b"Auto-Submitted: " + b"(" * 60_000 + b"\n\n",
}  # fmt: skip


@pytest.mark.parametrize("mail", HOSTILE.values(), ids=HOSTILE)
def test_B14_a_hostile_mail_costs_little_and_is_left(maildir, amina, mail):
    path = put(maildir, mail)
    began = process_time()
    tally = process(registry(amina.room), Maildir(maildir), NOW)
    assert process_time() - began < 1
    assert tally.automatic + tally.unknown == 1
    assert path.read_bytes() == mail


def test_B14_200_MB_are_not_read(maildir, amina, token):
    path = put(maildir, leaving(token))
    with path.open("ab") as file:
        file.truncate(200_000_000)  # the rest takes no space on the disk
    tracemalloc.start()
    tally = process(registry(amina.room), Maildir(maildir), NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert tally == Tally(unsubscribed=1)
    assert most < 20 * HEAD


def test_B14_a_hostile_mail_does_not_keep_others_from_leaving(maildir, amina, token):
    for number, mail in enumerate(HOSTILE.values()):
        put(maildir, mail, f"{number:02d}")
    put(maildir, leaving(token), "99")
    assert process(registry(amina.room), Maildir(maildir), NOW).unsubscribed == 1


# --- the command ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "name one mailbox, with --maildir or with --imap"),
        (["--maildir", "a", "--imap", "b"], 2, "name one mailbox, with --maildir or with --imap"),
        (["--maildir", "nowhere"], 1, "nowhere is no Maildir: it has no folders new and cur"),
        (["--imap", "mail.example.org"], 1, "--imap must be like imaps://user%40example.org@mail.example.org/INBOX"),
        (["--imap", "imaps://u:secret@mail.example.org"], 1, "--imap must be like imaps://"),
        (["--imap", "imap://u@mail.example.org"], 1, "use imaps:// or imap+starttls://"),
        (["--imap", "imaps://u@mail.example.org"], 1, "put it into MAILER_IMAP_PASSWORD"),
    ],
    ids=["neither", "both", "no Maildir", "no address", "a password in it", "unencrypted", "no password"],
)
def test_what_is_wrong_is_said(office, arguments, code, said):
    answer = office.run("inbox", *arguments)
    assert answer.code == code
    assert said in " ".join(answer.err.replace("│", " ").split())
    assert (answer.out, "secret" in answer.err) == ("", False)


def test_everything_is_told_in_json_and_in_words(office, maildir, amina, token):
    put(maildir, leaving(token), "1")
    put(maildir, leaving(token, "Auto-Submitted: auto-replied"), "2")
    put(maildir, leaving("take me off your list"), "3")
    answer = office.run("inbox", "--maildir", str(maildir))
    assert answer.out == "1 reader unsubscribed.\n"
    assert answer.err == (
        "1 mail left where it is: an automatic answer, or returned.\n"
        "1 mail left where it is, without a genuine link: somebody should read it.\n"
    )
    assert json.loads(office.run("inbox", "--maildir", str(maildir), "--json").out) == NOTHING | {
        "automatic": 1,
        "unknown": 1,
    }
