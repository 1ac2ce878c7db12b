"""A page's language stays with its reader, and what is written in another one is set apart in it."""

from __future__ import annotations

import re

import pytest
from conftest import copy_newsroom
from joining_form import links, send, with_relay
from public_server import NOW, serving, went_out
from received import bodies
from smtp_relay import Relay

from mailer.audience import subscribers
from mailer.newsroom import Newsroom

ARABIC = {"Accept-Language": "ar"}


def leading(page: str) -> set[str]:
    """The links of a page to other pages of the site, without their tokens."""
    found = re.findall(r'<a [^>]*href="(/[^"]*)"', page)
    return {re.sub(r"(/[pu]/)[^?]*", r"\1", link) for link in found if not link.endswith((".atom", ".ics"))}


@pytest.fixture
def nora(newsroom):
    return subscribers.add(
        newsroom.store.audience, newsroom.config, newsroom.tokens, "nora@example.org", "", ["cooperatives"], NOW
    )


@pytest.mark.parametrize(
    ("path", "led"),
    [
        ("/", {"/?lang=es", "/subscribe?lang=es"}),
        ("/subscribe", {"/?lang=es", "/subscribe?lang=es"}),
        ("/nowhere", {"/?lang=es", "/subscribe?lang=es"}),
        ("{p}", {"/?lang=es", "/subscribe?lang=es", "/u/?lang=es", "/data?lang=es"}),
        ("{u}", {"/?lang=es", "/subscribe?lang=es"}),
    ],
    ids=["archive", "form", "error", "preferences", "unsubscribe"],
)
def test_every_link_keeps_the_language_that_was_chosen_over_the_browsers(newsroom, clock, nora, path, led):
    sign = newsroom.tokens.sign
    path = path.format(p=f"/p/{sign('preferences', nora.id)}", u=f"/u/{sign('unsubscribe', nora.id)}")
    with serving(newsroom, clock, headers=ARABIC) as site:
        page = site.get(f"{path}?lang=es").text
        assert leading(page) == led
        assert '<html lang="es"' in site.get("/subscribe?lang=es").text


def test_a_site_of_one_language_has_plain_links(newsroom, clock):
    path = newsroom.root / "pyproject.toml"
    path.write_text(path.read_text("utf-8").replace('languages = ["fr", "es", "ar"]\n', ""), "utf-8")
    with serving(Newsroom.open(newsroom.root, newsroom.env), clock) as site:
        assert leading(site.get("/").text) == {"/", "/subscribe"}


def test_an_issue_in_the_list_has_its_own_address_and_topics_their_language(tmp_path, clock):
    room = copy_newsroom(tmp_path / "room", issues=True)
    went_out(room, "2018-12", "amina@example.org")
    with serving(room, clock, headers=ARABIC) as site:
        page = site.get("/").text
    assert leading(page) == {"/?lang=ar", "/subscribe?lang=ar", "/2018-12/"}
    assert '<a href="/feed/cooperatives.atom"><bdi lang="en">Cooperatives</bdi></a>' in page
    room.close()


def test_arabic_separates_topics_and_hours_as_arabic_does(newsroom, clock):
    with Relay() as relay:
        room = with_relay(newsroom, relay.url)
        with serving(room, clock, headers=ARABIC) as site:
            send(site, clock, email="nora@example.org", interests=["cooperatives", "green-jobs"], language="ar")
            relay.wait_for(lambda: len(relay.mails) == 1)
            [confirm] = links(relay.mails, "/confirm/")
            named = '<bdi lang="en">Cooperatives</bdi>، <bdi lang="en">Green jobs</bdi>'
            assert named in site.get(confirm).text
            site.post(confirm)
            send(site, clock, "/data", email="nora@example.org")
            relay.wait_for(lambda: len(relay.mails) == 2)
        assert "المواضيع: Cooperatives، Green jobs." in bodies(relay.mails[0].content)[0]
        assert "14 ديسمبر 2018، الساعة 09:00 UTC." in bodies(relay.mails[1].content)[0]
        room.close()


def test_the_page_that_changes_an_address_speaks_the_subscribers_language(newsroom, clock):
    """It is opened at the new mailbox, perhaps in another browser."""
    person = subscribers.add(newsroom.store.audience, newsroom.config, newsroom.tokens, "nora@example.org", "", [], NOW)
    with Relay() as relay:
        room = with_relay(newsroom, relay.url)
        with serving(room, clock, headers=ARABIC) as site:
            asked = {"email": "new@example.org", "language": "fr"}
            site.post(f"/p/{room.tokens.sign('preferences', person.id)}", data=asked)
            relay.wait_for(lambda: len(relay.mails) == 1)
            [link] = links(relay.mails, "/address/")
            pages = [
                site.get(link).text,
                site.get(f"{link}?lang=es").text,
                site.post(link).text,
                site.get("/data").text,
            ]
        room.close()
    assert [re.search('<html lang="(..)"', page)[1] for page in pages] == ["fr", "es", "fr", "ar"]
