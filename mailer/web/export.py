"""The archive as files: the same pages that the site answers with, asked for one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from starlette.datastructures import FormData, QueryParams

from mailer.errors import MailerError
from mailer.newsroom import Newsroom
from mailer.times import Clock
from mailer.web import archive, calendar, feeds, home
from mailer.web.site import Site
from mailer.web.visit import Page, Visit

_WRITTEN = ".mailer-archive.json"  # the names of what was written, so that nothing else is ever removed


def write(room: Newsroom, clock: Clock, folder: Path) -> list[str]:
    """Write the archive, and take away what an earlier run wrote and this one did not. Returns the names.

    Raises MailerError when the folder cannot be written.
    """
    site = Site.of(room, clock)
    site = replace(site, texts=dict(list(site.texts.items())[:1]))  # files have one language: the newsletter's
    try:
        with site.stores.borrow() as store:
            visit = Visit(site, store, next(iter(site.texts.values())), {}, QueryParams(), FormData(), "", "")
            files = {name: bytes(answer(replace(visit, parts=parts)).body) for name, answer, parts in _pages(visit)}
    finally:
        site.stores.close()
    try:
        _write(folder, files)
    except OSError as error:
        raise MailerError(f"{error.filename} cannot be written: {error.strerror}") from None
    return list(files)


def _pages(visit: Visit) -> Iterator[tuple[str, Page, dict[str, str]]]:
    """The name of each file, the page that gives it, and the parts of its path."""
    yield "index.html", archive.index, {}
    yield "style.css", home.style, {}
    yield "robots.txt", home.robots, {}
    yield "sitemap.xml", archive.sitemap, {}
    yield "events.ics", calendar.all_events, {}
    yield "feed.atom", feeds.all_issues, {}
    for interest in visit.site.room.config.interests:
        yield f"feed/{interest}.atom", feeds.of_interest, {"interest": interest}
    for sent in visit.site.library.all(visit.store.archive):
        slug = sent.issue.slug
        yield f"{slug}/index.html", archive.issue, {"slug": slug}
        for story in sent.events:
            yield f"{slug}/{story.id}.ics", calendar.one_event, {"slug": slug, "event": story.id}
        for name in visit.store.archive.files(slug):
            yield f"{slug}/{name}", archive.below, {"slug": slug, "name": name}


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Each file gets its name when it is whole, since a web server may be reading. What is right already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / _WRITTEN
    before = json.loads(record.read_text("utf-8")) if record.is_file() else []
    for name, content in files.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = path.with_name(f".{path.name}.new")
        whole.write_bytes(content)
        whole.replace(path)
    for name in sorted(set(before) - set(files)):
        (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            (folder / name).parent.rmdir()
    record.write_text(json.dumps(sorted(files), indent=1) + "\n", "utf-8")
