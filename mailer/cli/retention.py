"""retention: removing what was kept long enough."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from mailer.audience import retention as keeping
from mailer.cli import views
from mailer.cli.app import Json, confirmed, newsroom, out, print_json, say
from mailer.newsroom import clock
from mailer.times import timestamp


def retention(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what was kept as long as [retention] says; shows first what that is, and asks."""
    registry = newsroom(context).registry
    now = timestamp(clock())
    found = keeping.overdue(registry, now)
    anything = any(each.count for each in found)
    if not as_json:
        table = views.table("kept for", "what is older", "count")
        for each in found:
            table.add_row(_span(each.period), each.what, f"{each.count:,}")
        out.print(table)
        if not anything:
            say("Nothing is older than its period.")
    removed = anything and (yes or (not as_json and confirmed("Remove it? This cannot be undone.")))
    if removed:
        keeping.remove(registry, now)
    if as_json:
        overdue = [asdict(each) | {"period": int(each.period.total_seconds())} for each in found]
        print_json({"removed": removed, "overdue": overdue})
    elif removed:
        out.print("Removed.")
    raise typer.Exit(1 if anything and not removed and not as_json else 0)


def _span(period: timedelta) -> str:
    if period.days and period.days % 365 == 0:
        return views.count_of(period.days // 365, "year")
    if period.days:
        return f"{period.days:,} day{'s' if period.days > 1 else ''}"
    return views.count_of(period.seconds // 60, "minute")
