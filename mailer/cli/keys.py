"""keys rotate, keys dkim: the keys that sign readers' links, and the one that signs mail with its DNS record."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from mailer import config as configuration
from mailer.cli.app import Json, newsroom, out, print_json, say
from mailer.errors import MailerError
from mailer.newsroom import Newsroom, today
from mailer.settings import DkimKey
from mailer.tokens import mark_of
from mailer.values import SELECTOR

app = typer.Typer(no_args_is_help=True, help="The keys that sign readers' links, and mail: rotate, dkim.")


@app.command()
def rotate(context: typer.Context, as_json: Json = False) -> None:
    """Sign with a new key from now on. Links signed with the others go on working."""
    room = newsroom(context)
    ring = configuration.key_ring(room.root, room.env)
    taken = {mark_of(key) for key in ring[1:]}
    new = configuration.new_key()
    while mark_of(new) in taken and len(taken) < 26:
        new = configuration.new_key()
    path = configuration.add_key(room.root, new, room.env)
    count = len(ring) + 1
    if as_json:
        print_json({"file": str(path), "keys": count})
        return
    out.print(f"A new key signs from now on; {count} verify. Keep a copy of {path}.", soft_wrap=True, markup=False)
    say("Restart mailer serve, and send no issue meanwhile: a program that runs keeps the keys it began with.")


@app.command()
def dkim(
    context: typer.Context,
    selector: Annotated[str, typer.Argument(metavar="SELECTOR", show_default=False)] = "",
    ed25519: Annotated[bool, typer.Option("--ed25519", help="A second key, beside the RSA one.")] = False,
    as_json: Json = False,
) -> None:
    """Make a key that signs mail, and show the DNS record to publish. A key that is there is shown, never replaced.

    SELECTOR is its name in the DNS. Default: the one in the configuration, or one of this year, such as n2026.
    """
    from mailer.deliver import signingkeys  # with cryptography, 40 ms
    from mailer.deliver.dkim import domain_of

    if selector and not re.fullmatch(SELECTOR, selector):
        raise typer.BadParameter("write a name such as n2026", param_hint="SELECTOR")
    room = newsroom(context)
    named, configured = _named(room, selector, ed25519)
    given = configuration.dkim_key(room.env) if configured and not ed25519 else configuration.NO_SECRET
    made = False if given else signingkeys.make(room.root / named.file, ed25519)
    record = signingkeys.read(room.root, named, ed25519, given).record
    name = f"{named.selector}._domainkey.{domain_of(room.config)}"
    parts = signingkeys.strings(record)
    settings = _settings(room, named, ed25519)
    if as_json:
        print_json({"file": "" if given else named.file, "made": made, "configured": configured, "name": name,
                    "type": "TXT", "value": record, "strings": parts, "settings": settings})  # fmt: skip
        return
    say(f"Made {named.file}. Keep a copy where nobody else reads it." if made else "This key is there already.")
    say("Publish this record in the DNS; where a form asks for one value, join what stands between the quotes.\n")
    _print(f"{name}. TXT (", *(f'  "{part}"' for part in parts), ")")
    if configured:
        say("\nThe configuration names this key: what is sent is signed with it.")
    else:
        say("\nWhen the record is out, put this into the configuration. From then on what is sent is signed.\n")
        _print(*settings)


def _named(room: Newsroom, selector: str, ed25519: bool) -> tuple[DkimKey, bool]:
    """The selector and the file of the key asked for, and whether the configuration names it."""
    dkim = room.config.dkim
    now = dkim and (dkim.ed25519 if ed25519 else dkim)
    if ed25519 and dkim is None:
        raise MailerError("an Ed25519 key stands beside an RSA key. Make that first, with: mailer keys dkim")
    if now and selector in ("", now.selector):
        return now, True
    selector = selector or f"n{today()[:4]}{'e' if ed25519 else ''}"
    return DkimKey(selector=selector), False


def _settings(room: Newsroom, named: DkimKey, ed25519: bool) -> list[str]:
    """The lines that name the key in the configuration."""
    prefix = "tool.mailer." if configuration.place(room.root, "dkim")[0] == "pyproject.toml" else ""
    table = f"{prefix}dkim.ed25519" if ed25519 else f"{prefix}dkim"
    return [f"[{table}]", f'selector = "{named.selector}"', f'key = "{named.file}"']


def _print(*lines: str) -> None:
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
