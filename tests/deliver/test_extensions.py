"""What a relay offers, or does not: SIZE, SMTPUTF8, 8BITMIME."""

from __future__ import annotations

import asyncio

from sending import parsed
from smtp_relay import Relay


def go(office, clock):
    """Send what can be sent now."""
    return asyncio.run(office.sending(clock).go(wait=False))


def test_a_message_over_the_relays_size_is_refused_before_it_is_sent(office, clock):
    """RFC 1870 section 6: not offered when it exceeds the limit declared."""
    with Relay(extensions=("PIPELINING", "SIZE 5000")) as relay:
        office.use(relay)
        office.subscribe(count=1)
        office.plan()
        balance = go(office, clock)
        assert (balance.refused, [event for _, event in relay.events if event.startswith("MAIL")]) == (1, [])
    [row] = office.log().values()
    assert row.reply.endswith(" bytes, the relay takes 5000")
    assert (row.code, row.enhanced, row.step) == (0, "5.3.4", "mail")


def test_an_address_beyond_ascii_goes_as_it_is_where_smtputf8_is_offered(office, clock):
    """RFC 6531 section 3.4; RFC 6532 for the header."""
    with Relay() as relay:
        office.use(relay)
        office.subscribe("jürgen@example.org", "anna@example.org")
        office.plan()
        go(office, clock)
        assert relay.received == ["anna@example.org", "jürgen@example.org"]
        with_utf8 = [event for _, event in relay.events if "SMTPUTF8" in event]
        assert "To: <jürgen@example.org>\r\n".encode() in relay.of("jürgen@example.org").content
    assert len(with_utf8) == 1
    assert " BODY=8BITMIME" in with_utf8[0]


def test_an_address_beyond_ascii_is_refused_clearly_where_smtputf8_is_missing(office, clock):
    with Relay(extensions=("PIPELINING", "8BITMIME")) as relay:
        office.use(relay)
        office.subscribe("jürgen@example.org", "anna@example.org")
        office.plan()
        go(office, clock)
        assert relay.received == ["anna@example.org"]
        assert not any("rgen" in event for _, event in relay.events)
    row = office.log()["jürgen@example.org"]
    assert (row.state, row.code, row.enhanced, row.reply, row.step) == (
        *("refused", 0, "5.6.7", "the address needs SMTPUTF8, which the relay does not offer", "mail"),
    )


def test_a_unicode_domain_goes_as_an_a_label_without_smtputf8(office, clock):
    """RFC 5890 section 2.3.2.1."""
    with Relay(extensions=()) as relay:
        office.use(relay)
        office.subscribe("anna@bücher.example.org")
        office.plan()
        go(office, clock)
        assert relay.received == ["anna@xn--bcher-kva.example.org"]
        assert parsed(relay.mails[0])["To"] == "anna@xn--bcher-kva.example.org"
    assert office.states() == {"anna@bücher.example.org": "accepted"}
