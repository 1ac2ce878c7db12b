"""What every command shares: the newsroom, the consoles, the options they have in common."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.theme import Theme

from mailer.newsroom import Newsroom

_STYLES = Theme({"accent": "cyan", "second": "dim", "bad": "red", "warn": "yellow", "good": "green"})

out = Console(theme=_STYLES, highlight=False)  # what was asked for
err = Console(theme=_STYLES, highlight=False, stderr=True, soft_wrap=True)  # progress and messages

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, and nothing else there.")]
IssueName = Annotated[str, typer.Argument(metavar="ISSUE", help="Its folder's name in issues/, such as 2018-12.")]


@dataclass(slots=True)
class State:
    """What the options before the command say."""

    root: Path
    debug: bool
    newsroom: Newsroom | None = None


def newsroom(context: typer.Context) -> Newsroom:
    """The newsroom the command works on; main() closes it."""
    state: State = context.obj
    if state.newsroom is None:
        state.newsroom = Newsroom.open(state.root)
    return state.newsroom


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def say(message: str) -> None:
    """A message to the person, on standard error."""
    err.print(message)
