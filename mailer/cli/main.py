"""The door: options before the command, and every error as a sentence and an exit code.

0 done   1 the input is wrong   2 wrong usage   3 some deliveries are refused, unknown or still open
4 the relay could not be used   130 interrupted

Nothing is imported that the list of commands can do without.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mailer import __version__
from mailer.cli.app import State, err
from mailer.cli.group import Listed, ListedGroup, Panels

if TYPE_CHECKING:
    from mailer.errors import MailerError


class Commands(ListedGroup):
    """Every command: its panel, its name, where it is, and the first line of its help."""

    panels: ClassVar[Panels] = {
        "Begin": {
            "init": Listed("start:init", "Make a newsroom: configuration, template, folders."),
            "demo": Listed(
                "demo:demo",
                "Compose the sample issue, send it to 240 invented people over SMTP, show what happened.",
            ),
        },
        "Write": {
            "import": Listed(
                "importing:import_draft",
                "Make an issue of a draft: sections, stories, links, lists, pictures, and topics as proposals.",
            ),
            "new": Listed("start:new", "Write an issue with an example of each kind of item."),
            "check": Listed("check:check", "What is wrong with an issue. Exit 1 when something must be mended."),
            "editions": Listed("compose:editions", "Each distinct edition: interests, stories, bytes, head count."),
            "build": Listed(
                "compose:build", "Write the finished HTML, text and .eml of each edition, or of one person."
            ),
            "preview": Listed(
                "preview:preview",
                "Show what every reader will get, and what to mend, in the browser. It follows every save.",
            ),
            "test": Listed(
                "compose:test",
                "Send one test mail, marked as such. It never appears in the send log; its links change nothing.",
            ),
        },
        "Send": {
            "send": Listed("send:send", "Plan, ask, send, balance. Run it again to go on after an interruption."),
            "rehearse": Listed(
                "rehearse:rehearse", "Send to a built-in server that behaves like the world. No mail leaves."
            ),
            "status": Listed("log:status", "The balance of an issue, or of all."),
            "log": Listed("log:log", "The send log: a row a person."),
            "stop": Listed("settle:stop", "Ask a running send to finish what is in flight and stop."),
            "settle": Listed(
                "settle:settle", "Decide deliveries whose outcome is unknown, or queue refused ones again."
            ),
        },
        "Readers": {
            "subscribers": Listed(
                "subscribers:app", "The audience: import, export, list, show, add, change, remove, erase."
            ),
            "explain": Listed("explain:explain", "What this person got or will get, and why."),
            "consent": Listed("consent:app", "The consent journal: show, verify."),
            "retention": Listed(
                "retention:retention",
                "Remove what was kept as long as [retention] says; shows first what that is, and asks.",
            ),
            "keys": Listed("keys:app", "The keys that sign readers' links, and mail: rotate, dkim."),
            "serve": Listed(
                "serve:serve",
                "The reader's pages: subscribe, preferences, unsubscribe, the archive. Runs until it is stopped.",
            ),
            "inbox": Listed("inbox:inbox", "Take off the list who asked so by mail."),
            "archive": Listed(
                "serve:archive",
                "Write the archive as files for any web server: each sent issue, the index, feeds, calendars, "
                "pictures.",
            ),
        },
    }


app = typer.Typer(
    name="mailer",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Compose an institution's email newsletter and get it, provably, to every reader who should have it.",
)


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
        code = app(prog_name="mailer", standalone_mode=False)
    except typer.TyperException as error:
        from mailer.cli import usage

        usage.show(error)
        code = error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        err.print("Interrupted.")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        from mailer.errors import MailerError

        if "--debug" in sys.argv:
            import traceback

            traceback.print_exc()
        elif isinstance(error, MailerError):
            _show(error)
        elif isinstance(error, OSError) and error.filename is not None:
            from rich.markup import escape

            err.print(f"[bad]Error:[/] {escape(f'{error.filename}: {error.strerror}')}")
        else:
            # Only its type: what it says may hold a subscriber.
            err.print(f"[bad]This is a mistake in mailer, not in your files:[/] {type(error).__name__}")
            err.print("Run it again with --debug before the command, and report what it prints, without addresses.")
        code = error.exit_code if isinstance(error, MailerError) else 1
    sys.exit(code if isinstance(code, int) else 0)


def _show(error: MailerError) -> None:
    from rich.markup import escape

    from mailer.errors import InputError

    if isinstance(error, InputError):
        for problem in error.problems:
            err.print(escape(str(problem)))
        count = len(error.problems)
        err.print(f"[bad]{count} mistake{'s' if count > 1 else ''}.[/] Nothing was changed.")
    else:
        err.print(f"[bad]Error:[/] {escape(str(error))}")
