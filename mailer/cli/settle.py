"""stop, settle: ending a send that runs, and deciding what it left unknown or had refused."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from mailer.audience import subscribers as people
from mailer.cli import views
from mailer.cli.app import IssueName, Json, asked, newsroom, out, print_json, say
from mailer.compose.personal import message_id
from mailer.deliver import settle as settling
from mailer.errors import MailerError
from mailer.models import Delivery
from mailer.newsroom import clock
from mailer.store.base import SendLog
from mailer.times import timestamp

_SHOWN_REPLIES = 5


_LONGEST = 10_000  # characters of a line of a log; a file that is none may have no line break


class Word(StrEnum):
    """What the operator says of an unknown delivery."""

    SENT = "sent"
    UNSENT = "unsent"


class Was(StrEnum):
    """What the operator decides."""

    UNKNOWN = "unknown"
    REFUSED = "refused"


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
    state: Annotated[
        Was, typer.Option("--state", help="refused, with --as unsent: queue those again, after mending a setting.")
    ] = Was.UNKNOWN,
    from_log: Annotated[
        Path | None, typer.Option("--from-log", metavar="FILE", help="Decide by what a Postfix mail log proves.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before everybody's are sent again.")] = False,
    as_json: Json = False,
) -> None:
    """Decide deliveries whose outcome is unknown, or queue refused ones again."""
    if (word is None) == (from_log is None) or (email and from_log):
        raise typer.BadParameter("give one of them; --email goes with --as", param_hint="--as, --from-log")
    if state is Was.REFUSED and word is not Word.UNSENT:
        raise typer.BadParameter("refused goes with --as unsent", param_hint="--state")
    room = newsroom(context)
    log, now = room.store.sendlog, timestamp(clock())
    with log.lock(issue):
        log.recover(issue, now)
        if from_log is not None:
            domain = room.sender_domain(issue)

            def id_of(row: Delivery) -> str:
                return message_id(issue, domain, room.tokens, str(row.subscriber_id))

            try:
                with from_log.open(encoding="utf-8", errors="replace") as file:
                    lines = iter(partial(file.readline, _LONGEST), "")
                    settled = settling.by_log(log, issue, lines, id_of, now)
            except OSError as error:
                raise MailerError(f"{from_log} cannot be read: {error.strerror}") from None
        else:
            person = people.find(room.store.audience, email).id if email else None
            if word is Word.UNSENT and person is None and not yes:
                (_ask_refused if state is Was.REFUSED else _ask)(log, issue)
            if state is Was.REFUSED:
                settled = settling.queue_again(log, issue, now, person)
            else:
                settled = settling.by_word(log, issue, word is Word.SENT, now, person)
        balance = log.balance(issue)
    if as_json:
        print_json(views.balance_data(balance) | {"settled": settled})
    else:
        out.print(views.balance_table(balance))
        left = balance.refused if state is Was.REFUSED else balance.unknown
        out.print(f"{settled:,} {'queued again' if state is Was.REFUSED else 'settled'}, {left:,} {state} left.")


def _ask(log: SendLog, issue: str) -> None:
    """Whether all unknown ones are to be sent again."""
    count = log.balance(issue).unknown
    if not count:
        return
    what = "1 delivery is unknown: it" if count == 1 else f"{count:,} deliveries are unknown: each"
    say(f"{what} went out whole and may have arrived.\nSent again, it may arrive twice.")
    say(f"What the mail server's log proves is settled by: mailer settle {issue} --from-log FILE")
    _or_leave("Send it again?" if count == 1 else f"Send all {count:,} again?")


def _ask_refused(log: SendLog, issue: str) -> None:
    """Whether all refused ones are to be queued again; with the replies, most frequent first."""
    said = Counter(f"{row.code or ''} {row.reply}".strip() for row in settling.refused(log, issue))
    count = said.total()
    if not count:
        return
    say(f"{count:,} {'delivery was' if count == 1 else 'deliveries were'} refused:")
    for reply, times in said.most_common(_SHOWN_REPLIES):
        say(escape(f"  {times:,} × {reply}"))
    if len(said) > _SHOWN_REPLIES:
        say(f"  and {views.count_of(len(said) - _SHOWN_REPLIES, 'other reply')}: mailer log {issue} --state refused")
    say("Queue them again only when the cause is mended: providers block who goes on writing to unknown addresses.")
    _or_leave("Queue it again?" if count == 1 else f"Queue all {count:,} again?")


def _or_leave(question: str) -> None:
    """Ask. Exits with 1 on a no, with 2 when there is nobody to ask."""
    answer = asked(question)
    if not answer:
        nobody = ": there is nobody to ask; --yes answers, --email EMAIL settles one" if answer is None else ""
        say(f"Nothing was changed{nobody}.")
        raise typer.Exit(2 if answer is None else 1)
