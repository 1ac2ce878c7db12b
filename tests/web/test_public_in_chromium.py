"""The reader's site in a real browser: in every language, on a telephone, in the dark, by keyboard alone."""

from __future__ import annotations

import pytest
from browsing import Shown, rgb, sideways
from conftest import Clock, copy_newsroom
from public_server import serving, went_out
from small_issues import AWKWARD

LANGUAGES = ["en", "fr", "es", "ar"]


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    room = copy_newsroom(tmp_path_factory.mktemp("site") / "room", issues=True)
    awkward = room.root / "issues" / "2019-01" / "issue.md"
    awkward.parent.mkdir()
    awkward.write_text(AWKWARD, "utf-8")
    went_out(room, "2018-12", "amina@example.org")
    went_out(room, "2019-01")
    yield room
    room.close()


@pytest.fixture(scope="module")
def site(room):
    with serving(room, Clock()) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture
def tab(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_has_a_barrier_that_axe_finds(tab, site, language, scheme):
    """Standards W12: WCAG 2.2, levels A and AA."""
    tab.set_viewport_size({"width": 320, "height": 640})
    tab.emulate_media(color_scheme=scheme)
    for path in ("/", "/nowhere"):
        tab.goto(f"{site}{path}?lang={language}")
        assert Shown(tab).violations() == [], path
        assert sideways(tab) == 0, path
    assert tab.evaluate("document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")


@pytest.mark.parametrize(
    ("slug", "own", "scheme"), [("2018-12", False, "light"), ("2018-12", True, "dark"), ("2019-01", False, "dark")]
)
def test_an_issue_is_shown_as_mailed_without_a_barrier(tab, site, room, slug, own, scheme):
    tab.emulate_media(color_scheme=scheme)
    tab.set_viewport_size({"width": 320, "height": 640})
    tab.goto(f"{site}/{slug}/{room.tokens.sign(f'web {slug}', 1) if own else ''}")
    assert Shown(tab).violations() == []
    assert sideways(tab) == 0
    page = room.theme("enterprises").settings["colours"][scheme]["page"]
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == rgb(page)


def test_nothing_is_asked_of_anybody_else_and_nothing_is_refused(tab, site, room):
    """Standards P9; and the content policy lets everything through that a page needs."""
    asked, said = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    for path in ("/", "/2018-12/", f"/2018-12/{room.tokens.sign('web 2018-12', 1)}"):
        tab.goto(f"{site}{path}")
        assert tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert {url for url in asked if not url.startswith(f"{site}/")} == set()
    assert [text for text in said if "404" not in text] == []  # a browser asks for /favicon.ico
    assert tab.context.cookies() == []


def test_the_contents_lead_down_the_same_page(tab, site, room):
    path = f"/2018-12/{room.tokens.sign('web 2018-12', 1)}"
    tab.goto(f"{site}{path}")
    tab.click(".contents a >> nth=-1")
    assert tab.url.startswith(f"{site}{path}#")
    assert tab.evaluate("document.querySelector(':target').tagName") == "H2"
    assert tab.evaluate("scrollY") > 1000


def test_everything_is_reached_by_keyboard_and_shows_where_one_is(browser, site):
    """Standards W12, without JavaScript of ours or theirs."""
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(f"{site}/?lang=ar")
    links = tab.locator("a, button, input").count()
    seen = []
    for _ in range(links):
        tab.keyboard.press("Tab")
        focused = tab.locator(":focus")
        seen.append((focused.get_attribute("href"), focused.bounding_box()["y"]))
        assert tab.locator(":focus-visible").count() == 1
    assert len(set(seen)) == links
    context.close()


def test_focus_has_a_ring(tab, site):
    tab.goto(f"{site}/")
    tab.keyboard.press("Tab")
    style = tab.evaluate("(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))")
    assert style == ["solid", "3px"]


def test_what_is_to_be_touched_is_large_enough(tab, site):
    """WCAG 2.2, 2.5.8: 24 by 24; our own buttons have 44."""
    tab.set_viewport_size({"width": 320, "height": 640})
    tab.goto(f"{site}/?lang=es")
    heights = tab.evaluate("[...document.querySelectorAll('a, button')].map(e => e.getBoundingClientRect().height)")
    assert min(heights) >= 24
    assert tab.locator(".button").bounding_box()["height"] >= 44
