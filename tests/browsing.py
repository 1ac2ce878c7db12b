"""A real browser for tests: the installed Chromium, driven by Playwright, and mails shown in it without a network."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from mailer.compose.composition import Composition
from mailer.compose.editions import select
from mailer.models import Subscriber
from mailer.newsroom import Newsroom

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]  # axe's names for WCAG 2.2, levels A and AA


@contextmanager
def chromium(home: Path) -> Iterator[Browser]:
    """The browser, with a home of its own; skips the test when there is none."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no chromium or google-chrome here (Debian: apt-get install chromium)")
    environment: dict[str, str | float | bool] = {**os.environ, "HOME": str(home)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS, env=environment)
        yield browser
        browser.close()


@dataclass(frozen=True, slots=True)
class Mail:
    """One edition as one reader gets it."""

    html: str
    folder: Path  # where its pictures are
    address: str  # where they are published

    @classmethod
    def of(cls, room: Newsroom, composition: Composition, *interests: str) -> Mail:
        """The edition for these interests, with one reader's values in it."""
        issue = composition.issue
        reader = Subscriber("reader@example.org", name="Amina", interests=interests)
        personal = composition.personaliser(room.tokens, inert=True).personal(reader)
        html = composition.html_for(select(issue, interests), personal)
        return cls(html, issue.path.parent, f"{room.config.newsletter.public_url}/{issue.slug}/")

    def without_style(self) -> Mail:
        """As the Gmail app shows it to other accounts: no style sheet at all (caniemail, html-style)."""
        return Mail(re.sub(r"<style.*?</style>", "", self.html, flags=re.DOTALL), self.folder, self.address)


@dataclass(slots=True)
class Shown:
    """A page that shows a mail; `strays` are the requests for anything but its own pictures."""

    page: Page
    strays: list[str] = field(default_factory=list)

    def at(self, width: int, height: int = 667, scheme: str = "light") -> Page:
        """The page in a window of this size and a scheme of colours."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        return self.page

    def violations(self) -> list[tuple[str, str]]:
        """What axe-core has against the page, by rule and element."""
        found = Axe().run(self.page, options={"runOnly": WCAG}).response["violations"]
        return [(rule["id"], str(node["target"])) for rule in found for node in rule["nodes"]]


@contextmanager
def showing(browser: Browser, mail: Mail, images: bool = True, scale: float = 1) -> Iterator[Shown]:
    """A page with a mail in it. Its pictures come from the issue's folder, everything else is refused."""
    context = browser.new_context(device_scale_factor=scale)
    shown = Shown(context.new_page())

    def serve(route: Route) -> None:
        url = route.request.url
        if not url.startswith(mail.address):
            shown.strays.append(url)
        elif images:
            route.fulfill(path=mail.folder / unquote(url.removeprefix(mail.address)))
            return
        route.abort()

    context.route("**/*", serve)
    shown.page.set_content(mail.html)
    yield shown
    context.close()


def sideways(page: Page) -> int:
    """How many pixels the page can be scrolled sideways."""
    wide: int = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
    return wide


# Every run of text that shows, with its size, colour and the nearest background behind it.
_TEXTS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const words = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!words || !element.checkVisibility({opacityProperty: true})) continue;
    let behind = element;
    while (behind && getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
    const style = getComputedStyle(element);
    found.push({words, size: parseFloat(style.fontSize), colour: style.color, story: !!element.closest('.prose'),
                background: behind ? getComputedStyle(behind).backgroundColor : 'rgb(255, 255, 255)'});
  }
  return found;
}"""


def texts(page: Page) -> list[dict[str, Any]]:
    """Each visible run of text: words, size, colour, background, and whether it stands in a story."""
    found: list[dict[str, Any]] = page.evaluate(_TEXTS)
    return found


def contrast(one: str, other: str) -> float:
    """The contrast of two computed colours, `rgb(r, g, b)` (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def rgb(colour: str) -> str:
    """`#16181d` as a browser computes it."""
    return f"rgb({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))})"


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
