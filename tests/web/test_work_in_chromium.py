"""In a rush a real browser computes the proof of work while the form is filled in: one press is enough."""

from __future__ import annotations

from datetime import timedelta

import pytest
from browsing import Shown, sideways
from conftest import Clock, copy_newsroom
from joining_form import MOMENT, with_relay
from public_server import serving
from smtp_relay import Relay

from mailer.web import abuse, work

BUTTON = "main form > button"
MAILBOX = "h1:has-text('Look into your mailbox')"
WAIT = "[role=status]:has-text('Please wait 20 seconds')"


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def relay():
    with Relay() as relay:
        yield relay


@pytest.fixture(scope="module")
def site(tmp_path_factory, relay, clock):
    room = with_relay(copy_newsroom(tmp_path_factory.mktemp("work") / "room"), relay.url)
    with serving(room, clock) as client:
        yield str(client.base_url).rstrip("/")
    room.close()


@pytest.fixture(autouse=True)
def rush(monkeypatch):
    """From the first form on, with tasks as hard as they are."""
    monkeypatch.setattr(abuse, "RUSH", 0)


@pytest.fixture
def tab(browser):
    """A telephone's; the test fails with anything that the page complains of."""
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.text} {message.location['url']}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [each for each in complaints if not each.endswith("/favicon.ico")] == []


@pytest.mark.parametrize("path", ["/subscribe", "/data"])
def test_one_press_is_enough(tab, site, relay, clock, path):
    """Pressed before the proof is there, the form goes when it is."""
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"{site}{path}?lang=en")
    tab.fill("#email", "one@example.org")
    clock.now += MOMENT
    tab.click(BUTTON)
    tab.wait_for_selector(MAILBOX)
    form = f"{site}{path}?lang=en"
    assert [url for url in asked if not url.endswith("/favicon.ico")] == [
        form, f"{site}/style.css", f"{site}/work.js", f"{site}/work.js", form, f"{site}/style.css",
    ]  # fmt: skip
    if path == "/subscribe":
        relay.wait_for(lambda: "one@example.org" in relay.received)


def test_the_page_that_asks_to_wait_lets_one_pass_too(tab, site, clock, monkeypatch):
    """Who opened the form before the rush began."""
    monkeypatch.setattr(abuse, "RUSH", 10_000)
    tab.goto(f"{site}/subscribe?lang=en")
    assert tab.locator("script").count() == 0
    monkeypatch.setattr(abuse, "RUSH", 0)
    tab.fill("#email", "early@example.org")
    clock.now += MOMENT
    tab.click(BUTTON)
    tab.wait_for_selector(WAIT)
    assert tab.input_value("#email") == "early@example.org"
    tab.click(BUTTON)
    tab.wait_for_selector(MAILBOX)


def test_without_scripts_the_second_press_is_the_way(browser, site, clock):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/subscribe?lang=en")
    page.fill("#email", "off@example.org")
    clock.now += MOMENT
    page.click(BUTTON)
    page.wait_for_selector(WAIT)
    clock.now += timedelta(seconds=20)
    page.click(BUTTON)
    page.wait_for_selector(MAILBOX)
    context.close()


def _no_script(page):
    page.route("**/work.js", lambda route: route.abort())


def _no_worker(page):
    failing = "class { constructor() { setTimeout(() => this.onerror()); } postMessage() {} }"
    page.add_init_script(f"window.Worker = {failing}")


@pytest.mark.parametrize("spoil", [_no_script, _no_worker], ids=["a script that is lost", "a worker that fails"])
def test_what_does_not_work_keeps_nobody(browser, site, clock, spoil):
    context = browser.new_context()
    page = context.new_page()
    spoil(page)
    page.goto(f"{site}/subscribe?lang=en")
    page.fill("#email", "lost@example.org")
    clock.now += MOMENT
    page.click(BUTTON)
    page.wait_for_selector(WAIT)
    context.close()


def test_a_slow_machine_types_on_and_is_let_go_after_ten_seconds(tab, site, clock, monkeypatch):
    """The task would take an hour here."""
    monkeypatch.setattr(work, "BITS", 32)
    tab.clock.install()
    tab.goto(f"{site}/subscribe?lang=en")
    tab.fill("#email", "slow@example.org")
    clock.now += MOMENT
    tab.click(BUTTON)
    assert tab.get_attribute("main form", "aria-busy") == "true"
    assert Shown(tab).violations() == []
    tab.fill("#name", "Typed meanwhile")
    tab.click(BUTTON)
    assert tab.get_attribute("main form", "aria-busy") == "true"
    tab.clock.fast_forward(10_000)
    tab.wait_for_selector(WAIT)
    assert tab.input_value("#name") == "Typed meanwhile"


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "dark"), ("es", "dark"), ("ar", "light")])
def test_W12_the_page_has_no_barrier_that_axe_finds(tab, site, clock, language, scheme):
    tab.emulate_media(color_scheme=scheme)
    tab.goto(f"{site}/subscribe?lang={language}")
    assert (Shown(tab).violations(), sideways(tab)) == ([], 0)
