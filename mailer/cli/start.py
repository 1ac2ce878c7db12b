"""init, new: a newsroom and an issue, ready to run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.app import newsroom, out
from mailer.compose.attributes import ID
from mailer.errors import MailerError
from mailer.newsroom import clock, sample_folder

_CONFIG = """\
# The newsroom's configuration. Every mail uses what stands here; put in your own.

[newsletter]
name = "{name}"
sender = "{name} <newsletter@example.org>"
reply_to = "office@example.org"
list_id = "{slug}.example.org"
public_url = "https://newsletter.example.org"   # where the reader's pages and pictures are reached
postal_address = "Your institution, street, town, country"
language = "en"
template = "enterprises"                        # the folder in templates/

[interests]                                     # the topics, in the order shown
cooperatives = "Cooperatives"
green-jobs = "Green jobs"

[smtp]
url = "smtp://127.0.0.1:1025"                   # smtp://, smtp+starttls:// or smtps://, with user@ where needed
connections = 4
"""

_ISSUE = """\
---
title: {title}
date: {date}
subject: "{title}: say in 60 characters what is in it"
preheader: The line that stands beside the subject in the inbox, 40 to 110 characters
---

A word of welcome, for everybody.

# Top stories

## The title of the first story {{#first-story topics={topic}}}

Two to five short paragraphs. Links say [what they lead to](https://example.org/report). A picture is put into this
folder and shown with ![what it shows](images/name.png), on a line of its own right under the title.

[Read the report](https://example.org/report){{.button}}

## A story without topics goes to everybody {{#for-everybody}}

A section whose stories all fall away for a reader disappears with its heading.

# Upcoming events

## A conference {{#conference topics={topic} date={date}/{date} place="Geneva"}}

What it is about, and for whom.
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (init, new):
        app.command()(command)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made when it is not there.")],
    name: Annotated[str, typer.Option("--name", help="The newsletter's name.")] = "Our Newsletter",
) -> None:
    """Make a newsroom: configuration, template, folders."""
    config = folder / "mailer.toml"
    if config.exists() or (folder / "templates").exists():
        raise MailerError(f"{folder} holds a newsroom already; nothing was changed")
    if any(character in name for character in '"\\\n'):
        raise MailerError("the name must not hold quotes, backslashes or line breaks")
    slug = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split()) or "news"
    for part in ("issues", "subscribers"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    shutil.copytree(sample_folder() / "templates", folder / "templates")
    config.write_text(_CONFIG.format(name=name, slug=slug), encoding="utf-8")
    (folder / ".gitignore").write_text("build/\nsubscribers/*.db*\nsubscribers/.*\n", encoding="utf-8")
    out.print(f"{folder} is a newsroom. Put your own words into {config}, then:", soft_wrap=True)
    out.print(f"  mailer -C {folder} new {clock():%Y-%m}", soft_wrap=True)


def new(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The issue's folder, such as 2019-03.")],
    title: Annotated[str, typer.Option("--title")] = "",
) -> None:
    """Write an issue with an example of each kind of item."""
    room = newsroom(context)
    if not ID.fullmatch(slug):
        raise MailerError(f"“{slug}” is no name for an issue; use small letters, digits and single hyphens")
    path = room.root / "issues" / slug / "issue.md"
    if path.exists():
        raise MailerError(f"{path} exists already; nothing was changed")
    topic = next(iter(room.config.interests))
    text = _ISSUE.format(title=title or room.config.newsletter.name, date=f"{clock():%Y-%m-%d}", topic=topic)
    (path.parent / "images").mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out.print(f"Write it in {path}, then: mailer check {slug}", soft_wrap=True)
