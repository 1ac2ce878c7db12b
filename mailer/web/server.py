"""The HTTP server around the reader's pages: uvicorn, with patience for slow clients that has an end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mailer.errors import MailerError
from mailer.settings import Web
from mailer.web.security import PATIENCE, WHOLE

HEAD_LIMIT = 32 * 1024  # bytes of a request's head; nginx takes 32 KiB as well
CONNECTIONS = 1000  # beyond these a client is told 503
_GRACE = 10  # seconds for what is in flight when the server is stopped


class _Patient(HttpToolsProtocol):
    """Uvicorn's, which by itself waits for ever for the rest of a head, however long (Slowloris)."""

    patience = PATIENCE
    _deadline: asyncio.TimerHandle | None = None
    _watch: asyncio.TimerHandle | None = None
    _head = 0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.access_log = False  # whatever handlers a program around it has: its lines hold paths, so tokens

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self.cycle is not None and self.cycle.response_complete:
            self._expect_head()  # of the next request on this connection
        self._head += len(data)
        super().data_received(data)
        if self._deadline and self._head > HEAD_LIMIT:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        self._forget_deadline()
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {WHOLE: self._send_whole}  # type: ignore[dict-item]  # uvicorn takes only ASGI's own

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        if self._watch:
            self._watch.cancel()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        if self._watch:
            self._watch.cancel()
        super().connection_lost(exc)

    def _send_whole(self, scope: Scope, head: bytes, body: bytes) -> bool:
        """An answer 200 in one write, its fields not looked at one by one: half of what a page takes by uvicorn's way.

        False when nothing was sent: it is the turn of another request, or the client is slow, or gone.
        """
        cycle = self.cycle
        if cycle.scope is not scope or cycle.disconnected or self.flow.write_paused:
            return False
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        default = [b"%b: %b\r\n" % field for field in cycle.default_headers]
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join([STATUS_LINE[200], *default, head, end, body]))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True

    def _watch_reader(self, waiting: int) -> None:
        """Cut off whoever takes less than 1 KiB a second of an answer."""

        def look() -> None:
            left = self.transport.get_write_buffer_size()
            if waiting - left < 1024 * self.patience:
                self.transport.abort()
            else:
                self._watch_reader(left)

        self._watch = self.loop.call_later(self.patience, look)

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._head = 0
            self._deadline = self.loop.call_later(self.patience, self.transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises MailerError when there is none to be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise MailerError(f"cannot listen on {host}: {error.strerror}. Name an address of this machine") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        advice = "Name another with --port" if port else "Name an address of this machine with --host"
        raise MailerError(f"cannot listen on {host} port {port}: {error.strerror}. {advice}") from None
    return listener


def server(app: ASGIApp, web: Web, patience: float = PATIENCE) -> uvicorn.Server:
    """A server for `await server.serve([socket])`. It logs nothing by itself but to the logger uvicorn.error."""
    protocol = type("Patient", (_Patient,), {"patience": patience})
    settings: dict[str, Any] = {
        "http": protocol,
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "forwarded_allow_ips": list(web.proxies),
        "limit_concurrency": CONNECTIONS,
        "timeout_graceful_shutdown": _GRACE,
    }
    return uvicorn.Server(uvicorn.Config(app, **settings))
