"""The door: options before the command, and every error as a sentence and an exit code.

0 done   1 the input is wrong   2 wrong usage   3 some deliveries are refused, deferred or unknown
4 the relay could not be used   130 interrupted
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from mailer import __version__
from mailer.cli import compose, demo, explain, send, settle, start, subscribers
from mailer.cli.app import State, err
from mailer.errors import InputError, MailerError

app = typer.Typer(
    name="mailer",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Compose an institution's email newsletter and get it, provably, to every reader who should have it.",
)
for module in (start, compose, send, settle, explain, demo):
    module.register(app)
app.add_typer(subscribers.app, name="subscribers")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mailer {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("-C", metavar="NEWSROOM", help="The newsroom's folder.")] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")] = False,
) -> None:
    """Parse what stands before the command."""
    context.obj = State(root=folder)


def main() -> None:
    """Run the command; a traceback reaches nobody who did not ask for one."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to stop
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # all that are raised have it
        code = error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        err.print("Interrupted.")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        elif isinstance(error, MailerError):
            _show(error)
        else:
            # Only its type: what it says may hold a subscriber.
            err.print(f"[bad]This is a mistake in mailer, not in your files:[/] {type(error).__name__}")
            err.print("Run it again with --debug before the command, and report what it prints, without addresses.")
        code = error.exit_code if isinstance(error, MailerError) else 1
    sys.exit(code if isinstance(code, int) else 0)


def _show(error: MailerError) -> None:
    if isinstance(error, InputError):
        for problem in error.problems:
            err.print(escape(str(problem)))
        count = len(error.problems)
        err.print(f"[bad]{count} mistake{'s' if count > 1 else ''}.[/] Nothing was changed.")
    else:
        err.print(f"[bad]Error:[/] {escape(str(error))}")
