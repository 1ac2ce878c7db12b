"""A save until the page in the browser shows it: `mailer preview` as it is, and Chromium driven by Playwright."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from measure import Timing

from mailer.newsroom import Newsroom

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PAUSE = 1000  # milliseconds between two saves: the rules look at the one before, and nobody saves faster
_PATIENCE = 20_000  # milliseconds


class NoBrowser(Exception):
    """Why no page can be shown here."""


def saves(room: Newsroom, slug: str, save: Callable[[], str], rounds: int) -> Timing:
    """What passes from the moment before each save, which says what is new, until that is seen in the mail's frame.

    Two saves go before and are not counted. Raises NoBrowser.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowser("there is no playwright here (pip install playwright)") from None
    program = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        raise NoBrowser("there is no chromium or google-chrome here (Debian: apt-get install chromium)")
    timing = Timing("mailer: from the save to the page in Chromium")
    with _preview(room, slug) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        mail = page.frame_locator("#frame-mail")
        mail.locator("h1").wait_for(timeout=_PATIENCE)
        for number in range(-2, rounds):
            page.wait_for_timeout(_PAUSE)
            began = perf_counter()
            mail.get_by_text(save(), exact=True).wait_for(timeout=_PATIENCE)
            if number >= 0:
                timing.seconds.append(perf_counter() - began)
        browser.close()
    return timing


@contextmanager
def _preview(room: Newsroom, slug: str) -> Iterator[str]:
    """The address of a desk in a process of its own."""
    command = [sys.executable, "-u", "-m", "mailer", "-C", str(room.root), "preview", slug, "--no-open"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **room.env})
    assert process.stdout
    try:
        yield process.stdout.readline().removeprefix("The desk: ").strip()
    finally:
        process.terminate()
        process.communicate()
