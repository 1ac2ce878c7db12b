"""The letters of the reader's pages are signed as all mail is; the pages do not start with a key of no use."""

from __future__ import annotations

from joining_form import send
from public_server import serving
from received import fields
from signatures import ON, sound, zone_of
from smtp_relay import Relay


def test_A4_a_letter_verifies_as_received_and_names_all_its_fields(office, clock):
    """rsa-sha256, the sender's domain, no l=, t= the letter's own Date; From signed once more (standards A1 to A6)."""
    zone = zone_of(office.run("keys", "dkim", "n2026", "--json").json)
    with Relay() as relay:
        office.use(relay, more=ON)
        with serving(office.room(), clock) as site:
            send(site, clock, email="nora@example.org")
            relay.wait_for(lambda: len(relay.mails) == 1)
    [mail] = relay.mails
    signed = "from:to:reply-to:subject:date:message-id:mime-version:content-type:auto-submitted"
    assert sound(mail.content, zone, f"{signed}:from")
    assert {name.lower() for name, _ in fields(mail.content)} == {*signed.split(":"), "dkim-signature"}


def test_the_pages_do_not_start_with_a_key_of_no_use(office):
    office.use("smtp://127.0.0.1:1", more=ON)
    answer = office.run("serve", "--port", "0")
    assert (answer.code, answer.err) == (
        1,
        "subscribers/.dkim-n2026.pem: is not there. Make it with: mailer keys dkim\n1 mistake. Nothing was changed.\n",
    )
