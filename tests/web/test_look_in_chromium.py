"""What a person sees and a screen reader says on the pages' edges: links of other scripts, titles, descriptions."""

from __future__ import annotations

from itertools import pairwise

import pytest
from public_server import serving


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
