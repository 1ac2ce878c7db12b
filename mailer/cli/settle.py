"""stop, settle: ending a send that runs, and deciding what it left unknown."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mailer.audience import subscribers as people
from mailer.cli import views
from mailer.cli.app import IssueName, Json, asked, newsroom, out, print_json, say
from mailer.compose.personal import message_id
from mailer.deliver import settle as settling
from mailer.deliver.job import timestamp
from mailer.errors import MailerError
from mailer.models import Delivery
from mailer.newsroom import clock


class Word(StrEnum):
    """What the operator says of an unknown delivery."""

    SENT = "sent"
    UNSENT = "unsent"


def stop(context: typer.Context, issue: IssueName, as_json: Json = False) -> None:
    """Ask a running send to finish what is in flight and stop."""
    holder = newsroom(context).store.sendlog.holder(issue)
    if holder is not None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(holder, signal.SIGTERM)
    if as_json:
        print_json({"issue": issue, "process": holder})
    elif holder is None:
        say(f"Nobody is sending {issue}. See where it stands: mailer status {issue}")
    else:
        out.print(f"Asked process {holder} to stop. It finishes what is in flight; go on with: mailer send {issue}")


def settle(
    context: typer.Context,
    issue: IssueName,
    word: Annotated[Word | None, typer.Option("--as", help="sent: it went out. unsent: send it again.")] = None,
    email: Annotated[str, typer.Option("--email", metavar="EMAIL", help="Only this person's.")] = "",
    from_log: Annotated[
        Path | None, typer.Option("--from-log", metavar="FILE", help="Decide by what a Postfix mail log proves.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before everybody's are sent again.")] = False,
    as_json: Json = False,
) -> None:
    """Decide deliveries whose outcome is unknown."""
    if (word is None) == (from_log is None) or (email and from_log):
        raise typer.BadParameter("give one of them; --email goes with --as", param_hint="--as, --from-log")
    room = newsroom(context)
    log, now = room.store.sendlog, timestamp(clock())
    with log.lock(issue):
        log.recover(issue, now)
        if from_log is not None:
            domain = room.sender_domain(issue)

            def id_of(row: Delivery) -> str:
                return message_id(issue, domain, room.tokens, str(row.subscriber_id))

            try:
                with from_log.open(encoding="utf-8", errors="replace") as lines:
                    settled = settling.by_log(log, issue, lines, id_of, now)
            except OSError as error:
                raise MailerError(f"{from_log} cannot be read: {error.strerror}") from None
        else:
            person = people.find(room.store.audience, email).id if email else None
            if word is Word.UNSENT and person is None and not yes:
                _ask(issue, log.balance(issue).unknown)
            settled = settling.by_word(log, issue, word is Word.SENT, now, person)
        balance = log.balance(issue)
    if as_json:
        print_json(views.balance_data(balance) | {"settled": settled})
    else:
        out.print(views.balance_table(balance))
        out.print(f"{settled} settled, {balance.unknown} unknown left.")


def _ask(issue: str, count: int) -> None:
    """Whether all of them are to be sent again. Exits with 1 on a no, with 2 when there is nobody to ask."""
    if not count:
        return
    what = "1 delivery is unknown: it" if count == 1 else f"{count:,} deliveries are unknown: each"
    say(f"{what} went out whole and may have arrived.\nSent again, it may arrive twice.")
    say(f"What the mail server's log proves is settled by: mailer settle {issue} --from-log FILE")
    answer = asked("Send it again?" if count == 1 else f"Send all {count:,} again?")
    if not answer:
        nobody = ": there is nobody to ask; --yes answers, --email EMAIL settles one" if answer is None else ""
        say(f"Nothing was changed{nobody}.")
        raise typer.Exit(2 if answer is None else 1)
