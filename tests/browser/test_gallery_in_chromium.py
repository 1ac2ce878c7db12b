"""The demo's page with all editions side by side, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Mail, Shown, sideways
from conftest import ROOT, SECRET
from playwright.sync_api import Browser

from mailer.cli import gallery
from mailer.compose.composition import Composition
from mailer.newsroom import Newsroom

EDITIONS = {"Green jobs": 11, "MNE Declaration; no interests chosen": 1, "Cooperatives + Social finance": 20}


@pytest.fixture(scope="module")
def shown(browser: Browser, real: Composition, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The page with three editions, from a file, as the demo leaves it."""
    folder = tmp_path_factory.mktemp("gallery")
    _write(folder, real)
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    yield Shown(page)
    page.close()


def _write(folder: Path, real: Composition) -> None:
    mail = Mail.of(Newsroom.open(ROOT, {"MAILER_SECRET_KEY": SECRET}), real, "green-jobs")
    html = mail.html.replace(mail.address, f"{mail.folder.as_uri()}/")
    exhibits = []
    for number, (heading, stories) in enumerate(EDITIONS.items()):
        (folder / f"{number}.html").write_text(html, encoding="utf-8")
        (folder / f"{number}.txt").write_text("text", encoding="utf-8")
        exhibits.append(gallery.Exhibit(heading, stories, 1 + number, 12345, f"{number}.html", f"{number}.txt"))
    page = gallery.page("Enterprises Newsletter, 14 December 2018", "One issue, rendered once.", exhibits)
    (folder / "index.html").write_text(page, encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_against_the_gallery(shown: Shown, width: int, scheme: str):
    shown.at(width, 900, scheme)
    assert shown.violations() == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_gallery_does_not_scroll_sideways(shown: Shown, width: int):
    assert sideways(shown.at(width, 900)) == 0


@pytest.mark.parametrize(("width", "rows"), [(1280, 1), (390, 3)], ids=["a desk: side by side", "a phone: stacked"])
def test_editions_stand_side_by_side_where_there_is_room(shown: Shown, width: int, rows: int):
    tops = shown.at(width, 900).eval_on_selector_all("iframe", "all => all.map(one => one.getBoundingClientRect().top)")
    assert (len(tops), len(set(tops))) == (3, rows)


def test_each_edition_is_named_counted_and_linked(shown: Shown):
    articles = shown.page.eval_on_selector_all(
        "article",
        """all => all.map(one => [
          one.querySelector('h2').textContent,
          one.querySelector('p').textContent.replace(/\\s+/g, ' ').trim(),
          [...one.querySelectorAll('a')].map(link => link.getAttribute('href')),
          one.querySelector('iframe').title,
        ])""",
    )
    assert articles == [
        ["Green jobs", "11 stories, 1 person, 12,345 bytes", ["0.html", "0.txt"], "Green jobs"],
        [
            "MNE Declaration; no interests chosen",
            "1 story, 2 people, 12,345 bytes",
            ["1.html", "1.txt"],
            "MNE Declaration; no interests chosen",
        ],
        [
            "Cooperatives + Social finance",
            "20 stories, 3 people, 12,345 bytes",
            ["2.html", "2.txt"],
            "Cooperatives + Social finance",
        ],
    ]


def test_the_gallerys_links_are_44_px_high(shown: Shown):
    heights = shown.at(390, 900).eval_on_selector_all("a", "all => all.map(one => one.getBoundingClientRect().height)")
    assert [height for height in heights if height < 44] == []
