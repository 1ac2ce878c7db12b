"""How the mail looks in a real browser: phones, dark mode, no pictures, no style sheet, large text, four languages."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise

import pytest
from browsing import Mail, Shown, contrast, rgb, showing, sideways, texts
from conftest import ROOT, SECRET, copy_newsroom
from playwright.sync_api import Browser
from small_issues import ARABIC, AWKWARD, FRENCH, MIXED, SPANISH

from mailer.compose.composition import Composition
from mailer.newsroom import Newsroom

COLOURS = tomllib.loads((ROOT / "templates/enterprises/theme.toml").read_text("utf-8"))["colours"]
WIDTHS = [320, 375, 768, 1024]
SCHEMES = ["light", "dark"]
EDITIONS = ["whole", "small", "awkward", "ar", "fr", "es", "mixed"]

Open = Callable[[str], Shown]


@pytest.fixture(scope="module")
def mails(real: Composition, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Mail]:
    """Each edition by its name here."""
    here = Newsroom.open(ROOT, {"MAILER_SECRET_KEY": SECRET})
    found = {"whole": Mail.of(here, real), "small": Mail.of(here, real, "green-jobs")}
    room = copy_newsroom(tmp_path_factory.mktemp("rooms") / "newsroom")
    for slug, text in {"awkward": AWKWARD, "ar": ARABIC, "fr": FRENCH, "es": SPANISH, "mixed": MIXED}.items():
        path = room.root / "issues" / slug / "issue.md"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        found[slug] = Mail.of(room, room.compose(slug))
    return found


@pytest.fixture(scope="module")
def show(browser: Browser, mails: dict[str, Mail]) -> Iterator[Open]:
    """Shows an edition; each is loaded once, and a test sets the window it needs."""
    pages: dict[str, Shown] = {}
    with ExitStack() as open_pages:

        def open_page(name: str) -> Shown:
            if name not in pages:
                pages[name] = open_pages.enter_context(showing(browser, mails[name]))
            return pages[name]

        yield open_page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("edition", EDITIONS)
def test_nothing_scrolls_sideways(show: Open, edition: str, width: int):
    assert {scheme: sideways(show(edition).at(width, scheme=scheme)) for scheme in SCHEMES} == {"light": 0, "dark": 0}


@pytest.mark.parametrize("edition", EDITIONS)
def test_browsers_do_not_fall_back_to_quirks(show: Open, edition: str):
    assert show(edition).page.evaluate("document.compatMode") == "CSS1Compat"


def test_nothing_is_fetched_but_the_issues_own_pictures(show: Open):
    shown = show("whole")
    missing = shown.page.eval_on_selector_all("img", "all => all.filter(one => !one.naturalWidth).map(one => one.src)")
    assert (shown.strays, missing) == ([], [])


@pytest.mark.parametrize("width", [320, 1024])
@pytest.mark.parametrize("edition", EDITIONS)
def test_stories_are_set_in_16_px_and_nothing_below_14(show: Open, edition: str, width: int):
    found = texts(show(edition).at(width))
    assert [text["words"] for text in found if text["size"] < (16 if text["story"] else 14)] == []
    assert any(text["story"] for text in found)


@pytest.mark.parametrize("width", [320, 375])
def test_a_phone_shows_one_column_with_24_px_at_its_sides(show: Open, width: int):
    """look.md: every block begins and ends on the same two edges."""
    page = show("whole").at(width)
    edges = page.eval_on_selector_all(
        "h1, h2, h3, .picture, .story > .prose",
        """all => [...new Set(all.map(one => one.getBoundingClientRect())
                              .map(box => `${box.left} ${innerWidth - box.right}`))]""",
    )
    assert edges == ["24 24"]


@pytest.mark.parametrize("edition", ["whole", "small"])
def test_stories_stand_32_px_apart_or_more(show: Open, edition: str):
    page = show(edition).at(375)
    gaps = page.eval_on_selector_all(
        ".story",
        """all => all.map(one => [one, one.lastElementChild].map(it => it.getBoundingClientRect().bottom))
                     .map(([story, words]) => story - words).filter(gap => gap < 32)""",
    )
    assert gaps == []


@pytest.mark.parametrize("width", [320, 768])
@pytest.mark.parametrize("edition", EDITIONS)
def test_a_link_that_stands_alone_is_44_px_high(show: Open, edition: str, width: int):
    """standards.md W8. Links within a sentence are exempt (WCAG 2.5.8, "inline")."""
    boxes = (
        show(edition)
        .at(width)
        .eval_on_selector_all(
            "h3 a, .go a, .ways a", "all => all.map(one => [one.textContent, one.getBoundingClientRect().height])"
        )
    )
    assert [box for box in boxes if box[1] < 44] == []
    assert len(boxes) >= 3


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("selector", "styled", "name"),
    [
        ("body", "backgroundColor", "page"),
        (".story", "color", "ink"),
        ("h1", "color", "ink"),
        ("h3 a", "color", "ink"),
        ("h3 a", "textDecorationColor", "accent"),
        ("h2", "color", "accent"),
        ("h2", "borderBottomColor", "rule"),
        (".prose a", "color", "accent"),
        (".go a", "color", "accent"),
        (".date", "color", "muted"),
        (".topics", "color", "muted"),
        (".picture", "color", "muted"),
        (".footer .close", "color", "muted"),
        (".footer .close", "borderTopColor", "rule"),
        (".ways a", "color", "accent"),
        (".leaf", "backgroundColor", "leaf"),
        (".leaf", "color", "accent"),
        (".day", "color", "accent"),
        (".where", "color", "ink"),
    ],
)
def test_the_colours_are_the_themes(show: Open, scheme: str, selector: str, styled: str, name: str):
    computed = (
        show("whole")
        .at(375, scheme=scheme)
        .eval_on_selector_all(selector, f"all => [...new Set(all.map(one => getComputedStyle(one).{styled}))]")
    )
    assert computed == [rgb(COLOURS[scheme][name])]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("edition", EDITIONS)
def test_every_text_has_a_contrast_of_4_5_to_1(show: Open, edition: str, scheme: str):
    """WCAG 1.4.3, of the colours as rendered; large text gets no discount."""
    found = texts(show(edition).at(375, scheme=scheme))
    faint = [text for text in found if contrast(text["colour"], text["background"]) < 4.5]
    assert faint == []
    assert {text["background"] for text in found} <= {rgb(COLOURS[scheme][name]) for name in ("page", "leaf")}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("edition", EDITIONS)
def test_axe_finds_nothing_against_wcag_2_2_aa(show: Open, edition: str, scheme: str):
    shown = show(edition)
    shown.at(375, scheme=scheme)
    assert shown.violations() == []


@pytest.mark.parametrize("edition", EDITIONS)
def test_headings_are_one_h1_and_skip_no_level(show: Open, edition: str):
    levels = show(edition).page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "all => all.map(one => +one.tagName[1])")
    assert (levels[0], levels.count(1)) == (1, 1)
    assert [pair for pair in pairwise(levels) if pair[1] > pair[0] + 1] == []


@pytest.mark.parametrize(
    ("edition", "language", "direction"),
    [("whole", "en", "ltr"), ("ar", "ar", "rtl"), ("fr", "fr", "ltr"), ("es", "es", "ltr")],
)
def test_language_and_direction_stand_on_html_and_inside_the_body(
    show: Open, edition: str, language: str, direction: str
):
    """rendering.md 4.2: a webmail keeps the body's children and drops html."""
    said = show(edition).page.eval_on_selector_all("html, .page", "all => all.map(one => [one.lang, one.dir])")
    assert said == [[language, direction], [language, direction]]


