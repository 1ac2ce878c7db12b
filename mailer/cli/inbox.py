"""inbox: the mails of readers who leave by mail."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailer import config as configuration
from mailer.audience import mailboxes
from mailer.audience.inbox import process
from mailer.audience.mailboxes import Mailbox
from mailer.cli.app import Json, newsroom, out, print_json, say
from mailer.cli.views import count_of
from mailer.newsroom import clock
from mailer.times import timestamp


def inbox(
    context: typer.Context,
    maildir: Annotated[Path | None, typer.Option("--maildir", metavar="DIR", help="A Maildir.")] = None,
    imap: Annotated[
        str | None,
        typer.Option(
            "--imap", metavar="URL", help="A mail server, as imaps://user%40example.org@mail.example.org/INBOX."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take off the list who asked so by mail.

    It reads the mailbox of List-Unsubscribe; run it every few minutes.

    Mails that were acted on go to the folder Unsubscribed. Others stay: automatic answers, returned mail, and mails
    without a genuine link. The password of --imap comes from MAILER_IMAP_PASSWORD, or from the file that
    MAILER_IMAP_PASSWORD_FILE names.
    """
    if (maildir is None) == (imap is None):
        raise typer.BadParameter("name one mailbox, with --maildir or with --imap")
    room = newsroom(context)
    opened: AbstractContextManager[Mailbox]
    if imap is None:
        opened = mailboxes.maildir(maildir or Path())
    else:
        opened = mailboxes.imap(imap, configuration.imap_password(room.env))
    with opened as mailbox:
        tally = process(room.registry, mailbox, timestamp(clock()))
    if as_json:
        print_json(asdict(tally))
        return
    out.print(f"{count_of(tally.unsubscribed, 'reader')} unsubscribed.")
    for count, one, many in (
        (tally.again, "of a reader who had left before", "of readers who had left before"),
        (tally.tests, "with the link of a test mail", "with links of test mails"),
        (
            tally.automatic,
            "left where it is: an automatic answer, or returned",
            "left where they are: automatic answers, or returned",
        ),
        (
            tally.unknown,
            "left where it is, without a genuine link: somebody should read it",
            "left where they are, without a genuine link: somebody should read them",
        ),
    ):
        if count:
            say(f"{count_of(count, 'mail')} {one if count == 1 else many}.")
