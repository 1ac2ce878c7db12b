"""Leaving in a real browser: in every language, on a telephone, in the dark, by keyboard alone, without JavaScript."""

from __future__ import annotations

import pytest
from browsing import Shown, sideways
from conftest import Clock, copy_newsroom
from public_server import serving
from unsubscribing import Reader

from mailer.models import Event, SubscriberState

LANGUAGES = ["en", "fr", "es", "ar"]
LONG = "a-rather-long-name.with-dots-and-hyphens@a-department.of-an-institution.example.org"


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    room = copy_newsroom(tmp_path_factory.mktemp("leaving") / "room")
    yield room
    room.close()


@pytest.fixture(scope="module")
def site(room):
    with serving(room, Clock()) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture
def tab(browser):
    context = browser.new_context(viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_W12_no_page_on_the_way_has_a_barrier_that_axe_finds(tab, site, room, language, scheme):
    """Ask, left, thanked, back again, and a test mail's; WCAG 2.2 AA; nothing is wider than 320 pixels."""
    reader = Reader.joins(room, f"{language}.{scheme}.{LONG}", language)
    tab.emulate_media(color_scheme=scheme)

    def look():
        assert Shown(tab).violations() == []
        assert sideways(tab) == 0
        assert tab.get_attribute("html", "dir") == ("rtl" if language == "ar" else "ltr")
        assert min(tab.evaluate("[...document.querySelectorAll('main button')].map(b => b.offsetHeight)")) >= 44

    tab.goto(f"{site}{reader.link}")
    look()
    tab.click("main button")
    look()
    tab.check("[value=too-many]")
    tab.click("[value=why]")
    look()
    tab.click("[value=undo]")
    assert Shown(tab).violations() == []
    assert reader.state is SubscriberState.ACTIVE
    assert [row.event for row in reader.journal] == [Event.ADDED, Event.LEFT, Event.SAID_WHY, Event.UNDONE]
    tab.goto(f"{site}/u/{room.tokens.sign('unsubscribe', 0)}?lang={language}")
    look()


def test_W12_all_of_it_by_keyboard_without_javascript(browser, site, room):
    reader = Reader.joins(room, "keys@example.org")
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{site}{reader.link}")

    def reach(selector):
        for _ in range(30):
            tab.keyboard.press("Tab")
            if tab.locator(f"{selector}:focus-visible").count():
                return
        pytest.fail(f"Tab never came to {selector}")

    reach("[value=leave]")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("[value=undo]")
    assert reader.state is SubscriberState.UNSUBSCRIBED
    reach("[type=radio]")
    tab.keyboard.press("Space")
    tab.keyboard.press("ArrowDown")
    reach("[value=why]")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".note")
    assert reader.journal[-1].details["why"] == "not-relevant"
    reach("[value=undo]")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("main:not(:has(button))")
    assert reader.state is SubscriberState.ACTIVE
    context.close()


def test_another_language_of_the_result_page_is_a_page_too(tab, site, room):
    reader = Reader.joins(room, "langue@example.org")
    tab.goto(f"{site}{reader.link}")
    tab.click("main button")
    tab.click("footer [lang=fr]")
    assert tab.inner_text("h1") == "Votre abonnement est résilié"