def test_arabic_begins_at_the_right_edge(show: Open):
    page = show("ar").at(375)
    gaps = page.eval_on_selector_all(
        "h1, h2, h3, .topics, .prose p, .go, .footer p",
        """all => all.map(one => { const range = document.createRange(); range.selectNodeContents(one);
                                   return innerWidth - range.getBoundingClientRect().right; })""",
    )
    leaf, where, item = (
        page.eval_on_selector(name, "one => one.getBoundingClientRect().left") for name in (".leaf", ".where", "li")
    )
    assert {round(gap) for gap in gaps} == {24}
    assert (where < leaf, item) == (True, 24)  # the calendar leaf leads; bullets stand right of their text
    assert page.eval_on_selector("h2", "one => getComputedStyle(one).letterSpacing") == "normal"  # letters are joined


def test_an_arabic_story_of_an_english_issue_begins_at_the_right_edge_and_its_label_stays_english(show: Open):
    page = show("mixed").at(600)
    told = page.eval_on_selector_all(
        ".story h3, .story .prose p, .story li, .story blockquote, .story .prose td, .story .topics",
        "all => all.map(one => [one.id || one.className || one.tagName, getComputedStyle(one).direction,"
        " getComputedStyle(one).textAlign, one.closest('[lang]').lang])",
    )
    arabic = ["rtl", "right", "ar"]
    assert told == [
        ["topics", "ltr", "right", "en"],
        ["dalil", *arabic],
        *[[name, *arabic] for name in ("P", "LI", "BLOCKQUOTE", "P", "TD")],
        ["topics", "ltr", "start", "en"],
        ["english", "ltr", "start", "en"],
        ["P", "ltr", "start", "en"],
    ]
    column = page.eval_on_selector("#dalil", "one => one.getBoundingClientRect().right")
    item, quoted = (
        page.eval_on_selector(name, "one => one.getBoundingClientRect().right") for name in ("li", "blockquote")
    )
    assert (column - item, column - quoted) == (24, 0)


