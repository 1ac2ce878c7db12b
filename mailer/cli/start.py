"""init, new: a newsroom and an issue, ready to run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.app import newsroom, out
from mailer.compose.attributes import ID
from mailer.compose.checks import placeholders
from mailer.errors import MailerError
from mailer.newsroom import clock, sample_folder

_CONFIG = """\
# The newsroom's configuration. Every mail uses what stands here; put in your own.

[newsletter]
name = {name}
sender = {sender}
reply_to = "office@example.org"
list_id = "{slug}.example.org"
public_url = "https://newsletter.example.org"   # where the reader's pages and pictures are reached
postal_address = "{address}"
language = "en"
template = "enterprises"                        # the folder in templates/

[interests]                                     # the topics, in the order shown
cooperatives = "Cooperatives"
green-jobs = "Green jobs"

[smtp]
url = "smtp://127.0.0.1:1025"                   # smtp://, smtp+starttls:// or smtps://, with user@ where needed
connections = 4
"""
_IGNORED = ("build/", "subscribers/*.db*", "subscribers/.*", "subscribers/*.csv")

_ISSUE = """\
---
title: {title}
date: {date}
subject: {subject}
preheader: {preheader}
---

A word of welcome, for everybody.

# Top stories

## {story} {{#first-story topics={first}}}

Two to five short paragraphs. Links say [what they lead to](https://example.org/report). For a picture, put its file
into the folder images/ and write `![what it shows](images/name.png)` on a line of its own, right under the title.

[Read the report](https://example.org/report){{.button}}

## A story without topics goes to everybody {{#for-everybody}}

A section whose stories all fall away for a reader disappears with its heading.

# Upcoming events

## A conference {{#conference topics={last} date={date}/{date} place="Geneva"}}

What it is about, and for whom.
"""


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made when it is not there.")],
    name: Annotated[str, typer.Option("--name", help="The newsletter's name.")] = "Our Newsletter",
) -> None:
    """Make a newsroom: configuration, template, folders."""
    config = folder / "mailer.toml"
    if config.exists() or (folder / "templates").exists():
        raise MailerError(f"{folder} holds a newsroom already; nothing was changed")
    name = name.strip()
    if not name.isprintable() or not name:
        raise MailerError("the name must be one line of text")
    slug = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split()) or "news"
    try:
        for part in ("issues", "subscribers"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        shutil.copytree(sample_folder() / "templates", folder / "templates")
        # JSON's strings are TOML's basic strings, too.
        config.write_text(
            _CONFIG.format(name=_quoted(name), sender=_quoted(_sender(name)), slug=slug, address=placeholders.ADDRESS),
            "utf-8",
        )
        _ignore(folder / ".gitignore")
    except OSError as error:
        raise MailerError(f"{error.filename}: {error.strerror}") from None
    out.print(f"{folder} is a newsroom. Put your own words into {config}, then:", soft_wrap=True, markup=False)
    out.print(f"  mailer -C {shlex.quote(str(folder))} new {clock():%Y-%m}", soft_wrap=True, markup=False)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _sender(name: str) -> str:
    """`Name <address>`, the name in quotes where RFC 5322 section 3.2.3 has its characters for something else."""
    if re.search(r'[()<>\[\]:;@\\,."]', name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <newsletter@example.org>"


def _ignore(path: Path) -> None:
    """Keep people and secrets out of the repository; what stands in the file already, stays."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    lines += [line for line in _IGNORED if line not in lines]
    path.write_text("\n".join(lines) + "\n", "utf-8")


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
    topics = list(room.config.interests)[:4]  # each stands at a story, and two together at one
    title = " ".join((title or room.config.newsletter.name).split())
    text = _ISSUE.format(
        title=_quoted(title),  # JSON's strings are YAML's double-quoted ones, too
        subject=_quoted(f"{title}: {placeholders.SUBJECT}"),
        preheader=placeholders.PREHEADER,
        story=placeholders.STORY,
        date=_date(slug),
        first=",".join(topics[:1] if len(topics) < 4 else topics[:2]),
        last=",".join(topics[-2:]),
    )
    try:
        (path.parent / "images").mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise MailerError(f"{error.filename}: {error.strerror}") from None
    out.print(f"Write it in {path}, then: mailer check {slug}", soft_wrap=True, markup=False)


def _date(slug: str) -> date:
    """The day that a slug such as 2019-03 or 2019-03-14 names, or today."""
    found = re.match(r"(\d{4})-(\d{2})(?:-(\d{2}))?$", slug)
    try:
        return date(*(int(part or 1) for part in found.groups())) if found else clock().date()
    except ValueError:  # 2019-13 is a number, perhaps
        return clock().date()
