"""Starting fast: a command imports what it needs. Judged by what is imported; benchmarks/start.py measures the time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer
from sending import SLUG

from mailer.cli.main import Commands, app

LISTED = {name: listed for panel in Commands.panels.values() for name, listed in panel.items()}
COMPOSING = {"jinja2", "babel", "mjml", "premailer", "cssutils", "markdown_it", "PIL"}
SENDING = {"aiosmtplib", "aiosmtpd", "asyncio", "uvloop"}
SERVING = {"starlette", "uvicorn"}
STORING = {"pydantic", "sqlite_utils", "email_validator"}
_PROBE = """
import sys
from mailer.cli.main import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def imported(*arguments: str) -> set[str]:
    """The top-level modules in a process of its own in which `mailer ...` has run."""
    done = subprocess.run([sys.executable, "-c", _PROBE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]], ids=" ".join)
def test_the_list_of_commands_imports_none_of_them(arguments):
    assert imported(*arguments) & (COMPOSING | SENDING | SERVING | STORING) == set()


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        (["status"], COMPOSING | SENDING | SERVING),
        (["log", SLUG], COMPOSING | SENDING | SERVING),
        (["check", SLUG], SENDING | SERVING),
    ],
    ids=["status", "log", "check"],
)
def test_a_command_imports_only_what_it_needs(office, arguments, needless):
    office.subscribe(count=1)
    office.plan()
    assert imported("-C", str(office.root), *arguments) & needless == set()


@pytest.mark.parametrize("name", sorted(LISTED))
def test_what_the_list_says_is_the_first_line_of_the_commands_own_help(name):
    group = typer.main.get_command(app)
    command = group.get_command(typer.Context(group), name)
    assert command.name == name
    assert command.help.partition("\n")[0] == LISTED[name].help


def test_every_command_is_listed_once_and_in_80_columns():
    done = subprocess.run([sys.executable, "-m", "mailer", "--help"], env=os.environ, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    listed = [words[1] for line in lines if line.startswith("│ ") and line[2].islower() and (words := line.split())]
    assert (done.returncode, done.stderr) == (0, "")
    assert listed == [name for panel in Commands.panels.values() for name in panel]
    assert max(map(len, lines)) <= 80
    for panel in ("Options", *Commands.panels):
        assert any(line.startswith(f"╭─ {panel} ─") for line in lines)


def test_a_mistyped_command_names_the_one_that_was_meant(office):
    answer = office.run("statsu")
    assert answer.code == 2
    assert answer.err.startswith("Error: there is no command statsu. Did you mean “status”?\n")
