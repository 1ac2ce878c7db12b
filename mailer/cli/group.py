"""A group of commands that is listed from a table, so that a command's module is imported when the command runs.

The listing is drawn here with four parts of Rich: Typer's own brings in a Markdown reader and a syntax highlighter,
which took 60 ms of 115.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

import typer
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

_USAGE = r"(?P<yellow>Usage: )|(?P<bold>mailer)|(?P<cyan>\[OPTIONS\])"


@dataclass(frozen=True)
class Listed:
    """A command as the table has it: `module:function`, or `module:app` for a group, in mailer.cli; and its help."""

    where: str
    help: str

    @cached_property
    def target(self) -> Any:
        """The function or the Typer app; imported now."""
        module, _, attribute = self.where.partition(":")
        return getattr(import_module(f"mailer.cli.{module}"), attribute)

    def command(self, name: str) -> TyperCommand | TyperGroup:
        """The command itself."""
        if isinstance(self.target, typer.Typer):
            made: Any = typer.main.get_group(self.target)
            made.name = name
        else:
            alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
            alone.command(name)(self.target)
            made = typer.main.get_command(alone)
        assert isinstance(made, TyperCommand | TyperGroup)
        return made


Panels = Mapping[str, Mapping[str, Listed]]  # a panel's title -> a command's name -> where it is


class _Commands(Mapping[str, TyperCommand | TyperGroup]):
    """The commands by name, each imported when it is asked for."""

    def __init__(self, panels: Panels) -> None:
        self._listed = {name: listed for panel in panels.values() for name, listed in panel.items()}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        return self._listed[name].command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


class ListedGroup(TyperGroup):
    """A group whose subclass names its table."""

    panels: ClassVar[Panels]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(self.panels)  # type: ignore[assignment]  # nobody adds to it

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the table's order."""
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print usage, options and the table."""
        console = Console(highlight=False, emoji=False)
        usage = Text(self.get_usage(ctx))
        usage.highlight_regex(_USAGE)
        console.print(Padding(usage, 1), Padding(self.help or "", (0, 1, 1, 1)))
        records = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))]
        rows = {panel: [(name, one.help) for name, one in listed.items()] for panel, listed in self.panels.items()}
        width = max(len(name) for panel in (records, *rows.values()) for name, _ in panel)
        for title, panel in ({"Options": records} | rows).items():
            console.print(_panel(title, panel, width))


def _panel(title: str, rows: Iterable[tuple[str, str]], width: int) -> Panel:
    table = Table(box=None, show_header=False, expand=True, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold cyan", no_wrap=True, width=width)
    table.add_column(ratio=1)
    for name, help_ in rows:
        table.add_row(Text(name), Text(help_))
    return Panel(table, title=title, title_align="left", border_style="dim")
