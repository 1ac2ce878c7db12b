"""`mailer inbox` on a real IMAP server: Dovecot."""

from __future__ import annotations

import socket
from contextlib import contextmanager

import pytest
import trustme
from dovecot import PASSWORD, dovecot
from unsubscribing import AMINA, Reader

from mailer.models import SubscriberState

NOTHING = {"unsubscribed": 0, "again": 0, "tests": 0, "automatic": 0, "unknown": 0}


@pytest.fixture(scope="module")
def authority():
    """A certificate authority of this run's own."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch):
    """This machine trusts the authority, and nobody else."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("MAILER_IMAP_PASSWORD", PASSWORD)


@pytest.fixture
def amina(office):
    return Reader.joins(office.room())


@contextmanager
def serving(tmp_path, authority, *mails, name="127.0.0.1", folder="", **settings):
    """A server whose mailbox holds these."""
    maildir = tmp_path / "Maildir"
    inbox = maildir / folder
    for part in ("new", "cur", "tmp"):
        (inbox / part).mkdir(parents=True)
    for number, mail in enumerate(mails):
        (inbox / "new" / f"15447744{number:02d}.M1P1.mx").write_text(mail, "utf-8")
    certificate = authority.issue_cert(name, key_type=trustme.KeyType.ECDSA).private_key_and_cert_chain_pem.bytes()
    with dovecot(tmp_path / "dovecot", maildir, certificate, **settings) as server:
        yield server


def leaving(reader, *fields):
    return "\n".join((f"From: {AMINA}", f"Subject: Re: {reader.link[3:]}", *fields, "", "Please.", ""))


def names(maildir):
    """How many mails lie in each folder of the mailbox."""
    found = {}
    for path in maildir.rglob("*"):
        if path.parent.name in ("new", "cur") and path.is_file():
            folder = str(path.parent.parent.relative_to(maildir))
            found[folder] = found.get(folder, 0) + 1
    return found


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls", "imap"])
def test_U15_readers_leave_by_mail_and_a_second_run_changes_nothing(
    office, amina, authority, trusted, password, tmp_path, scheme
):
    """Standards B13 too. What is left alone stays unread."""
    mails = [leaving(amina), leaving(amina, "Auto-Submitted: auto-replied"), "Subject: no token\n\n"]
    with serving(tmp_path, authority, *mails) as server:
        first = office.run("inbox", "--imap", server.url(scheme), "--json")
        second = office.run("inbox", "--imap", server.url(scheme), "--json")
        assert (first.code, first.err, second.code) == (0, "", 0)
        assert first.json == NOTHING | {"unsubscribed": 1, "automatic": 1, "unknown": 1}
        assert second.json == NOTHING | {"automatic": 1, "unknown": 1}
        assert names(server.maildir) == {".": 2, ".Unsubscribed": 1}
        flags = [path.name.partition(":2,")[2] for path in (server.maildir / "cur").iterdir()]
    assert flags == ["", ""]
    assert amina.state is SubscriberState.UNSUBSCRIBED
    assert len(amina.journal) == 2


PREFIXED = """\
namespace inbox {
  inbox = yes
  prefix = INBOX.
  separator = .
}
"""


@pytest.mark.parametrize(
    ("settings", "there"),
    [
        ({"more": "imap_capability = IMAP4rev1"}, {".": 1, ".Unsubscribed": 1}),
        ({"more": PREFIXED}, {".Unsubscribed": 1}),
    ],
    ids=["without MOVE (RFC 6851)", "folders below INBOX (RFC 2342)"],
)
def test_servers_differ(office, amina, authority, password, tmp_path, settings, there):
    with serving(tmp_path, authority, leaving(amina), **settings) as server:
        answers = [office.run("inbox", "--imap", server.url(), "--json").json for _ in range(2)]
        assert answers == [NOTHING | {"unsubscribed": 1}, NOTHING]
        assert names(server.maildir) == there


def test_another_folder_and_more_mails_than_are_asked_for_at_once(office, authority, password, tmp_path):
    room = office.room()
    readers = [Reader.joins(room, f"r{number:03d}@example.org") for number in range(150)]
    mails = map(leaving, readers)
    with serving(tmp_path, authority, *mails, folder=".By mail") as server:
        answer = office.run("inbox", "--imap", server.url(folder="By%20mail"), "--json")
        assert (answer.code, answer.json) == (0, NOTHING | {"unsubscribed": 150})
        assert names(server.maildir) == {".Unsubscribed": 150}
    assert {reader.state for reader in readers} == {SubscriberState.UNSUBSCRIBED}


def test_a_mail_of_10_MB_is_read_by_its_head(office, amina, authority, password, tmp_path):
    with serving(tmp_path, authority, leaving(amina) + "a line of 20 octets\n" * 500_000) as server:
        assert office.run("inbox", "--imap", server.url(), "--json").json == NOTHING | {"unsubscribed": 1}


@pytest.mark.parametrize(
    ("scheme", "name", "trusts"),
    [("imaps", "127.0.0.1", False), ("imap+starttls", "127.0.0.1", False), ("imaps", "mail.example.org", True)],
    ids=["unknown authority", "unknown authority, STARTTLS", "another host's"],
)
def test_no_password_goes_to_a_server_whose_certificate_is_wrong(
    office, amina, authority, password, tmp_path, request, scheme, name, trusts
):
    """Standards A9."""
    if trusts:
        request.getfixturevalue("trusted")
    with serving(tmp_path, authority, leaving(amina), name=name) as server:
        answer = office.run("inbox", "--imap", server.url(scheme))
    assert (answer.code, answer.out) == (1, "")
    assert f"{scheme}://127.0.0.1: " in answer.err
    assert "certificate verify failed" in answer.err
    assert amina.state is SubscriberState.ACTIVE


def test_a_wrong_password_or_folder_is_said_in_one_line(office, amina, authority, monkeypatch, tmp_path):
    with serving(tmp_path, authority, leaving(amina)) as server:
        monkeypatch.setenv("MAILER_IMAP_PASSWORD", "wrong")
        refused = office.run("inbox", "--imap", server.url())
        monkeypatch.setenv("MAILER_IMAP_PASSWORD", PASSWORD)
        missing = office.run("inbox", "--imap", server.url(folder="Nowhere"))
    assert (refused.code, refused.err) == (
        1, "Error: imap://127.0.0.1: [AUTHENTICATIONFAILED] Authentication failed.\n",
    )  # fmt: skip
    assert missing.code == 1
    assert "there is no folder “Nowhere” that can be written to" in missing.err
    assert len(missing.err.splitlines()) == 1


def test_a_server_that_is_not_there_is_said(office, password):
    with socket.create_server(("127.0.0.1", 0)) as asked:
        port = asked.getsockname()[1]
    answer = office.run("inbox", "--imap", f"imap://u@127.0.0.1:{port}")
    assert (answer.code, answer.err) == (1, "Error: imap://127.0.0.1: Connection refused\n")
