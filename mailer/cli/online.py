"""`check --online`: does each link lead anywhere? A few hosts at once, one address at a time on each.

An answer is kept for a day in the newsroom's .cache, so that checking again asks only what failed or is new.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mailer import __version__
from mailer.cli.app import err
from mailer.compose.checks.anchors import anchors
from mailer.compose.checks.answers import Answer
from mailer.compose.checks.material import Material

_TIMEOUT = 10.0  # seconds, for connecting and for each read
_HOSTS = 8  # asked at the same time
_PAUSE = 0.2  # seconds between two questions to one host
_FRESH = 24 * 60 * 60  # seconds for which a good answer is believed
_AGENT = f"mailer/{__version__} (newsletter link check)"
_HEAD_REFUSED = {400, 403, 404, 405, 406, 501}  # hosts that answer GET otherwise than HEAD
_FOR_GOOD = {301, 308}  # RFC 9110 sections 15.4.2 and 15.4.9


def answers(material: Material) -> dict[str, Answer]:
    """An answer for each http address of the issue's links, from the cache where it is fresh."""
    urls = dict.fromkeys(anchor.url for anchor in anchors(material))
    wanted = [url for url in urls if urlsplit(url).scheme in ("http", "https")]
    cache = Cache(material.root / ".cache" / "links.json") if material.root else Cache(None)
    known = {url: answer for url in wanted if (answer := cache.get(url))}
    new = [url for url in wanted if url not in known]
    with Progress(
        TextColumn("Asking"), BarColumn(20), MofNCompleteColumn(), TextColumn("links"), console=err, transient=True,
        disable=not err.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=len(new))
        known |= asyncio.run(ask(new, lambda: progress.advance(task)))
    cache.keep({url: known[url] for url in new})
    return known


async def ask(urls: Iterable[str], done: Callable[[], None] = lambda: None) -> dict[str, Answer]:
    """Ask each address once: HEAD, and GET where a host does not answer that."""
    by_host = [list(group) for _, group in groupby(sorted(urls, key=_host), key=_host)]
    room = asyncio.Semaphore(_HOSTS)
    async with httpx.AsyncClient(headers={"User-Agent": _AGENT}, timeout=_TIMEOUT, follow_redirects=True) as client:

        async def one_host(group: list[str]) -> dict[str, Answer]:
            said = {}
            async with room:
                for number, url in enumerate(group):
                    if number:
                        await asyncio.sleep(_PAUSE)
                    said[url] = await _answer(client, url)
                    done()
            return said

        return {url: answer for said in await asyncio.gather(*map(one_host, by_host)) for url, answer in said.items()}


async def _answer(client: httpx.AsyncClient, url: str) -> Answer:
    try:
        response = await client.head(url)
        if response.status_code in _HEAD_REFUSED:
            async with client.stream("GET", url) as response:  # its body is not read
                pass
    except httpx.ConnectError as error:
        unknown = any(words in str(error) for words in ("Name or service", "No address", "nodename", "getaddrinfo"))
        return Answer(0, "there is no such host" if unknown else "nobody answers there", unknown_host=unknown)
    except httpx.TimeoutException:
        return Answer(0, f"no answer within {_TIMEOUT:.0f} seconds")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return Answer(0, str(error) or type(error).__name__)
    for_good = bool(response.history) and all(step.status_code in _FOR_GOOD for step in response.history)
    return Answer(response.status_code, moved=str(response.url) if for_good else "")


class Cache:
    """Good answers with the time they were given, in one JSON file. What cannot be read or written is done without."""

    def __init__(self, path: Path | None, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = path, now
        self._kept: dict[str, dict[str, object]] = {}
        with suppress(OSError, ValueError, AttributeError):
            self._kept = dict(json.loads(path.read_text("utf-8")).items()) if path else {}

    def get(self, url: str) -> Answer | None:
        """A fresh answer."""
        with suppress(TypeError, KeyError, ValueError):
            entry = dict(self._kept[url])
            if self._now() - float(str(entry.pop("at"))) < _FRESH:
                return Answer(**entry)  # type: ignore[arg-type]  # anything else in it is a TypeError
        return None

    def keep(self, answers: dict[str, Answer]) -> None:
        """Write down the good ones; one that is not good is asked again."""
        if self._path is None:
            return
        good = {url: answer for url, answer in answers.items() if not answer.gone and not answer.doubtful}
        fresh = {url: entry for url, entry in self._kept.items() if self.get(url)}
        self._kept = fresh | {url: {"at": self._now(), **asdict(answer)} for url, answer in good.items()}
        with suppress(OSError):
            self._path.parent.mkdir(exist_ok=True)
            self._path.write_text(json.dumps(self._kept, indent=1), "utf-8")


def _host(url: str) -> str:
    return urlsplit(url).netloc
