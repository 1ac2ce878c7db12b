"""The reader's forms in a real browser: every language, a telephone, the dark, keyboard alone, JavaScript off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from browsing import Shown, sideways
from conftest import Clock, copy_newsroom
from joining_form import links, send, with_relay
from public_server import serving, went_out
from received import bodies
from smtp_relay import Relay

from mailer.models import SubscriberState

LANGUAGES = [("en", "light"), ("fr", "dark"), ("es", "light"), ("ar", "dark")]  # no colour depends on a language


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def relay():
    with Relay() as relay:
        yield relay


@pytest.fixture(scope="module")
def room(tmp_path_factory, relay):
    room = copy_newsroom(tmp_path_factory.mktemp("forms") / "room", issues=True)
    room = with_relay(room, relay.url)
    went_out(room, "2018-12", "amina@example.org")
    yield room
    room.close()


@pytest.fixture(scope="module")
def client(room, clock):
    with serving(room, clock) as client:
        yield client


@pytest.fixture(scope="module")
def site(client):
    return str(client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def pages(client, room, relay, clock):
    """A path of every page that a GET shows."""
    send(client, clock, email="nora@example.org", interests=["green-jobs"])
    send(client, clock, path="/data", email="amina@example.org")
    relay.wait_for(lambda: {"nora@example.org", "amina@example.org"} <= set(relay.received))
    tokens = room.tokens
    gone = tokens.sign_until("confirm", 1, "2018-12-01T08:00:00Z")
    return [
        "/subscribe", "/subscribe/embed", "/data", f"/p/{tokens.sign('preferences', 1)}",
        *links([relay.of("nora@example.org")], "/confirm/"), *links([relay.of("amina@example.org")], "/data/"),
        f"/address/{tokens.sign_until('confirm-address', 1, '2019-12-01T08:00:00Z')}",
        f"/confirm/{gone}", f"/data/{tokens.sign_until('my-data', 1, '2018-12-01T08:00:00Z')}",
        f"/p/{tokens.sign('preferences', 99)}",
    ]  # fmt: skip


@pytest.fixture
def tab(browser):
    """A telephone without JavaScript of ours or theirs would not let axe run: this one has it."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("language", "scheme"), LANGUAGES)
def test_W12_no_page_has_a_barrier_that_axe_finds_or_scrolls_sideways(tab, site, pages, language, scheme):
    """WCAG 2.2, levels A and AA, at 320 pixels."""
    tab.emulate_media(color_scheme=scheme)
    for path in pages:
        tab.goto(f"{site}{path}?lang={language}")
        assert Shown(tab).violations() == [], path
        assert sideways(tab) == 0, path
        assert tab.evaluate("document.documentElement.lang") == language


@pytest.mark.parametrize("language", ["en", "ar"])
def test_W12_no_answer_has_a_barrier_either(tab, site, room, clock, language):
    """Errors, what changed, one more step, look into your mailbox."""
    tab.goto(f"{site}/subscribe?lang={language}")
    for address in ("nobody", "x@example.org", "x@example.org"):  # wrong, too soon, taken
        tab.fill("#email", address)
        tab.click("main form > button")
        assert (Shown(tab).violations(), sideways(tab)) == ([], 0)
        clock.now += timedelta(seconds=1)
    tab.goto(f"{site}/p/{room.tokens.sign('preferences', 1)}?lang={language}")
    tab.fill("#name", "Amina" if language == "en" else "أمينة")
    tab.click("main form > button:not(.hidden)")
    assert tab.locator("[role=status]").count() == 1
    assert (Shown(tab).violations(), sideways(tab)) == ([], 0)


@pytest.mark.parametrize(("language", "scheme"), LANGUAGES)
def test_a_letter_has_no_barrier_and_fits_a_telephone(tab, relay, client, clock, language, scheme):
    address = f"{language}-{scheme}@example.org"
    send(client, clock, email=address, language=language, headers={"X-Forwarded-For": "198.51.100.9"})
    relay.wait_for(lambda: address in relay.received)
    tab.emulate_media(color_scheme=scheme)
    tab.set_content(bodies(relay.of(address).content)[1])
    assert Shown(tab).violations() == []
    assert sideways(tab) == 0
    assert tab.locator(".button").bounding_box()["height"] >= 44


def test_W12_a_person_subscribes_by_keyboard_alone_without_javascript(browser, site, room, relay, clock):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{site}/subscribe?lang=en")
    keys = tab.keyboard

    def go_to(selector: str) -> None:
        for _ in range(30):
            keys.press("Tab")
            assert tab.locator(":focus").get_attribute("name") != "website"  # the trap is out of reach
            if tab.locator(f"{selector}:focus-visible").count():
                return
        raise AssertionError(f"{selector} is never reached")

    go_to("#email")
    keys.type("keys@example.org")
    go_to("#name")
    keys.type("Kim")
    go_to("[value=green-jobs]")
    keys.press("Space")
    go_to("#language")
    keys.type("Fran")
    clock.now += timedelta(seconds=5)
    go_to("main button")
    keys.press("Enter")
    tab.wait_for_selector("h1:has-text('Look into your mailbox')")
    relay.wait_for(lambda: "keys@example.org" in relay.received)
    [path] = links([relay.of("keys@example.org")], "/confirm/")
    tab.goto(f"{site}{path}")
    go_to("main button")
    keys.press("Enter")
    tab.wait_for_selector("[role=status]")
    context.close()
    kim = room.store.audience.find("keys@example.org")
    assert (kim.state, kim.name, kim.interests, kim.language) == (
        *(SubscriberState.ACTIVE, "Kim", ("green-jobs",), "fr"),
    )  # fmt: skip


def test_W12_preferences_are_saved_by_enter_without_javascript(browser, site, room):
    """The first button of a form is what Enter presses: it saves, though another stands before."""
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{site}/p/{room.tokens.sign('preferences', 1)}?lang=en")
    tab.check("[value=social-finance]")
    tab.click("button[name=look]")
    assert "stories" in tab.locator(".taste").inner_text()
    assert room.store.audience.get(1).interests == ()
    assert tab.is_checked("[value=social-finance]")
    tab.focus("#name")
    tab.keyboard.press("Enter")
    assert "Your topics: Social finance." in tab.locator("[role=status]").inner_text()
    context.close()
    assert room.store.audience.get(1).interests == ("social-finance",)


def test_W12_what_is_to_be_touched_is_44_pixels_high(tab, site, pages):
    for path in pages:
        tab.goto(f"{site}{path}?lang=fr")
        sizes = tab.evaluate(
            "[...document.querySelectorAll('main button, main .button, .choice, main select, main input')]"
            ".filter(e => !e.closest('.hidden, .choice > *') && e.type != 'hidden' && e.type != 'checkbox')"
            ".map(e => e.getBoundingClientRect().height)"
        )
        assert [size for size in sizes if size < 44] == [], path


def test_the_snippet_works_on_another_site(browser, site, room, clock):
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{site}/subscribe/embed?lang=en")
    snippet = tab.locator("pre").inner_text().replace("https://newsletter.example.org", site)
    tab.goto("data:text/html,<title>Another site</title>")
    tab.set_content(snippet)
    tab.fill("[type=email]", "elsewhere@example.org")
    tab.check("[value=cooperatives]")
    tab.click("button")
    tab.wait_for_selector("text=One more step")
    assert (tab.input_value("#email"), tab.is_checked("[value=cooperatives]")) == ("elsewhere@example.org", True)
    clock.now += timedelta(seconds=5)
    tab.click("main form > button")
    tab.wait_for_selector("h1:has-text('Look into your mailbox')")
    context.close()
