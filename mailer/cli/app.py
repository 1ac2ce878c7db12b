"""What every command shares: the newsroom, the consoles, the options they have in common."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console, ConsoleDimensions
from rich.theme import Theme

if TYPE_CHECKING:
    from mailer.newsroom import Newsroom

_STYLES = Theme({"accent": "cyan", "second": "dim", "bad": "red", "warn": "yellow", "good": "green"})

_ENDLESS = 100_000  # columns: longer than any reply


class _Output(Console):
    """In a pipe a line is as long as it is, so that grep finds an address whole. COLUMNS sets a width all the same."""

    @property  # type: ignore[misc]
    def size(self) -> ConsoleDimensions:  # nobody sets it
        given = super().size
        return given if self.is_terminal or "COLUMNS" in os.environ else ConsoleDimensions(_ENDLESS, given.height)


# Without emoji: `file.csv:100: ...` is line 100, not a picture of a hundred.
out = _Output(theme=_STYLES, highlight=False, emoji=False)  # what was asked for
err = Console(theme=_STYLES, highlight=False, emoji=False, stderr=True, soft_wrap=True)  # progress and messages

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else there.")]


def bare_name(given: str) -> str:
    """A shell completes to `issues/2018-12/`, an editor copies `issues/2018-12/issue.md`: both are 2018-12."""
    return given.removesuffix("/issue.md").removesuffix("/").removeprefix("issues/")


def issue_name(given: str) -> str:
    """The issue's name as its folder may have it; a file is named after it. Raises NotFound."""
    name = bare_name(given)
    if "/" in name or not name.isprintable():
        from mailer.errors import NotFound  # `mailer --help` needs none

        raise NotFound(f"there is no issue {name!a}: its name is that of its folder in issues/, such as 2018-12")
    return name


IssueName = Annotated[
    str, typer.Argument(metavar="ISSUE", callback=issue_name, help="Its folder's name in issues/, such as 2018-12.")
]


@dataclass(slots=True)
class State:
    """What the options before the command say."""

    root: Path
    newsroom: Newsroom | None = None


def newsroom(context: typer.Context) -> Newsroom:
    """The newsroom the command works on, closed when it ends."""
    state: State = context.obj
    if state.newsroom is None:
        from mailer import config  # `mailer --help` needs none
        from mailer.errors import NotFound
        from mailer.newsroom import Newsroom

        try:
            root = config.home(Path.cwd()) if state.root == Path() else state.root
        except FileNotFoundError:
            raise NotFound("the folder you are in is gone; go into a newsroom, or name one with -C") from None
        state.newsroom = Newsroom.open(root)
        context.call_on_close(state.newsroom.close)
    return state.newsroom


def data() -> TextIO:
    """Standard output for what programs read: UTF-8, whatever the terminal's encoding (RFC 8259 section 8.1)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    data().write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_json_list(values: Iterable[object]) -> None:
    """One JSON list on standard output, written one by one: a million need no memory."""
    separator, stream = "[\n  ", data()
    for value in values:
        stream.write(separator + json.dumps(value, ensure_ascii=False))
        separator = ",\n  "
    stream.write("[]\n" if separator.startswith("[") else "\n]\n")


def asked(question: str) -> bool | None:
    """Ask on standard error, yes or no; None when there is nobody to ask."""
    err.print(f"{question} [y/N] ", end="", markup=False)
    typed = sys.stdin.readline()
    if not typed:
        say("no answer")
        return None
    return typed.strip().lower() in ("y", "yes")


def confirmed(question: str, otherwise: str = "Nothing was changed") -> bool:
    """Ask on standard error; no answer is a no, which is told with what it means."""
    answer = asked(question)
    if not answer:
        nobody = ": there is nobody to ask; --yes answers" if answer is None else ""
        say(f"{otherwise}{nobody}.")
    return bool(answer)


def say(message: str) -> None:
    """A message to the person, on standard error."""
    err.print(message)
