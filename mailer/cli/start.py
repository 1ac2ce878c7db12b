"""init, new: a newsroom and an issue, ready to run."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mailer import config as configuration
from mailer.cli import files, starters
from mailer.cli.app import err, newsroom, out, say
from mailer.cli.starters import Answers
from mailer.compose.attributes import ID
from mailer.compose.outline import slug_from_title
from mailer.errors import ConfigError, MailerError
from mailer.newsroom import RESERVED, Newsroom, clock, sample_folder

_QUESTIONS = {
    "name": "The newsletter's name",
    "sender": "Sender, as readers see it",
    "reply_to": "Where answers go",
    "public_url": "Public address of the reader's pages and pictures",
    "postal_address": "Postal address, which every mail shows",
    "language": "Language",
    "topics": "Topics readers can choose, with commas between",
    "smtp": "Mail server (smtp://, smtp+starttls:// or smtps://, user@ where needed; no password)",
}


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made when it is not there.")],
    name: Annotated[str, typer.Option("--name", help="The newsletter's name.")] = starters.NAME,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing; the defaults can be changed in mailer.toml.")
    ] = False,
) -> None:
    """Make a newsroom: configuration, template, folders."""
    path = folder / "mailer.toml"
    if path.exists() or (folder / "templates").exists():
        raise MailerError(f"{folder} holds a newsroom already; nothing was changed")
    name = name.strip()
    if not name.isprintable() or not name:
        raise MailerError("the name must be one line of text")
    asked = not yes and sys.stdin.isatty()
    answers = _ask(Answers(name=name)) if asked else Answers(name=name)
    slug = f"{clock():%Y-%m}"
    try:
        for part in ("issues", "subscribers"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        _ignore(folder / ".gitignore")
        shutil.copytree(sample_folder() / "templates", folder / "templates")
        path.write_text(starters.config(answers), "utf-8")
    except OSError as error:
        raise MailerError(f"{error.filename or folder}: {error.strerror}") from None
    if not any((folder / "issues").iterdir()):
        _write_issue(Newsroom.open(folder, {}), slug, answers.name)
    if not asked and not yes:
        say("Nothing was asked, since this is no terminal: mailer.toml holds the defaults, as with --yes.")
    out.print(f"{folder} is a newsroom. Put your own words into {path}, then:", soft_wrap=True, markup=False)
    out.print(f"  mailer -C {shlex.quote(str(folder))} check {slug}", soft_wrap=True, markup=False)


def new(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The issue's folder, such as 2019-03.")],
    title: Annotated[str, typer.Option("--title")] = "",
) -> None:
    """Write an issue with an example of each kind of item."""
    room = newsroom(context)
    if not ID.fullmatch(slug):
        raise MailerError(f"“{slug}” is no name for an issue; use small letters, digits and single hyphens")
    if slug in RESERVED:
        raise MailerError(f"“{slug}” is an address of the reader's pages; give the issue another name, such as 2019-03")
    path = _write_issue(room, slug, title or room.config.newsletter.name)
    out.print(f"Write it in {path}, then: mailer check {slug}", soft_wrap=True, markup=False)


def _write_issue(room: Newsroom, slug: str, title: str) -> Path:
    path = room.root / "issues" / slug / "issue.md"
    if path.exists():
        raise MailerError(f"{path} exists already; nothing was changed")
    text = starters.issue(" ".join(title.split()), starters.date_of(slug), room.config.interests)
    files.write(path, text)
    (path.parent / "images").mkdir(exist_ok=True)
    return path


def _ask(answers: Answers) -> Answers:
    """Each question with its default, which Enter takes; asked again while the answer cannot be used."""
    say("Enter takes what stands in brackets. Everything can be changed later, in mailer.toml.")
    for key, question in _QUESTIONS.items():
        default = tomllib.loads(starters.config(answers))
        shown = {"topics": answers.topics, "smtp": answers.smtp}.get(key) or default["newsletter"][key]
        while True:
            given = " ".join(typer.prompt(question, default=shown, err=True).split())
            tried = replace(answers, **{key: given})
            if not (mistake := _mistake(tried)):
                answers = tried
                break
            err.print(mistake, markup=False)
    return answers


def _mistake(answers: Answers) -> str:
    """Why a newsroom with these answers could not work; nothing when it does."""
    ids = [slug_from_title(label, "topic") for label in answers.labels]
    if len(set(ids)) < len(ids):
        return "two topics have the same name"
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "mailer.toml").write_text(starters.config(answers), "utf-8")
        try:
            config = configuration.load(Path(name), {})
        except ConfigError as error:
            return error.problems[0].text
    theme = tomllib.loads((sample_folder() / "templates/enterprises/theme.toml").read_text("utf-8"))
    known = sorted(theme["words"])
    if config.newsletter.language.partition("-")[0] not in known:
        return f"the template has its words in {', '.join(known)}; begin with one, and add yours to theme.toml later"
    return ""


def _ignore(path: Path) -> None:
    """Keep people and secrets out of the repository; what stands in the file already, stays."""
    lines = path.read_text("utf-8", "surrogateescape").splitlines() if path.exists() else []
    lines += [line for line in starters.IGNORED if line not in lines]
    path.write_text("\n".join(lines) + "\n", "utf-8", "surrogateescape")
