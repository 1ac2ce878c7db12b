"""The built-in mail server, as smtplib sees it."""

from __future__ import annotations

import mailbox
import smtplib
from urllib.parse import urlsplit

import pytest

from mailer.deliver.mailserver import MailServer

BODY = b"Subject: Dots\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n.\r\n..two\r\nend\r\n"


def deliver(url, *recipients):
    with smtplib.SMTP(urlsplit(url).hostname, urlsplit(url).port) as client:
        for recipient in recipients:
            client.sendmail("news@example.org", [recipient], BODY, ["SMTPUTF8"] if not recipient.isascii() else [])


def test_each_mail_is_a_file_with_its_envelope_and_its_bytes(tmp_path):
    with MailServer(tmp_path / "Maildir") as server:
        deliver(server.url, "anna@example.org", "jürgen@example.org")
        assert server.count == 2
    box = mailbox.Maildir(tmp_path / "Maildir")
    kept = sorted(box.get_bytes(name) for name in box.keys())  # noqa: SIM118 - a mailbox iterates over messages
    trace = "Return-Path: <news@example.org>\nDelivered-To: {}\n"
    body = BODY.replace(b"\r\n", b"\n")
    assert [mail.replace(b"\r\n", b"\n") for mail in kept] == [
        trace.format(recipient).encode() + body for recipient in ("anna@example.org", "jürgen@example.org")
    ]


def test_two_servers_have_ports_of_their_own_and_are_gone_afterwards(tmp_path):
    with MailServer(tmp_path / "one") as one, MailServer(tmp_path / "two") as two:
        assert one.url != two.url
        deliver(two.url, "anna@example.org")
        assert (one.count, two.count) == (0, 1)
    with pytest.raises(ConnectionRefusedError):
        deliver(two.url, "anna@example.org")
