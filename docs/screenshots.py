"""Make the README's pictures: the December 2018 issue, the desk, the forms: `.venv/bin/python docs/screenshots.py`.

Needs the test extras (Playwright) and an installed Chromium or Chrome. Nothing is fetched from the network.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from mailer.audience.intake import import_csv
from mailer.models import Subscriber
from mailer.newsroom import Newsroom
from mailer.web import desk
from mailer.web.desk_proof import Desk

DOCS = Path(__file__).parent
ISSUE = "2018-12"
SHOTS = (  # file, width, height, scale, scheme
    ("mail-phone.png", 375, 800, 2, "light"),
    ("mail-dark.png", 375, 800, 2, "dark"),
    ("mail-desktop.png", 800, 900, 2, "light"),
)
DESKS = (  # file, width, height, scale
    ("desk-desktop.png", 1280, 860, 1.5),
    ("desk-phone.png", 390, 1100, 2),
)
FORMS = (  # path, file, width, height, scale, scheme
    ("/subscribe?lang=en", "page-subscribe.png", 375, 800, 2, "light"),
    ("{preferences}?lang=ar", "page-preferences.png", 375, 800, 2, "dark"),
    ("{preferences}?lang=fr", "page-desktop.png", 800, 900, 2, "light"),
)
SHEETS = (("pages-phone.png", 375, 800, 0.8), ("pages-desktop.png", 1000, 760, 0.42))  # file, width, height, shrunk to
SHEET = ("/subscribe", "{preferences}", "/u/{leave}", "/", "/2018-12/", "/data")  # what is on each, three in a row
COLOURS = 256  # flat drawings and text: no banding to be seen, and a quarter of the bytes


def mail() -> str:
    """The whole issue as Amina gets it, with its pictures read from the issue's folder."""
    room = Newsroom.open(DOCS.parent, {"MAILER_SECRET_KEY": "only for pictures"})
    composition = room.compose(ISSUE)
    amina = composition.personaliser(room.tokens, inert=True).personal(Subscriber("amina@example.org", name="Amina"))
    published = f"{room.config.newsletter.public_url}/{ISSUE}/"
    beside = f"{composition.issue.path.parent.as_uri()}/"
    return composition.html_for(composition.everything, amina).replace(published + "images/", beside + "images/")


def shoot(browser: Browser, url: str, width: int, height: int, scale: int, scheme: str) -> bytes:
    """The upper part of a page, as PNG with few colours."""
    tab = browser.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    tab.goto(url)
    picture = tab.screenshot()
    tab.close()
    return few_colours(picture)


def few_colours(screenshot: bytes) -> bytes:
    """The picture with a palette."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    small = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def sheet(browser: Browser, urls: list[str], width: int, height: int, shrunk: float) -> bytes:
    """Pages side by side, three in a row."""
    size, gap = (round(width * shrunk), round(height * shrunk)), 12
    rows = -(-len(urls) // 3)
    whole = Image.new("RGB", (3 * size[0] + 4 * gap, rows * (size[1] + gap) + gap), "#c8ccd2")
    for at, url in enumerate(urls):
        shot = Image.open(io.BytesIO(shoot(browser, url, width, height, 1, "light"))).convert("RGB")
        place = gap + at % 3 * (size[0] + gap), gap + at // 3 * (size[1] + gap)
        whole.paste(shot.resize(size, Image.Resampling.LANCZOS), place)
    small = io.BytesIO()
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


@contextmanager
def a_desk(folder: Path) -> Iterator[str]:
    """The address of the desk of the issue in a copy of this newsroom, with 240 readers and two slips of the pen."""
    for part in ("issues", "templates"):
        shutil.copytree(DOCS.parent / part, folder / part)
    shutil.copyfile(DOCS.parent / "pyproject.toml", folder / "pyproject.toml")
    path = folder / "issues" / ISSUE / "issue.md"
    text = path.read_text("utf-8").replace("[Read the partnership agreement]", "[here]", 1)
    path.write_text(text.replace("delegates from across", "delegates from from across", 1), "utf-8")
    room = Newsroom.open(folder, {"MAILER_SECRET_KEY": "only for pictures", "EDITOR": "code"})
    sample = DOCS.parent / "subscribers/sample.csv"
    import_csv(sample, "sample.csv", room.store.audience, room.config, room.tokens, "2018-12-14T08:00:00Z")
    laid = Desk(room, ISSUE)
    with desk.listen(0) as listening:
        serving = desk.server(laid, listening, "pictures")
        thread = threading.Thread(target=lambda: asyncio.run(desk.run(laid, serving, listening)))
        thread.start()
        yield desk.address(listening, "pictures")
        serving.should_exit = True
        thread.join()
    laid.close()
    room.close()


def shoot_desk(browser: Browser, address: str, width: int, height: int, scale: float) -> bytes:
    """The desk with the mail for two interests and its first finding open."""
    tab = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
    tab.goto(f"{address}?interest=cooperatives&interest=mne-declaration")
    tab.locator("#findings details summary").first.click()
    tab.frame_locator("#frame-mail").locator("[data-shown] img").wait_for()
    picture = tab.screenshot()
    tab.close()
    return few_colours(picture)


@contextmanager
def the_forms(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of the reader's pages after the issue went out, and what is Amina's own in their paths."""
    sys.path[:0] = [str(DOCS.parent / "tests"), str(DOCS.parent / "tests" / "web")]
    from conftest import Clock, copy_newsroom
    from public_server import serving, went_out

    copy_newsroom(folder / "newsroom", issues=True)  # leaves out what is translated in the configuration
    shutil.copyfile(DOCS.parent / "pyproject.toml", folder / "newsroom" / "pyproject.toml")
    room = Newsroom.open(folder / "newsroom", {"MAILER_SECRET_KEY": "only for pictures"})
    amina = went_out(room, ISSUE, "amina@example.org", interests=["cooperatives"])["amina@example.org"]
    with serving(room, Clock()) as client:
        sign = room.tokens.sign
        own = {"preferences": f"/p/{sign('preferences', amina.id)}", "leave": sign("unsubscribe", amina.id)}
        yield str(client.base_url).rstrip("/"), own
    room.close()


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
                content = shoot(browser, page.as_uri(), width, height, scale, scheme)
                (DOCS / name).write_bytes(content)
                print(f"{name}: {len(content):,} bytes")
            with tempfile.TemporaryDirectory() as folder, a_desk(Path(folder)) as address:
                for name, width, height, scale in DESKS:
                    content = shoot_desk(browser, address, width, height, scale)
                    (DOCS / name).write_bytes(content)
                    print(f"{name}: {len(content):,} bytes")
            with tempfile.TemporaryDirectory() as folder, the_forms(Path(folder)) as (address, own):
                for path, name, width, height, scale, scheme in FORMS:
                    url = f"{address}{path.format(**own)}"
                    content = shoot(browser, url, width, height, scale, scheme)
                    (DOCS / name).write_bytes(content)
                    print(f"{name}: {len(content):,} bytes")
                for name, width, height, shrunk in SHEETS:
                    urls = [f"{address}{path.format(**own)}" for path in SHEET]
                    content = sheet(browser, urls, width, height, shrunk)
                    (DOCS / name).write_bytes(content)
                    print(f"{name}: {len(content):,} bytes")
            browser.close()
    finally:
        page.unlink()


if __name__ == "__main__":
    main()
