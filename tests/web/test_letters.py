"""The mails of the pages: what they hold, how they look to a mail program, and that a relay that is away loses none."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from datetime import timedelta

import lxml.html
import pytest
from conftest import Clock
from joining_form import done, links, send, with_relay
from public_server import NOW, serving
from received import bodies, field, fields, parse, structure, wire_faults
from smtp_relay import HANG_UP, PATIENCE, Gate, Relay

from mailer.audience import life, subscribers
from mailer.audience.registry import Registry
from mailer.models import Channel, Evidence, Letter, LetterKind
from mailer.web import errands, letters
from mailer.web.site import Site


@pytest.fixture
def put_off():
    """Waits until a letter was put off, by the line that the site logs when it is written down."""
    heard = threading.Semaphore(0)

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.release()

        def wait(self) -> None:
            assert heard.acquire(timeout=PATIENCE), "nothing was put off"

    listener = Listener()
    logging.getLogger("mailer.web").addHandler(listener)
    yield listener
    logging.getLogger("mailer.web").removeHandler(listener)


KINDS = sorted(LetterKind)
LANGUAGES = ["en", "fr", "es", "ar"]


def written(room, kind: LetterKind, language: str = "en", to: str = "nora@example.org", name: str = "Nora") -> bytes:
    site = Site.of(room, Clock())
    letter = Letter(kind, to, name, language, "2~pk2u85.AAAAAAAAAAAAAAAA", 1, "2018-12-14T09:00:00Z")
    return letters.compose(site, letter, ("Cooperatives",), Clock()())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_P7_a_letter_is_a_sound_mail_that_says_who_writes(newsroom, kind, language):
    mail = written(newsroom, kind, language)
    assert wire_faults(mail) == []
    assert structure(parse(mail)) == ("multipart/alternative", ["text/plain", "text/html"])
    for body in bodies(mail):
        assert "4 route des Morillons" in body.replace("\n", " ")
        assert "enterprises@example.org" in body
    text, html = bodies(mail)
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in html
    assert (text.count("https://"), html.count("https://")) == (1, 1)  # its own link: no advertising (standards P1)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_outlook_gets_the_width_the_button_and_the_direction_that_it_understands(newsroom, language):
    """Word, which draws for Outlook, knows no max-width and no padding of a link (caniemail)."""
    html = bodies(written(newsroom, LetterKind.CONFIRM, language))[1]
    for_word = re.sub(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", r"\1", html)
    page = lxml.html.fromstring(for_word)
    [inner] = page.xpath("//td[@class='inner']")
    [frame] = inner.xpath("ancestor::table[@width='600'][@align='center']")
    assert (frame.get("role"), inner.get("dir")) == ("presentation", "rtl" if language == "ar" else "ltr")
    assert "mso-padding-alt:12px 22px" in page.xpath("//td[@class='cell']/@style")[0]


def test_a_letter_is_no_mail_of_the_list_and_answers_to_it_are_not_automatic(newsroom):
    """RFC 3834 section 5; RFC 2919 marks the list's mails."""
    names = [name for name, _ in fields(written(newsroom, LetterKind.CONFIRM))]
    assert names == [
        "From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert field(written(newsroom, LetterKind.CONFIRM), "Auto-Submitted") == "auto-generated"


@pytest.mark.parametrize(("kind", "named"), [(LetterKind.CONFIRM, False), (LetterKind.CONFIRM_ADDRESS, False),
                                             (LetterKind.ALREADY, True), (LetterKind.MY_DATA, True)])  # fmt: skip
def test_P1_what_a_stranger_typed_as_a_name_reaches_nobodys_mailbox(newsroom, kind, named):
    assert (b"BUY NOW" in written(newsroom, kind, name="BUY NOW")) is named


@pytest.mark.parametrize(
    ("kind", "until"),
    [(LetterKind.CONFIRM, "until 14 December 2018."), (LetterKind.MY_DATA, "until 14 December 2018, 09:00 UTC.")],
)
def test_P1_a_letter_says_until_when_its_link_is_good(newsroom, kind, until):
    assert until in bodies(written(newsroom, kind))[0].replace("\n", " ")


def test_a_relay_that_is_away_loses_nothing(newsroom, clock):
    """Neither while the site runs nor when it is stopped meanwhile."""
    refused = with_relay(newsroom, "smtp://127.0.0.1:1")
    with serving(refused, clock) as client:
        assert send(client, clock, email="nora@example.org").status_code == 200
    assert newsroom.store.outbox.count() == 1
    clock.now += timedelta(hours=1)
    with Relay() as relay, serving(with_relay(newsroom, relay.url), clock) as client:
        relay.wait_for(lambda: len(relay.mails) == 1)
        done(newsroom)
        assert client.post(links(relay.mails, "/confirm/")[0]).status_code == 200


@pytest.mark.parametrize(
    "script",
    [{"RCPT": "450 4.2.1 busy"}, {"MAIL": HANG_UP}, {"content": HANG_UP}, {"greeting": "554 5.3.2 closed"}],
    ids=["put off", "hung up before", "hung up behind the content", "closed"],
)
def test_what_was_not_taken_is_tried_again_with_the_same_message_id(newsroom, clock, put_off, script):
    with Relay(script) as relay, serving(with_relay(newsroom, relay.url), clock) as client:
        send(client, clock, email="nora@example.org")
        put_off.wait()
        relay.follow({})
        clock.now += timedelta(minutes=20)
        send(client, clock, email="other@example.org")  # rings the bell
        relay.wait_for(lambda: {"nora@example.org", "other@example.org"} <= set(relay.received))
        done(newsroom)
        own = {field(mail.content, "Message-ID") for mail in relay.mails if mail.recipient == "nora@example.org"}
        assert len(own) == 1


def test_what_the_relay_refuses_for_good_is_not_tried_again(newsroom, clock):
    with Relay({"RCPT nora@example.org": "550 5.1.1 unknown"}) as relay:
        with serving(with_relay(newsroom, relay.url), clock) as client:
            send(client, clock, email="nora@example.org")
            done(newsroom)
        assert relay.received == []


def test_a_letter_ends_with_its_link(newsroom, clock, put_off):
    with Relay({"MAIL": "451 4.3.0 later"}) as relay, serving(with_relay(newsroom, relay.url), clock) as client:
        send(client, clock, email="nora@example.org")
        put_off.wait()
        clock.now += timedelta(days=8)
        send(client, clock, email="other@example.org")  # rings the bell; it is put off behind the one that is dropped
        put_off.wait()
    assert newsroom.store.outbox.count() == 1  # the other's


def test_who_is_erased_meanwhile_gets_no_letter(newsroom, clock, put_off):
    subscribers.add(newsroom.store.audience, newsroom.config, newsroom.tokens, "nora@example.org", "", [], NOW)
    with Relay({"MAIL": ["451 4.3.0 later", "250 2.1.0 Ok"]}) as relay:
        with serving(with_relay(newsroom, relay.url), clock) as client:
            send(client, clock, path="/data", email="nora@example.org")
            put_off.wait()
            registry = Registry(newsroom.store, newsroom.config, newsroom.tokens)
            life.erase(registry, 1, Evidence(NOW, Channel.OPERATOR))
            clock.now += timedelta(hours=1)
            send(client, clock, email="other@example.org")
            done(newsroom)
        assert relay.received == ["other@example.org"]


def test_the_site_stops_while_a_relay_is_slow_and_keeps_the_letter(newsroom, clock, monkeypatch):
    monkeypatch.setattr(errands, "_GRACE", 0.1)
    gate = Gate()
    with Relay({"RCPT": gate}) as relay:
        with serving(with_relay(newsroom, relay.url), clock) as client:
            send(client, clock, email="nora@example.org")
            gate.wait()
        gate.open()
    assert newsroom.store.outbox.count() == 1


def test_two_sites_on_one_store_take_each_letter_once(newsroom):
    first, second = newsroom.store.outbox, newsroom.open_store()
    first.put("one", NOW)
    first.put("two", NOW)
    taken = [first.take(NOW, "2018-12-14T08:15:00Z"), second.outbox.take(NOW, "2018-12-14T08:15:00Z")]
    assert [found.content for found in taken] == ["one", "two"]
    assert second.outbox.take("2018-12-14T08:14:59Z", "2018-12-14T09:00:00Z") is None
    assert second.outbox.take("2018-12-14T08:15:00Z", "2018-12-14T09:00:00Z").content == "one"
    second.close()


def test_a_bell_rung_while_nobody_waits_is_heard_at_the_next_wait():
    from mailer.web.bell import Bell

    async def heard() -> None:
        bell = Bell()
        bell.ring()  # before anybody can hear it: nothing happens
        bell.hang()
        await asyncio.to_thread(bell.ring)
        async with asyncio.timeout(10):
            await bell.wait(60)

    asyncio.run(heard())
