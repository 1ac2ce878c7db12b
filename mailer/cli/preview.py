"""preview: the composer's desk in the browser, live."""

from __future__ import annotations

import secrets
import threading
import webbrowser
from typing import Annotated

import typer
from rich.text import Text

from mailer.cli.app import IssueName, newsroom, out


def preview(
    context: typer.Context,
    issue: IssueName,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Default: any that is free.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
) -> None:
    """Show what every reader will get, and what to mend, in the browser. It follows every save."""
    from mailer.cli import loop
    from mailer.web import desk
    from mailer.web.desk_proof import Desk

    room = newsroom(context)
    with desk.listen(port) as listening:
        token = secrets.token_urlsafe(24)
        laid = Desk(room, issue)
        where = desk.address(listening, token)
        out.print(Text(f"The desk: {where}\nCtrl-C closes it."), soft_wrap=True)
        if not no_open:
            # In a thread: a browser that runs in the terminal returns when it ends.
            threading.Thread(target=webbrowser.open, args=(where,), daemon=True).start()
        try:
            loop.run(desk.run(laid, desk.server(laid, listening, token), listening))
        except KeyboardInterrupt:  # it is how a desk is closed
            pass
        finally:
            laid.close()
