"""What readers are promised, over their whole way: asked, mailed, kept, let go (standards U11, P3, P6, P8, P10)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from joining_form import links, send, with_relay
from public_server import serving
from received import bodies, field, mailbox, parse
from sending import SLUG
from smtp_relay import Relay
from unsubscribing import AMINA, ONE_CLICK, Reader, registry

from mailer.audience import addresses, retention
from mailer.models import SubscriberState

AFTER_THREE_YEARS = timedelta(days=3 * 365 + 1)


@pytest.fixture
def mails(office):
    """An issue as it reached three readers, one of whom chose a topic."""
    with Relay() as relay:
        office.use(relay)
        office.subscribe(count=2, coops="cooperatives")
        assert office.run("send", SLUG, "--yes").code == 0
    assert len(relay.mails) == 3
    return relay.mails


def test_U11_both_parts_of_a_mail_show_the_link_to_leave(mails):
    """Gmail, Yahoo, Microsoft and Apple ask for a visible link, whatever the header fields say."""
    for mail in mails:
        text, html = bodies(mail.content)
        link = re.search(r"<(https:[^>]+)>", field(mail.content, "List-Unsubscribe"))[1]
        assert link in text
        [words] = re.findall(rf'<a\b[^>]*href="{re.escape(link)}"[^>]*>(.*?)</a>', html, re.DOTALL)
        assert re.sub(r"<[^>]+>", "", words).strip()


def test_P3_leaving_takes_one_press_and_joining_takes_two(newsroom, clock):
    """GDPR article 7(3): withdrawing is as easy as giving. Each press is a POST; the form and the mail's button."""
    with Relay() as relay:
        room = with_relay(newsroom, relay.url)
        with serving(room, clock) as site:
            send(site, clock, email="nora@example.org")
            relay.wait_for(lambda: len(relay.mails) == 1)
            [confirm] = links(relay.mails, "/confirm/")
            site.post(confirm)
            [nora] = room.store.audience.all()
            assert nora.state is SubscriberState.ACTIVE
            page = site.get(f"/u/{room.tokens.sign('unsubscribe', nora.id)}")
            assert re.findall(r"<(?:input|select|textarea)\b", page.text) == []
            site.post(page.url.path, data={"do": "leave"})
            assert Reader(room, nora.id).state is SubscriberState.UNSUBSCRIBED
        room.close()


def test_P3_evidence_outlives_the_withdrawal_for_a_period_and_then_only_a_keyed_hash_stays(newsroom, clock):
    """GDPR articles 5(1)(e) and 7(1): three years, unless [retention] says otherwise."""
    amina = Reader.joins(newsroom)
    with serving(newsroom, clock) as site:
        site.post(amina.link, headers={"User-Agent": "Thunderbird"}, data=ONE_CLICK)
    everybody = registry(newsroom)
    retention.remove(everybody, "2021-12-12T08:00:00Z")  # a day before the three years are over
    assert [row.event for row in amina.journal] == ["added", "left"]
    assert amina.person
    retention.remove(everybody, (clock() + AFTER_THREE_YEARS).strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert amina.person is None
    assert newsroom.store.audience.is_suppressed(everybody.address_hash(addresses.key(AMINA)))
    assert newsroom.store.journal.verify().problems == ()
    newsroom.close()
    kept = b"".join(path.read_bytes() for path in newsroom.root.glob("subscribers/mailer.db*"))
    assert [word for word in (b"amina", b"Amina", b"Thunderbird") if word in kept] == []


def test_P6_a_mail_knows_its_reader_only_in_the_links_of_the_subscription(mails, office):
    """No pixel and no counted link: two readers of one edition differ by their own links alone."""
    one, other = (set(_addresses(mail.content)) for mail in mails if mail.recipient != "coops@example.org")
    personal = (one | other) - (one & other)
    assert len(personal) == 2 * 3
    assert {re.sub(r"[^/]+$", "", url) for url in personal} == {
        f"{_site(office)}/u/", f"{_site(office)}/p/", f"{_site(office)}/{SLUG}/",
    }  # fmt: skip
    pictures = re.findall(r'<img\b[^>]*src="([^"]+)"', bodies(mails[0].content)[1])
    assert personal.isdisjoint(pictures)


def test_P6_a_newsroom_cannot_switch_tracking_on(office):
    """There is no setting for it: what is not built needs no consent."""
    path = office.root / "pyproject.toml"
    text = path.read_text("utf-8").replace("[tool.mailer.newsletter]\n", "[tool.mailer.newsletter]\ntracking = true\n")
    path.write_text(text, "utf-8")
    answer = office.run("check", SLUG)
    assert (answer.code, "unknown key “newsletter.tracking”" in answer.err) == (1, True)


def test_P8_each_mail_names_its_one_recipient_and_nobody_else(mails):
    everybody = {mail.recipient for mail in mails}
    assert everybody == {"coops@example.org", "r001@example.org", "r002@example.org"}
    for mail in mails:
        own = mail.recipient
        assert mailbox(field(mail.content, "To"))[1] == own
        assert [name for name in parse(mail.content) if name.lower() in ("cc", "bcc")] == []
        shown = mail.content.decode("ascii") + "".join(bodies(mail.content))
        assert [other for other in everybody - {own} if other in shown] == []


def test_P10_who_is_asked_reads_purpose_sender_rights_and_recipients_first(newsroom, clock):
    """The UN's ten principles of 2018: purpose, transparency, transfers, access; before the button is pressed."""
    with serving(newsroom, clock) as site:
        page = site.get("/subscribe").text
    for words in (
        "to send you Enterprises Newsletter and to be able to show that you asked for it",
        "Nobody else gets any of it.",
        "a link to leave, and you can see or erase your data at any time",
        newsroom.config.newsletter.postal_address,
    ):
        assert words in page, words


def test_P10_every_period_of_keeping_is_configured_shown_and_kept(office):
    """Retention and accountability: what has a period is counted by it, and none is without end."""
    periods = office.run("retention", "--json").json
    kept = office.room().config.retention
    assert {row["kind"] for row in periods["overdue"]} == set(type(kept).model_fields)
    assert all(timedelta(0) < period < timedelta(days=3651) for _, period in kept)


# --- found by looking at it with fresh eyes ---------------------------------------------------------------


def test_a_cache_keeps_the_index_for_each_language(newsroom, clock):
    """RFC 9110 section 12.5.5: else the first reader's language is everybody's for five minutes."""
    with serving(newsroom, clock) as site:
        answer = site.get("/")
    assert (answer.headers["cache-control"], answer.headers["vary"]) == ("public, max-age=300", "Accept-Language")


def _addresses(content: bytes) -> list[str]:
    return [url for part in bodies(content) for url in re.findall(r"https?://[^\s\"<>)#]+", part)]


def _site(office) -> str:
    return office.room().config.newsletter.public_url
