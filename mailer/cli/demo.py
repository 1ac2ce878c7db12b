"""demo: all of it, on the sample issue, with a mail server of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mailer.audience import segments
from mailer.audience.intake import import_csv
from mailer.cli import gallery, loop, views
from mailer.cli.app import Json as JsonOption
from mailer.cli.app import State, out, print_json
from mailer.cli.explain import explain
from mailer.compose import checks
from mailer.compose.checks.material import Material
from mailer.deliver import plan
from mailer.deliver.mailserver import MailServer
from mailer.deliver.run import Run
from mailer.errors import MailerError
from mailer.models import Balance
from mailer.newsroom import Newsroom, clock, sample_folder
from mailer.times import timestamp

_ISSUE = "2018-12"


def demo(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Default: a new folder in /tmp.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compose the sample issue, send it to 240 invented people over SMTP, show what happened."""
    folder = _empty_folder(to)
    newsroom = folder / "newsroom"
    _copy_sample(newsroom)
    with MailServer(folder / "Maildir") as server:
        env = {"PATH": os.environ.get("PATH", ""), "MAILER_SMTP_URL": server.url}
        room = Newsroom.open(newsroom, env)
        state: State = context.obj
        state.newsroom = room
        composition = room.compose(_ISSUE)
        now = timestamp(clock())
        import_csv(
            newsroom / "subscribers/sample.csv", "sample.csv", room.store.audience, room.config, room.tokens, now
        )
        editions, nothing_left = segments.of(composition.issue, room.store.audience, now[:10])
        findings = checks.run(Material(composition, editions, nothing_left))
        plan.freeze(composition, room.store, now)
        balance = loop.run(Run(room.job(composition), room.store.sendlog, clock).go(wait=False))
        received = server.count
    page = folder / "index.html"
    gallery.write(page, folder / "editions", room, composition, editions)
    if as_json:
        print_json(views.balance_data(balance) | {"received": received, "folder": str(folder), "page": str(page)})
    else:
        sizes = {edition.key: composition.sizes(edition.selection) for edition in editions}
        out.print(views.findings(composition.issue, findings))
        out.print(views.editions_table(composition, editions, nothing_left, sizes))
        out.print(views.balance_table(balance))
        _explain_one(context, room)
        _closing_words(balance, received, folder, page)
    if received != balance.accepted:
        raise MailerError(f"the log says {balance.accepted} were accepted, the mail server has {received}")


def _empty_folder(to: Path | None) -> Path:
    if to is None:
        return Path(tempfile.mkdtemp(prefix="mailer-demo-"))
    if to.exists() and any(to.iterdir()) and not (to / "newsroom" / "pyproject.toml").exists():
        raise MailerError(f"{to} is not empty and not a demo's; name another folder")
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    return to.resolve()


def _copy_sample(newsroom: Path) -> None:
    sample = sample_folder()
    for part in (f"issues/{_ISSUE}", "templates"):
        shutil.copytree(sample / part, newsroom / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("subscribers/sample.csv", "pyproject.toml"):
        (newsroom / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample / file, newsroom / file)


def _explain_one(context: typer.Context, room: Newsroom) -> None:
    """The first person who chose exactly one interest: a short edition with its reasons."""
    person = next(one for one in room.store.audience.all() if len(one.interests) == 1)
    out.print(f"[accent]mailer explain {_ISSUE} {person.email}[/]")
    explain(context, _ISSUE, person.email)


def _closing_words(balance: Balance, received: int, folder: Path, page: Path) -> None:
    rate = f" in {balance.seconds:.1f} seconds" if balance.seconds else ""
    out.print(f"{received} mails were sent over SMTP and received{rate}.")
    out.print(f"The editions side by side:  {page}", soft_wrap=True)
    out.print(f"Every mail as received:     {folder / 'Maildir'}", soft_wrap=True)
    out.print(f"The newsroom it made:       {folder / 'newsroom'}", soft_wrap=True)
