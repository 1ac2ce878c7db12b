"""status, log: proving what happened to an issue."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape

from mailer.cli import views
from mailer.cli.app import IssueName, Json, data, issue_name, newsroom, out, print_json, print_json_list, say
from mailer.compose.personal import message_id
from mailer.models import Balance, DeliveryState
from mailer.newsroom import clock
from mailer.store.base import SendLog


class Format(StrEnum):
    """How the log is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def status(
    context: typer.Context,
    issue: Annotated[
        str, typer.Argument(metavar="[ISSUE]", callback=issue_name, help="Default: all planned issues.")
    ] = "",
    as_json: Json = False,
) -> None:
    """The balance of an issue, or of all."""
    room = newsroom(context)
    log_ = room.store.sendlog
    if issue:
        holder, balance, begins = log_.holder(issue), log_.balance(issue), log_.begin_at(issue)
        if as_json:
            print_json(_data(log_, balance))
            return
        sending = f"Process {holder} is sending it now; end that with: mailer stop {issue}" if holder else ""
        out.print(views.balance_table(balance, sending or _cut_short(balance)))
        if begins and balance.open and datetime.fromisoformat(begins) > clock():
            say(f"It begins at {datetime.fromisoformat(begins).astimezone():%Y-%m-%d %H:%M %Z}.")
        elif balance.deferred and (due := datetime.fromisoformat(log_.next_due(issue))) > clock():
            due = due.astimezone() + timedelta(seconds=59)  # rounded up, as send says it
            say(f"The next that was put off is due at {due:%Y-%m-%d %H:%M}.")
        return
    balances = [log_.balance(planned.issue) for planned in log_.plans()]
    if as_json:
        print_json({"issues": [_data(log_, balance) for balance in balances]})
        return
    columns = ("audience", "accepted", "refused", "skipped", "unknown", "open")
    made = views.table("issue", *columns, right=columns)
    rows = [(one.issue, *(f"{getattr(one, column):,}" for column in columns)) for one in balances]
    out.print(views.in_whole_words(made, rows) if rows else "No issue was sent yet. Begin with: mailer send ISSUE")


def log(
    context: typer.Context,
    issue: IssueName,
    state: Annotated[DeliveryState | None, typer.Option("--state", help="Only these.")] = None,
    pace: Annotated[bool, typer.Option("--pace", help="Instead: what slowed the send down, and when.")] = False,
    format_: Annotated[Format, typer.Option("--format")] = Format.TABLE,
    as_json: Json = False,
) -> None:
    """The send log: a row a person."""
    room = newsroom(context)
    format_ = Format.JSON if as_json else format_
    log_ = room.store.sendlog
    rows = log_.deliveries(issue, state)
    if pace:
        _show_pace(log_, issue, format_)
        return
    if format_ is Format.TABLE:
        out.print(views.log_table(rows, issue, state))
        if log_.holder(issue) is None and (told := _cut_short(log_.balance(issue))):
            say(told)
        return
    # Not from the issue's file: the log is readable when that has changed or is gone.
    domain = room.sender_domain(issue)
    found = (views.delivery_data(row, message_id(issue, domain, room.tokens, str(row.subscriber_id))) for row in rows)
    _write(found, views.LOG_COLUMNS, format_)


def _cut_short(balance: Balance) -> str:
    """What a killed run holds until the next command that may write decides it; empty when it holds nothing."""
    if not balance.claimed:
        return ""
    return (
        f"The last run was cut short while it held {balance.claimed:,}: those on their way, at most one a connection,"
        f" will be unknown. Go on with: mailer send {balance.issue}, or first settle those: mailer settle"
        f" {balance.issue} --from-log FILE"
    )


def _data(log: SendLog, balance: Balance) -> dict[str, object]:
    """A balance with what else there is to know of its send."""
    pace = [asdict(change) for change in log.pace.slowdowns(balance.issue)]
    return views.balance_data(balance) | {"begin_at": log.begin_at(balance.issue), "pace": pace}


def _show_pace(log: SendLog, issue: str, format_: Format) -> None:
    """Each change of pace; a rate of 0 is as fast as it goes again."""
    changes = log.pace.slowdowns(issue)
    if format_ is not Format.TABLE:
        _write([asdict(change) for change in changes], ("at", "name", "rate", "reply"), format_)
        return
    made = views.table("at", "what", "a second", "why", right=("a second",))
    rows = [
        (change.at, escape(change.name), f"{change.rate:g}" if change.rate else "free", escape(change.reply))
        for change in changes
    ]
    out.print(views.in_whole_words(made, rows) if rows else "Nothing slowed this send down.")


def _write(rows: Iterable[Mapping[str, object]], columns: Sequence[str], format_: Format) -> None:
    if format_ is Format.CSV:
        writer = csv.DictWriter(data(), columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        print_json_list(rows)
