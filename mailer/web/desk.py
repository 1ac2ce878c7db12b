"""The composer's desk: one local page that shows what every reader will get, and follows every save.

    desk = Desk(room, "2018-12")
    with listen(port=0) as listening:
        await run(desk, server(desk, listening, token), listening)      until Ctrl-C

Pages are made on the server. The page asks for itself again when the server says that something changed, and puts in
what is new; its address holds all that was chosen.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import uvicorn

from mailer.errors import MailerError
from mailer.web import desk_pages
from mailer.web.desk_guard import Guard
from mailer.web.desk_proof import Desk


def listen(port: int) -> socket.socket:
    """A socket on this computer alone; port 0 is any free one. Raises MailerError when it is taken."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        made.close()
        what = getattr(error, "strerror", "") or error
        raise MailerError(f"port {port} cannot be used: {what}. Leave --port out for a free one") from None
    made.listen()  # from now on a browser is kept waiting, not turned away
    return made


def address(listening: socket.socket, token: str) -> str:
    """Where the desk is."""
    return f"http://127.0.0.1:{listening.getsockname()[1]}/{token}/"


def server(desk: Desk, listening: socket.socket, token: str) -> uvicorn.Server:
    """The server, which lets open connections go at once when it ends: the page's events never end by themselves."""
    app = Guard(desk_pages.app(desk, token), token, listening.getsockname()[1])
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", access_log=False, lifespan="off", server_header=False,
        timeout_graceful_shutdown=0,
    )  # fmt: skip
    return uvicorn.Server(config)


async def run(desk: Desk, serving: uvicorn.Server, listening: socket.socket) -> None:
    """Serve, and follow every save, until the server is told to end."""
    following = asyncio.create_task(desk.follow())
    try:
        await serving.serve(sockets=[listening])
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
