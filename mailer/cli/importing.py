"""import: a draft from a word processor, a web page or a text file becomes an issue."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from mailer.cli import files, starters
from mailer.cli.app import Json, bare_name, newsroom, out, print_json, say
from mailer.compose import source
from mailer.compose.attributes import ID
from mailer.compose.drafting import issuefile, read
from mailer.compose.drafting.blocks import Draft
from mailer.errors import InputError, MailerError
from mailer.models import Problem
from mailer.newsroom import RESERVED, Newsroom


def import_draft(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .docx, .html, .md or .txt file.")],
    to: Annotated[
        str,
        typer.Option("-o", "--out", metavar="ISSUE", help="The issue it becomes, such as issues/2019-03/issue.md."),
    ],
    force: Annotated[bool, typer.Option("--force", help="Write over an issue that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Make an issue of a draft: sections, stories, links, lists, pictures, and topics as proposals."""
    room = newsroom(context)
    slug = bare_name(to.removeprefix(f"{room.root}/"))
    if not ID.fullmatch(slug):
        raise MailerError(f"“{to}” is no issue of this newsroom; write for example issues/2019-03/issue.md")
    if slug in RESERVED:
        raise MailerError(f"“{slug}” is an address of the reader's pages; give the issue another name, such as 2019-03")
    folder = room.root / "issues" / slug
    made, notes = read.draft(file, folder, room.config)
    names = _names(made)
    text = issuefile.text(made, starters.date_of(slug), room.config.newsletter.name, names)
    drawn = {names[key]: content for key, content in made.pictures.items() if key in names}
    notes += _left(text, drawn, slug, room)
    _write(folder, text, drawn, force)
    _report(room, folder, made, notes, as_json)


def _names(draft: Draft) -> dict[str, str]:
    """Each picture that is used, named after the story it stands in."""
    names: dict[str, str] = {}
    homes = [("welcome", draft.welcome)]
    for number, section in enumerate(draft.sections, 1):
        homes.append((f"section-{number}", section.intro))
        homes += [(story.id, story.blocks) for story in section.stories]
    for home, blocks in homes:
        keys = [block.picture for block in blocks if block.picture]
        for number, key in enumerate(keys, 1):
            names[key] = f"images/{home}{f'-{number}' if number > 1 else ''}{_ending(draft.pictures[key])}"
    return names


def _ending(content: bytes) -> str:
    from mailer.compose import pictures  # Pillow takes 60 ms to import, and many drafts have no picture

    return pictures.ending(content)


def _left(text: str, pictures: dict[str, bytes], slug: str, room: Newsroom) -> list[Problem]:
    """What an author has to mend before the new issue can be composed; read as the issue will be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / slug
        _put(folder, text, pictures)
        try:
            source.load(folder / "issue.md", f"issues/{slug}/issue.md", room.config)
        except InputError as error:
            return list(error.problems)
    return []


def _write(folder: Path, text: str, pictures: dict[str, bytes], force: bool) -> None:
    there = [name for name in ("issue.md", *pictures) if (folder / name).exists()]
    if there and not force:
        problems = [Problem(str(folder / name), 0, "is there already; --force writes over it") for name in there]
        raise InputError(problems)
    _put(folder, text, pictures)


def _put(folder: Path, text: str, pictures: dict[str, bytes]) -> None:
    """The pictures first: an issue.md that is there has all it names."""
    for name, content in pictures.items():
        files.write(folder / name, content)
    files.write(folder / "issue.md", text)
    (folder / "images").mkdir(exist_ok=True)


def _report(room: Newsroom, folder: Path, draft: Draft, notes: list[Problem], as_json: bool) -> None:
    stories, slug = draft.stories, folder.name
    proposed = sum(bool(story.proposed) for story in stories)
    if as_json:
        print_json({
            "issue": slug, "sections": len(draft.sections), "stories": len(stories), "pictures": len(draft.pictures),
            "proposed": {story.id: list(story.proposed) for story in stories if story.proposed},
            "notes": [{"path": note.path, "line": note.line, "text": note.text} for note in notes],
        })  # fmt: skip
        return
    for note in sorted(notes, key=lambda note: note.line):
        say(escape(str(note)))
    counts = [
        "1 section" if len(draft.sections) == 1 else f"{len(draft.sections)} sections",
        "1 story" if len(stories) == 1 else f"{len(stories)} stories",
        "1 picture" if len(draft.pictures) == 1 else f"{len(draft.pictures)} pictures",
    ]
    out.print(Text(f"{', '.join(counts)} in {folder}/"), soft_wrap=True)
    if proposed:
        out.print(Text(f"Topics are proposed for {proposed} of {len(stories)}; a story without goes to everybody."))
        out.print("Look for “proposed:” in issue.md, keep or change topics=, then cut the line.")
    out.print(Text(f"Then: mailer check {slug}"), soft_wrap=True)
