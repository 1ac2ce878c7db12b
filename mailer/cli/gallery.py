"""The editions of an issue as files, and a page that shows them side by side, each as its readers see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment

from mailer.cli import files, views
from mailer.compose import headers
from mailer.compose.composition import Composition
from mailer.compose.editions import key
from mailer.errors import MailerError
from mailer.models import Edition, Selection, Subscriber
from mailer.newsroom import Newsroom, clock

# What this module names its files; nothing else is ever removed from a folder that somebody gave.
_OURS = re.compile(r"\d{2,}-stories-[0-9a-f]{12}\.(html|txt|eml)")

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}: {{ editions | length }} editions</title>
<style>
  :root { color-scheme: light dark; --ink: #1c2429; --page: #f4f6f7; --card: #fff; --rule: #d5dde1; --accent: #0f5c7a; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e6e9eb; --page: #101215; --card: #16181d; --rule: #3a434a; --accent: #86c9e6; }
  }
  body { margin: 0; padding: 32px 24px; color: var(--ink); background: var(--page);
    font: 16px/1.5 "Segoe UI", -apple-system, Roboto, Helvetica, Arial, sans-serif; }
  h1 { margin: 0; font: bold 30px/1.2 Georgia, "Times New Roman", serif; }
  header p { margin: 8px 0 32px; max-width: 70ch; }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 24px; }
  article { display: flex; flex-direction: column; background: var(--card); border: 1px solid var(--rule); }
  h2 { flex: 1; margin: 0; padding: 16px 24px 4px; font-size: 16px; line-height: 1.4; }
  article p { margin: 0; padding: 0 24px; font-size: 14px; }
  .open { padding-bottom: 4px; border-bottom: 1px solid var(--rule); }
  a { display: inline-block; margin-right: 24px; padding: 12px 0; color: var(--accent); text-underline-offset: 3px; }
  iframe { display: block; width: 100%; height: 760px; border: 0; background: #fff; }
</style>
<header>
<h1>{{ title }}</h1>
<p>{{ summary }}</p>
</header>
<main>
{% for edition in editions %}
<article>
  <h2>{{ edition.heading }}</h2>
  <p>{{ edition.stories }} {{ "story" if edition.stories == 1 else "stories" }},
    {{ edition.people }} {{ "person" if edition.people == 1 else "people" }},
    {{ "{:,}".format(edition.size) }} bytes</p>
  <p class="open"><a href="{{ edition.html }}">Open the mail</a> <a href="{{ edition.text }}">Open the text part</a></p>
  <iframe src="{{ edition.html }}" title="{{ edition.heading }}" loading="lazy"></iframe>
</article>
{% endfor %}
</main>
</html>
"""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One edition on the page; `html` and `text` are addresses relative to it."""

    heading: str
    stories: int
    people: int
    size: int
    html: str
    text: str


def page(title: str, summary: str, editions: Sequence[Exhibit]) -> str:
    """The page as HTML."""
    return Environment(autoescape=True).from_string(_PAGE).render(title=title, summary=summary, editions=editions)


def write(
    page_file: Path, folder: Path, room: Newsroom, composition: Composition, editions: Sequence[Edition]
) -> list[Path]:
    """Each edition as .html, .txt and .eml in `folder` with the pictures beside it, and the page that frames them.

    Raises MailerError when the page would take the place of somebody else's, or the disk is full.
    """
    issue = composition.issue
    if page_file.exists() and not any(_OURS.fullmatch(path.name) for path in folder.glob("*-stories-*")):
        raise MailerError(f"{page_file} is there and was not made by mailer; name another folder")
    make(folder)
    whole = composition.everything
    if all(edition.selection != whole for edition in editions):
        editions = [Edition(key(whole), whole, ()), *editions]
    clear(folder)
    written: list[Path] = []
    exhibits = []
    for edition in editions:
        largest = max(edition.segments, key=lambda segment: segment.count, default=None)
        reader = Subscriber("reader@example.org", interests=largest.interests if largest else ())
        base = folder / f"{len(edition.selection):02d}-stories-{edition.key}"
        made = write_one(base, room, composition, edition.selection, reader, inert=True)
        written += made
        html, text = (path.relative_to(page_file.parent).as_posix() for path in made[:2])
        exhibits.append(
            Exhibit(
                heading=views.segment_names(edition.segments, room.config.interests) or "the whole issue",
                stories=len(edition.selection),
                people=edition.count,
                size=composition.sizes(edition.selection)[0],
                html=html,
                text=text,
            )
        )
    copy_pictures(folder, composition)
    people = sum(edition.count for edition in editions)
    summary = f"One issue of {len(issue.stories)} stories, rendered once; {people} people get one of these editions."
    files.write(page_file, page(f"{issue.title}, {issue.date:%d %B %Y}", summary, exhibits))
    return [*written, page_file]


def write_one(
    base: Path, room: Newsroom, composition: Composition, selection: Selection, reader: Subscriber, inert: bool
) -> list[Path]:
    """One message: .html with its pictures beside it, .txt, and .eml as it is mailed."""
    personal = composition.personaliser(room.tokens, inert).personal(reader)
    utf8 = not headers.ascii_address(reader.email).isascii()
    html = composition.html_for(selection, personal)
    for picture in composition.issue.pictures:
        html = html.replace(f'src="{picture.url}"', f'src="{quote(picture.name)}"')
    contents = {
        ".html": html.encode("utf-8"),
        ".txt": composition.text_for(selection, personal).encode("utf-8"),
        ".eml": composition.template(selection).fill(personal, format_datetime(clock()), utf8),
    }
    paths = []
    for ending, content in contents.items():
        path = base.with_name(base.name + ending)
        files.write(path, content)
        paths.append(path)
    return paths


def copy_pictures(folder: Path, composition: Composition) -> None:
    """The issue's pictures as they are published, where the .html files look for them."""
    from mailer.compose import pictures  # Pillow takes 60 ms to import, and many issues have no picture

    for picture in composition.issue.pictures:
        name, content = pictures.published(picture)
        files.write(folder / name, content)


def clear(folder: Path, everything: bool = False) -> None:
    """Remove what an earlier build left; with `everything`, the messages of single people, too."""
    for path in folder.iterdir():
        left = everything and path.suffix in (".html", ".txt", ".eml")
        if (left or _OURS.fullmatch(path.name)) and path.is_file():
            path.unlink()


def make(folder: Path) -> None:
    """The folder. Raises MailerError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MailerError(f"{folder} cannot be made: {error.strerror}") from None
