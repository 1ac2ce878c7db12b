"""What a reader's press leads to, in each language: no page of the site is left out (standards W12, P9)."""

from __future__ import annotations

import pytest
from browsing import Shown, sideways
from conftest import ROOT, Clock, copy_newsroom
from joining_form import MOMENT, with_relay
from people import NOW
from public_server import serving
from smtp_relay import Relay
from unsubscribing import Reader, registry

from mailer.audience import joining
from mailer.models import Channel, Evidence
from mailer.web.site import Site

FORM = Evidence(NOW, Channel.FORM)
FOLDER = ROOT / "mailer/web/pages/public"
PAGES = {path.name for path in FOLDER.glob("*.html") if path.read_text("utf-8").startswith('{% extends "base.html" %}')}
ELSEWHERE = {
    "test_public_in_chromium.py": {"index.html", "error.html"},
    "test_unsubscribe_in_chromium.py": {"unsubscribe.html", "left.html", "returned.html"},
    "test_subscribe_in_chromium.py": {
        "subscribe.html", "embed.html", "data.html", "preferences.html", "confirm.html", "address.html", "mydata.html",
        "over.html", "data-over.html",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    with Relay() as relay:
        room = with_relay(copy_newsroom(tmp_path_factory.mktemp("answers") / "room"), relay.url)
        yield room
        room.close()


@pytest.fixture(scope="module")
def site(room, clock):
    with serving(room, clock) as client:
        yield str(client.base_url).rstrip("/")


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("fr", "light"), ("es", "dark"), ("ar", "light")])
def test_W12_no_answer_of_any_page_has_a_barrier_that_axe_finds(
    browser, site, room, clock, monkeypatch, language, scheme
):
    """WCAG 2.2, levels A and AA, at 320 pixels; and nothing is asked of anybody else."""
    filled, asked, seen = [], [], set()
    fill = Site.fill

    def noting(self, name, *a, **k):
        filled.extend({name} & PAGES)  # letters are filled meanwhile
        return fill(self, name, *a, **k)

    monkeypatch.setattr(Site, "fill", noting)
    context = browser.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    tab = context.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    people, own = registry(room), Reader.joins(room, f"own.{language}@example.org", language)

    def press(path: str, button: str = "main form > button", **fields: str) -> None:
        """Open it, fill it in, press, and look at the answer."""
        tab.goto(f"{site}{path}?lang={language}")
        for name, value in fields.items():
            tab.fill(f"[name={name}]", value)
        clock.now += MOMENT
        with tab.expect_navigation():
            tab.click(button)
        look()

    def look() -> None:
        assert (Shown(tab).violations(), sideways(tab)) == ([], 0), filled[-1]
        assert tab.get_attribute("html", "lang") == language
        seen.add(filled[-1])

    def moves(to: str) -> str:
        letter = joining.ask_address_change(people, own.id, to, FORM).letter
        assert letter
        return f"/address/{letter.token}"

    press("/subscribe", email=f"new.{language}@example.org")
    press("/data", email=own.person.email)
    letter = joining.ask(people, f"asked.{language}@example.org", FORM).letter
    assert letter
    press(f"/confirm/{letter.token}")
    press(moves(f"moved.{language}@example.org"))
    taken = moves(f"taken.{language}@example.org")
    Reader.joins(room, f"taken.{language}@example.org")
    press(taken)
    Reader.joins(room, gone := f"gone.{language}@example.org", language)
    letter = joining.ask_my_data(people, gone, FORM).letter
    assert letter
    tab.goto(f"{site}/data/{letter.token}?lang={language}")
    tab.check("#sure")
    with tab.expect_navigation():
        tab.click("button.second")
    look()
    tab.goto(f"{site}/p/{room.tokens.sign('preferences', 99_999)}?lang={language}")
    look()
    assert seen == PAGES - set().union(*ELSEWHERE.values())
    assert {url for url in asked if not url.startswith(f"{site}/")} == set()
    assert context.cookies() == []
    context.close()
