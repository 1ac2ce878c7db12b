"""status, log: proving what happened to an issue."""

from __future__ import annotations

import csv
from typing import Annotated

import typer

from mailer.cli import views
from mailer.cli.app import IssueName, Json, data, issue_name, newsroom, out, print_json, print_json_list
from mailer.compose.personal import message_id
from mailer.models import DeliveryState


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
        balance = log_.balance(issue)
        if as_json:
            print_json(views.balance_data(balance))
        else:
            out.print(views.balance_table(balance))
        return
    balances = [log_.balance(planned.issue) for planned in log_.plans()]
    if as_json:
        print_json({"issues": [views.balance_data(balance) for balance in balances]})
        return
    columns = ("audience", "accepted", "refused", "skipped", "unknown", "open")
    made = views.table("issue", *columns, right=columns)
    for one in balances:
        numbers = (one.audience, one.accepted, one.refused, one.skipped, one.unknown, one.open)
        made.add_row(one.issue, *(f"{number:,}" for number in numbers))
    out.print(made if balances else "No issue was sent yet. Begin with: mailer send ISSUE")


def log(
    context: typer.Context,
    issue: IssueName,
    state: Annotated[DeliveryState | None, typer.Option("--state", help="Only these.")] = None,
    format_: Annotated[str, typer.Option("--format", metavar="table|csv|json")] = "table",
    as_json: Json = False,
) -> None:
    """The send log: a row a person."""
    room = newsroom(context)
    format_ = "json" if as_json else format_
    if format_ not in ("table", "csv", "json"):
        raise typer.BadParameter("must be table, csv or json", param_hint="--format")
    rows = room.store.sendlog.deliveries(issue, state)
    if format_ == "table":
        out.print(views.log_table(rows, issue, state))
        return
    # Not from the issue's file: the log is readable when that has changed or is gone.
    domain = room.config.newsletter.sender_domain
    found = (views.delivery_data(row, message_id(issue, domain, room.tokens, str(row.subscriber_id))) for row in rows)
    if format_ == "csv":
        writer = csv.DictWriter(data(), views.LOG_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    else:
        print_json_list(found)
