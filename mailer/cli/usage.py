"""A mistake in a command line, in the words of every other error; then how the command is used."""

from __future__ import annotations

import re
from typing import Any

import typer
from rich.markup import escape

from mailer.cli.app import err
from mailer.errors import nearest

# What Pydantic found, with the limit it names.
_MUST = {
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
}
_NO_COMMAND = re.compile(r"No such command (['\"])(.*)\1\.")  # Typer has no error of its own for it


def show(error: Any) -> None:
    """Print a typer.TyperException to standard error."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    err.print(f"[bad]Error:[/] {escape(_told(error))}")
    if context := getattr(error, "ctx", None):
        err.print(escape(context.get_usage()))
        err.print(f"More with: {context.command_path} --help")


def _told(error: Any) -> str:
    match type(error).__name__:
        case "MissingParameter":
            return f"{_name(error)} is missing"
        case "NoSuchOption":
            close = f". {nearest(error.option_name, error.possibilities)}" if error.possibilities else ""
            return f"there is no option {error.option_name}{close}"
        case "BadParameter":
            return _wrong_value(error)
    said = str(error.format_message())
    if missed := _NO_COMMAND.match(said):
        return f"there is no command {missed[2]}. {nearest(missed[2], error.ctx.command.commands)}"
    return said


def _wrong_value(error: Any) -> str:
    found = error.__cause__.errors()[0] if hasattr(error.__cause__, "errors") else None
    name = _name(error)
    if found is None:
        return f"{name}: {error.message}" if name else str(error.message)
    descriptor = error.param.type_descriptor
    if descriptor.is_choice:
        *others, last = map(str, descriptor.choices)
        must = f"must be {', '.join(others)} or {last}"
    else:
        must = _MUST.get(found["type"], found["msg"]).format(**found.get("ctx", {}))
    return f"{name} {found['input']}: {must}"


def _name(error: typer.BadParameter) -> str:
    """The option as it is typed, or the argument as the help calls it."""
    if error.param_hint:
        return str(error.param_hint)
    if error.param is None:
        return ""
    return max(error.param.opts, key=len) if error.param.param_type_name == "option" else error.param.display_name_raw
