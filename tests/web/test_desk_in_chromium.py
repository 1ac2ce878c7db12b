"""The desk in a real browser: edit a file and see the page change, go through every panel, by mouse and by keyboard."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Shown, sideways
from conftest import ROOT, copy_newsroom
from desk_running import running
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Route, expect
from sending import parsed
from smtp_relay import Relay

from mailer.audience import subscribers
from mailer.compose.checks import placeholders
from mailer.newsroom import Newsroom

NOW = "2018-12-14T08:00:00Z"
SLUG = "2019-01"
LAST = placeholders.STORY  # a story with a finding
ISSUE = f"""\
---
title: Enterprises Newsletter
date: 2019-01-14
subject: Two stories
preheader: One about cooperatives, one for everybody, and nothing else at all
masthead: images/masthead.png
masthead_alt: Dots along a horizon
---

Welcome.

# News {{#news}}

## Cooperatives grow {{#coops topics=cooperatives}}

They [grow fast](https://example.org/grow).

[Read the report](https://example.org/report){{.button}}

## For everybody {{#all}}

Something for all of us.

## {LAST} {{#last}}

One more.
"""
LONG = ISSUE.replace("Something for all of us.", "\n\n".join(["Something for all of us."] * 60))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    """One issue of three stories, the last with a finding; three readers."""
    made = copy_newsroom(tmp_path / "news")
    images = made.root / "issues" / SLUG / "images"
    images.mkdir(parents=True)
    shutil.copyfile(ROOT / "issues/2018-12/images/masthead.png", images / "masthead.png")
    write(made, ISSUE)
    for email, name, interests in (
        ("ada@example.org", "Ada Lovelace", ["cooperatives"]),
        ("bob@example.org", "", ["green-jobs"]),
        ("cy@example.org", "", []),
    ):
        subscribers.add(made.store.audience, made.config, made.tokens, email, name, interests, NOW)
    yield made
    made.close()


@pytest.fixture
def page(browser: Browser, room: Newsroom) -> Iterator[Page]:
    """The desk of that issue in a window of 1,280 by 800; nothing but the desk is asked for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    made = context.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    with running(room, SLUG) as address:
        strays: list[str] = []
        made.on("request", lambda request: None if request.url.startswith(address) else strays.append(request.url))
        made.goto(address)
        expect(finding(made)).to_be_visible()
        yield made
        assert [url for url in strays if not url.startswith("data:")] == []
        assert errors == []
        context.close()


def write(room: Newsroom, text: str) -> None:
    """Save issue.md as many editors do: write beside, then rename."""
    path = room.root / "issues" / SLUG / "issue.md"
    beside = path.with_name("issue.md~")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def mail(page: Page) -> FrameLocator:
    """What the frame in the middle shows."""
    return page.frame_locator("#frame-mail")


def scrolled(page: Page) -> int:
    """How far down the mail is."""
    down: int = page.locator("#frame-mail").evaluate("frame => frame.contentWindow.scrollY")
    return down


def finding(page: Page) -> Locator:
    """The finding about words that were left in the last story."""
    return page.locator("#findings details", has_text="MLR013").first


def choose(page: Page, name: str) -> None:
    """Click one of the switches over the mail."""
    page.locator(".tools label", has_text=name).filter(has=page.get_by_role("radio", name=name, exact=True)).click()


# --- following what is saved ---------------------------------------------------------------------------


def test_a_save_is_on_the_page_without_being_asked_for_and_the_place_in_the_mail_is_kept(page: Page, room: Newsroom):
    write(room, LONG)
    expect(mail(page).get_by_text("Something for all of us.")).to_have_count(60)
    last = mail(page).get_by_role("heading", name=LAST)
    last.scroll_into_view_if_needed()
    before = scrolled(page)
    assert before > 500
    write(room, LONG.replace(LAST, "The very last"))
    expect(mail(page).get_by_role("heading", name="The very last")).to_be_in_viewport()
    expect(page.locator("iframe")).to_have_count(1)
    assert scrolled(page) == before


def test_a_mistake_stands_over_the_last_good_page_until_it_is_mended(page: Page, room: Newsroom):
    write(room, ISSUE.replace("topics=cooperatives", "topics=cooperativs"))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("1 mistake since the last save")
    line = "issues/2019-01/issue.md:14"
    expect(alert).to_contain_text(f"{line} unknown topic “cooperativs”. Did you mean “cooperatives”?")
    expect(alert.locator(".meant")).to_have_text("14 ## Cooperatives grow {#coops topics=cooperativs}")
    expect(mail(page).get_by_role("heading", name="Cooperatives grow")).to_be_visible()
    write(room, ISSUE)
    expect(alert).to_have_text("")


@pytest.mark.parametrize(
    ("file", "words", "told"),
    [
        ("pyproject.toml", "[tool.mailer.newsletter\n", "pyproject.toml"),
        ("templates/enterprises/theme.toml", "[colours", "templates/enterprises/theme.toml"),
        ("templates/enterprises/page.mjml.j2", "{% if %}", "templates/enterprises/page.mjml.j2"),
        (f"issues/{SLUG}/images/masthead.png", "no picture", "images/masthead.png"),
    ],
    ids=["configuration", "theme", "template", "picture"],
)
def test_a_mistake_in_any_file_is_told_and_goes_away(page: Page, room: Newsroom, file: str, words: str, told: str):
    path = room.root / file
    good = path.read_bytes()
    path.write_text(words, "utf-8")
    expect(page.get_by_role("alert")).to_contain_text(told)
    expect(mail(page).get_by_role("heading", name="Cooperatives grow")).to_be_visible()
    path.write_bytes(good)
    expect(page.get_by_role("alert")).to_have_text("")


def test_a_desk_that_begins_with_a_mistake_shows_it_and_then_the_first_page(browser: Browser, room: Newsroom):
    write(room, ISSUE.replace("date: 2019-01-14\n", ""))
    with running(room, SLUG) as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.get_by_role("alert")).to_contain_text("There is no page yet. Mend this and save.")
        write(room, ISSUE)
        expect(mail(page).get_by_role("heading", name="Cooperatives grow")).to_be_visible()
        page.close()


def test_configuration_template_and_readers_are_followed_too(page: Page, room: Newsroom):
    expect(page.locator("#matrix .people td").last).to_have_text("3")
    subscribers.add(room.store.audience, room.config, room.tokens, "di@example.org", "", ["cooperatives"], NOW)
    expect(page.locator("#matrix .people td").last).to_have_text("4")
    config = room.root / "pyproject.toml"
    config.write_text(config.read_text("utf-8").replace('"Green jobs"', '"Jobs in green"'), "utf-8")
    expect(page.get_by_role("checkbox", name="Jobs in green")).to_be_visible()
    theme = room.root / "templates/enterprises/theme.toml"
    theme.write_text(theme.read_text("utf-8").replace("In this edition", "What is inside"), "utf-8")
    expect(mail(page).get_by_text("What is inside")).to_be_visible()


# --- what there is to see --------------------------------------------------------------------------------


def test_a_finding_shows_its_story_and_its_line(page: Page, room: Newsroom):
    write(room, LONG)
    expect(mail(page).get_by_text("Something for all of us.")).to_have_count(60)
    finding(page).locator("summary").click()
    expect(mail(page).locator("[data-shown] h3")).to_have_text(LAST)
    expect(mail(page).locator("[data-shown] h3")).to_be_in_viewport()
    expect(finding(page).locator(".meant")).to_contain_text(f"## {LAST}")


def test_an_open_finding_stays_open_over_a_save(page: Page, room: Newsroom):
    finding(page).locator("summary").click()
    write(room, ISSUE.replace("Welcome.", "Welcome to all."))
    expect(mail(page).get_by_text("Welcome to all.")).to_be_visible()
    expect(finding(page)).to_have_attribute("open", "")


def test_how_hard_the_issue_and_a_story_are_to_read_follows_every_save(page: Page, room: Newsroom):
    """One syllable a word: Flesch's ease is 206.835 - 1.015 * words a sentence - 84.6, for stories of 60 words on."""
    figures = page.locator("#reading")
    plain = "The cat sat on the mat. " * 10
    expect(figures).to_contain_text("The issue Sentences: 3 words on average; reading ease")
    expect(figures).to_contain_text("Choose a story to see how it reads.", use_inner_text=True)
    write(room, ISSUE.replace("Something for all of us.", plain))
    expect(figures).to_contain_text("Sentences: 5 words on average; reading ease 11")
    page.locator("#story-all").focus()
    page.keyboard.press("Enter")
    story = figures.locator("[data-reads=all]")
    expect(story).to_have_text("For everybody Sentences: 6 words on average; reading ease 116 of 100 (easy).")
    expect(figures.locator("[data-reads]:visible")).to_have_count(1)
    expect(figures).not_to_contain_text("Choose a story", use_inner_text=True)
    write(room, ISSUE.replace("Something for all of us.", plain + "It was pleased, and so the cat sat on. " * 10))
    expect(story).to_have_text("For everybody Sentences: 8 words on average; reading ease 115 of 100 (easy).")
    expect(story).to_be_visible()
    page.locator("#story-coops").click()
    expect(figures.locator("[data-reads=coops]")).to_have_text("Cooperatives grow Sentences: 3 words on average.")
    expect(story).to_be_hidden()


WIDTHS = {"Phone": 375, "Tablet": 768, "Desktop": 1024}


@pytest.mark.parametrize("name", WIDTHS)
def test_the_mail_is_laid_out_at_a_width_whatever_the_screen_has(page: Page, name: str):
    choose(page, name)
    expect(page.locator("#frame-mail")).to_have_attribute("data-width", str(WIDTHS[name]))
    mail(page).get_by_role("heading", name="Cooperatives grow").wait_for()
    frame = page.locator("#frame-mail").element_handle().content_frame()
    assert frame.evaluate("innerWidth") == WIDTHS[name]
    box, paper = page.locator("#frame-mail").bounding_box(), page.locator(".paper").bounding_box()
    assert box["width"] <= paper["width"] + 1


@pytest.mark.parametrize("system", ["light", "dark"])
def test_light_and_dark_show_the_mails_own_colours_whatever_the_system_prefers(page: Page, system: str):
    page.emulate_media(color_scheme=system)
    body = mail(page).locator("body > .page")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    choose(page, "Dark")
    expect(body).to_have_css("background-color", "rgb(22, 24, 29)")
    choose(page, "Light")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")


def test_images_off_shows_their_words(page: Page):
    picture = mail(page).locator("img").first
    picture.wait_for()
    expect(picture).to_have_js_property("naturalWidth", 1200)
    choose(page, "No images")
    expect(picture).to_have_js_property("naturalWidth", 0)
    expect(picture).to_have_attribute("alt", "Dots along a horizon")


def test_text_part_headers_and_source_are_there(page: Page, room: Newsroom):
    choose(page, "Text part")
    expect(page.locator("#text")).to_contain_text("Dear reader,")
    choose(page, "Headers")
    expect(page.locator("#stage dt", has_text="List-Unsubscribe-Post")).to_be_visible()
    choose(page, "Source")
    expect(page.locator("#source")).to_contain_text("Content-Type: multipart/alternative;")
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == f"{SLUG}.eml"
    write(room, ISSUE.replace("Two stories", "Three stories"))
    expect(page.locator("#source")).to_contain_text("Subject: Three stories")


def test_ticking_interests_shows_that_edition_and_its_size(page: Page):
    size = page.locator("#size")
    whole = float(size.get_attribute("value"))
    page.get_by_role("checkbox", name="Green jobs").check()
    expect(page.locator("#reader")).to_contain_text("For anybody who chose Green jobs: 2 of 3 stories.")
    expect(mail(page).get_by_role("heading", name="Cooperatives grow")).to_have_count(0)
    expect(mail(page).get_by_role("heading", name="For everybody")).to_be_visible()
    expect(page.locator("#matrix .not-shown")).to_contain_text(["Cooperatives grow"])
    assert 0 < float(size.get_attribute("value")) < whole


def test_a_subscriber_is_found_and_seen_and_no_address_is_left_in_the_browsers_history(page: Page):
    page.get_by_label("Or as one subscriber gets it").fill("lovel")
    page.get_by_role("link", name="ada@example.org").click()
    expect(page.locator("#reader")).to_contain_text("For Ada Lovelace, ada@example.org")
    expect(mail(page).get_by_text("Dear Ada Lovelace,")).to_be_visible()
    assert "ada" not in page.url
    page.get_by_role("link", name="Back to everybody").click()
    expect(mail(page).get_by_text("Dear reader,")).to_be_visible()


def test_an_edition_of_the_list_is_one_click_away(page: Page):
    page.locator("#editions a", has_text="Green jobs").click()
    expect(page.locator("#editions [aria-current=true]")).to_contain_text("Green jobs")
    expect(page.get_by_role("checkbox", name="Green jobs")).to_be_checked()


def test_two_editions_stand_side_by_side_with_the_difference_marked(page: Page):
    choose(page, "Compare")
    left, right = page.frame_locator("#frame-left"), page.frame_locator("#frame-right")
    expect(left.locator("[data-only] h3")).to_have_text(["Cooperatives grow"])
    expect(right.locator("h3")).to_have_text(["For everybody", LAST])
    expect(right.locator("[data-only]")).to_have_count(0)
    expect(page.locator(".only").first).to_have_text("1 only here: Cooperatives grow")
    page.get_by_label("Left", exact=True).select_option(index=1)
    expect(left.locator("[data-only]")).to_have_count(0)
    expect(left.locator("h3")).to_have_text(["For everybody", LAST])


def test_the_edition_shown_is_compared_with_the_whole_issue(page: Page):
    page.get_by_role("checkbox", name="Green jobs").check()
    expect(page.locator("#reader")).to_contain_text("Green jobs")
    choose(page, "Compare")
    expect(page.get_by_label("Left", exact=True).locator("option:checked")).to_have_text(
        "The whole issue: 3 stories, 2 people"
    )
    expect(page.get_by_label("Right", exact=True).locator("option:checked")).to_have_text(
        "Green jobs: 2 stories, 1 person"
    )


def test_a_save_that_comes_before_the_page_of_a_choice_does_not_undo_the_choice(page: Page, room: Newsroom):
    held: list[Route] = []
    page.route("**/*interest=green-jobs*", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/*interest=green-jobs*"):
        page.get_by_role("checkbox", name="Green jobs").check()
    write(room, ISSUE.replace("Something for all of us.", "Something new."))
    expect(mail(page).get_by_text("Something new.")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_role("checkbox", name="Green jobs")).to_be_checked()
    expect(page.locator("#reader")).to_contain_text("Green jobs")


def test_a_test_mail_is_sent_from_the_page_and_what_the_server_said_is_told(page: Page, room: Newsroom):
    config = room.root / "pyproject.toml"
    page.get_by_label("Send the edition shown as a test mail to").fill("me@example.org")
    with Relay() as relay:
        config.write_text(config.read_text("utf-8").replace("smtp://127.0.0.1:1025", relay.url), "utf-8")
        config.write_text(config.read_text("utf-8").replace('"Green jobs"', '"Jobs in green"'), "utf-8")
        page.get_by_role("checkbox", name="Jobs in green").check()  # the page has the new configuration
        expect(page.locator("#reader")).to_contain_text("Jobs in green")
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#tested")).to_have_text(
            "Sent to me@example.org, its pictures inside it. The server said: 250 2.0.0 Ok: queued"
        )
    assert "Cooperatives grow" not in relay.mails[0].content.decode("ascii")
    parts = list(parsed(relay.mails[0]).walk())
    assert [f"<{one}>" for part in parts if part.get_content_type() == "text/html"
            for one in re.findall('src="cid:([^"]+)"', part.get_content())
            ] == [part["Content-ID"] for part in parts if part["Content-ID"]] != []  # fmt: skip


def test_the_desk_says_when_it_is_closed(browser: Browser, room: Newsroom):
    page = browser.new_page()
    with running(room, SLUG) as address:
        page.goto(address)
        mail(page).get_by_role("heading", name="Cooperatives grow").wait_for()
    expect(page.locator("#state")).to_have_text("The desk is closed. Open it again with mailer preview.")
    page.close()


# --- for everybody ------------------------------------------------------------------------------------------


def test_the_keyboard_alone_reaches_everything(page: Page):
    reached = []
    page.locator("body").evaluate("body => body.focus()")
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        if reached[-1] == f"edition-{page.locator('#editions a').last.get_attribute('id').removeprefix('edition-')}":
            break
    wanted = ["summary-MLR013-1", "to", "view-mail", "width-phone", "scheme-light", "images-on", "frame-mail", "q",
              "interest-cooperatives", "interest-social-finance", "story-coops"]  # fmt: skip
    assert [name for name in wanted if name not in reached] == []


def test_the_keyboard_alone_works_everything(page: Page):
    page.locator("#summary-MLR013-1").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#findings details[open]")).to_have_count(1)
    page.locator("#view-mail").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#text")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "view-text"
    page.locator("#interest-green-jobs").focus()
    page.keyboard.press("Space")
    expect(page.locator("#reader")).to_contain_text("Green jobs")
    assert page.evaluate("document.activeElement.id") == "interest-green-jobs"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_axe_finds_nothing_against_the_desk(page: Page, room: Newsroom, width: int, scheme: str):
    shown = Shown(page)
    shown.at(width, 844, scheme)
    finding(page).locator("summary").click()
    page.get_by_label("Or as one subscriber gets it").fill("example.org")
    expect(page.locator("#found li")).to_have_count(3)
    found = {"mail": shown.violations()}
    for name in ("Compare", "Source"):
        choose(page, name)
        expect(page.locator("#stage")).to_have_attribute("data-view", name.lower())
        found[name] = shown.violations()
    write(room, ISSUE.replace("topics=cooperatives", "topics=cooperativs"))
    expect(page.get_by_role("alert")).to_contain_text("1 mistake")
    found["mistake"] = shown.violations()
    assert found == {"mail": [], "Compare": [], "Source": [], "mistake": []}


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_desk_does_not_scroll_sideways(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 844})
    for view in ("Mail", "Compare", "Source"):
        choose(page, view)
        expect(page.locator("#stage")).to_have_attribute("data-view", view.lower())
        assert sideways(page) == 0


def test_on_a_phone_each_part_is_one_tap_away(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Editions").click()
    expect(page.get_by_role("heading", name="Editions", exact=True)).to_be_in_viewport()
