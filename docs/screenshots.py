"""Make the README's pictures of the December 2018 issue: `.venv/bin/python docs/screenshots.py`.

Needs the test extras (Playwright) and an installed Chromium or Chrome. Nothing is fetched from the network.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from mailer.models import Subscriber
from mailer.newsroom import Newsroom

DOCS = Path(__file__).parent
ISSUE = "2018-12"
SHOTS = (  # file, width, height, scale, scheme
    ("mail-phone.png", 375, 800, 2, "light"),
    ("mail-dark.png", 375, 800, 2, "dark"),
    ("mail-desktop.png", 800, 900, 2, "light"),
)
COLOURS = 256  # flat drawings and text: no banding to be seen, and a quarter of the bytes


def mail() -> str:
    """The whole issue as Amina gets it, with its pictures read from the issue's folder."""
    room = Newsroom.open(DOCS.parent, {"MAILER_SECRET_KEY": "only for pictures"})
    composition = room.compose(ISSUE)
    amina = composition.personaliser(room.tokens, inert=True).personal(Subscriber("amina@example.org", name="Amina"))
    published = f"{room.config.newsletter.public_url}/{ISSUE}/"
    beside = f"{composition.issue.path.parent.as_uri()}/"
    return composition.html_for(composition.everything, amina).replace(published + "images/", beside + "images/")


def shoot(browser: Browser, page: Path, width: int, height: int, scale: int, scheme: str) -> bytes:
    """The upper part of a page, as PNG with few colours."""
    tab = browser.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    tab.goto(page.as_uri())
    picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    tab.close()
    small = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> None:
    """Write the pictures beside this file and say how large they are."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("there is no chromium or google-chrome here (Debian: apt-get install chromium)")
    page = DOCS / "mail.html"  # a file, because only files may show pictures from files
    page.write_text(mail(), encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            for name, width, height, scale, scheme in SHOTS:
                content = shoot(browser, page, width, height, scale, scheme)
                (DOCS / name).write_bytes(content)
                print(f"{name}: {len(content):,} bytes")
            browser.close()
    finally:
        page.unlink()


if __name__ == "__main__":
    main()