def test_the_first_story_shows_on_a_phone_without_scrolling(show: Open):
    page = show("whole").at(375, 667)
    top = page.eval_on_selector(".story > :first-child", "one => one.getBoundingClientRect().top")
    assert top < 667 - 100


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 768])
def test_without_pictures_their_words_stand_in_their_place(
    browser: Browser, mails: dict[str, Mail], width: int, scheme: str
):
    with showing(browser, mails["whole"], images=False) as shown:
        page = shown.at(width, scheme=scheme)
        pictures = page.eval_on_selector_all(
            "img",
            """all => all.map(one => [one.naturalWidth, one.alt, one.getBoundingClientRect().height,
                                      getComputedStyle(one).color, parseFloat(getComputedStyle(one).fontSize)])""",
        )
        assert sideways(page) == 0
        assert pictures, "the issue has pictures"
        page_colour, muted = rgb(COLOURS[scheme]["page"]), rgb(COLOURS[scheme]["muted"])
        assert contrast(page_colour, muted) >= 4.5
        for width_loaded, alt, height, colour, size in pictures:
            assert (width_loaded, bool(alt), colour, size) == (0, True, muted, 14)
            assert height >= 20, alt  # one line of it, at least


def test_a_page_zoomed_to_200_percent_does_not_scroll_sideways(browser: Browser, mails: dict[str, Mail]):
    """WCAG 1.4.4 and 1.4.10: a window of 640 pixels at 200 % is 320 CSS pixels wide."""
    with showing(browser, mails["whole"], scale=2) as shown:
        assert sideways(shown.at(320)) == 0


@pytest.mark.parametrize("edition", EDITIONS)
def test_text_alone_at_200_percent_does_not_scroll_sideways(browser: Browser, mails: dict[str, Mail], edition: str):
    """WCAG 1.4.4, as mail programs do it that enlarge text and nothing else."""
    with showing(browser, mails[edition]) as shown:
        page = shown.at(640)
        page.evaluate(
            """() => [...document.querySelectorAll('.page *')].map(one => [one, getComputedStyle(one)])
              .map(([one, style]) => [one, 2 * parseFloat(style.fontSize), 2 * parseFloat(style.lineHeight)])
              .forEach(([one, size, line]) => {
                one.style.setProperty('font-size', `${size}px`, 'important');
                one.style.setProperty('line-height', `${line}px`, 'important');
              })"""
        )
        assert page.eval_on_selector(".prose p", "one => getComputedStyle(one).fontSize") == "32px"
        assert sideways(page) == 0


@pytest.mark.parametrize("width", [320, 375, 768])
@pytest.mark.parametrize("edition", EDITIONS)
def test_a_mail_without_its_style_sheet_stays_readable(
    browser: Browser, mails: dict[str, Mail], edition: str, width: int
):
    """The Gmail app with another provider's account drops it (caniemail, html-style)."""
    with showing(browser, mails[edition].without_style()) as shown:
        page = shown.at(width)
        measures = page.eval_on_selector_all(
            ".story > .prose > p",
            """all => all.map(one => [one.getBoundingClientRect(), getComputedStyle(one)])
              .map(([box, style]) => [box.left, innerWidth - box.right,
                                      style.marginTop, style.marginBottom, style.fontSize, style.lineHeight])""",
        )
        side = max(0, (width - 600) / 2) + 32
        assert sideways(page) == 0
        assert {tuple(measure) for measure in measures} == {(side, side, "0px", "12px", "16px", "25px")}
        assert [text["words"] for text in texts(page) if contrast(text["colour"], text["background"]) < 4.5] == []
