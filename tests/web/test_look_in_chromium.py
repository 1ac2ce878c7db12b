"""What a person sees and a screen reader says on the pages' edges: links of other scripts, titles, descriptions."""

from __future__ import annotations

from itertools import pairwise

import pytest
from browsing import sideways
from joining_form import fields
from public_server import NOW, serving

from mailer.audience import subscribers


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_links_to_other_languages_stand_apart_alike_whatever_their_direction(browser, newsroom, clock, language):
    """A margin of the link itself would be on its other side where its script runs the other way."""
    with serving(newsroom, clock) as site:
        tab = browser.new_page(viewport={"width": 1000, "height": 700})
        tab.goto(f"{site.base_url}/subscribe?lang={language}")
        boxes = [link.bounding_box() for link in tab.locator("nav:nth-of-type(2) a").all()]
        tab.close()
    edges = sorted((box["x"], box["x"] + box["width"]) for box in boxes)
    assert len(edges) == 3
    assert [round(right[0] - left[1]) for left, right in pairwise(edges)] == [24, 24]


def test_W12_an_error_is_in_the_title_at_the_top_and_in_the_description_of_its_field(browser, newsroom, clock):
    """WCAG 2.2, 3.3.1; without scripts."""
    with serving(newsroom, clock) as site:
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        tab.goto(f"{site.base_url}/subscribe?lang=fr")
        tab.fill("#email", "nonsense")
        with tab.expect_navigation():
            tab.keyboard.press("Enter")
        assert tab.title().startswith("Erreur\u00a0: S’abonner")
        wrong = tab.locator("#email-wrong").inner_text()
        assert tab.get_by_role("alert").get_by_role("link", name=wrong).get_attribute("href") == "#email"
        field = tab.get_by_role("textbox", name="Adresse électronique")
        described = field.get_attribute("aria-describedby").split()
        assert (described, field.get_attribute("aria-invalid")) == (["email-hint", "email-wrong"], "true")
        context.close()


@pytest.mark.parametrize(
    ("path", "press", "said"),
    [
        ("/subscribe", {"#email": "nonsense"}, "Please look at this again:"),
        ("/subscribe", {"#email": "nora@example.org"}, "One more step"),
        ("/data", {"#email": "nonsense"}, "Please look at this again:"),
        ("{preferences}", {"#name": "Nora"}, "Saved."),
        ("{preferences}", {}, "Nothing was changed"),
        ("{preferences}", {"#email": "nonsense"}, "Please look at this again:"),
        ("{data}", {}, "Please look at this again:"),
    ],
    ids=["wrong", "too quick", "wrong, my data", "saved", "not changed", "wrong, preferences", "not ticked"],
)
def test_W12_what_a_form_answers_has_the_focus_without_a_script(browser, newsroom, clock, path, press, said):
    """A page that is read from its beginning again says the same title and heading first."""
    person = subscribers.add(newsroom.store.audience, newsroom.config, newsroom.tokens, "nora@example.org", "", [], NOW)
    paths = {
        "preferences": f"/p/{newsroom.tokens.sign('preferences', person.id)}",
        "data": f"/data/{newsroom.tokens.sign_until('my-data', person.id, '2018-12-14T09:00:00Z')}",
    }
    with serving(newsroom, clock) as site:
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        tab.goto(f"{site.base_url}{path.format(**paths)}")
        for field, typed in press.items():
            tab.fill(field, typed)
        with tab.expect_navigation():
            tab.locator("main form button").last.click()
        tab.locator(":focus").wait_for()
        assert tab.locator(":focus").inner_text().startswith(said)
        context.close()


def test_what_was_saved_is_in_the_title(browser, newsroom, clock):
    person = subscribers.add(newsroom.store.audience, newsroom.config, newsroom.tokens, "nora@example.org", "", [], NOW)
    path = f"/p/{newsroom.tokens.sign('preferences', person.id)}"
    with serving(newsroom, clock) as site:
        form = fields(site.get(path).text) | {"name": "Nora", "language": "en"}
        answers = [site.post(path, data=form).text for _ in range(2)]
    assert [answer.partition("<title>")[2].partition(" ·")[0] for answer in answers] == [
        "Saved. Your preferences", "Your preferences",
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["nora-with-hyphens@example.org", f"{'long-' * 12}@example.org"])
def test_an_address_is_not_broken_where_a_line_of_its_own_would_hold_it(browser, newsroom, clock, address):
    """In Arabic its pieces would stand in two directions."""
    person = subscribers.add(newsroom.store.audience, newsroom.config, newsroom.tokens, address, "", [], NOW)
    with serving(newsroom, clock) as site:
        tab = browser.new_page(viewport={"width": 320, "height": 640})
        tab.goto(f"{site.base_url}/u/{newsroom.tokens.sign('unsubscribe', person.id)}?lang=ar")
        height = tab.locator("main bdi[dir=ltr]").bounding_box()["height"]
        assert (height < 30, sideways(tab)) == (len(address) < 40, 0)
        tab.close()


def test_paper_has_no_buttons_and_its_whole_width(browser, newsroom, clock):
    with serving(newsroom, clock) as site:
        tab = browser.new_page(viewport={"width": 1000, "height": 700})
        tab.emulate_media(media="print")
        tab.goto(f"{site.base_url}/subscribe")
        assert [tab.locator(each).first.is_visible() for each in ("main button", "nav", "h1")] == [False, False, True]
        assert tab.locator("body").bounding_box()["width"] == 1000
        tab.close()
