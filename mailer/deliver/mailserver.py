"""The built-in mail server: takes every mail on a free port of this machine and puts it into a Maildir."""

from __future__ import annotations

import asyncio
import mailbox
import socket
import threading
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_LARGEST = 32 * 1024 * 1024  # bytes of one mail


class MailServer:
    """`with MailServer(folder) as server:` then `server.url`. `count` mails have come."""

    def __init__(self, maildir: Path) -> None:
        self.count = 0
        self._box = mailbox.Maildir(maildir, create=True)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = "smtp://{}:{}".format(*self._socket.getsockname())  # as MAILER_SMTP_URL has it
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="mail server", daemon=True)

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # aiosmtpd's
        """aiosmtpd: a mail came."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        trace = f"Return-Path: <{envelope.mail_from}>\r\nDelivered-To: {envelope.rcpt_tos[0]}\r\n"
        self._box.add(trace.encode("utf-8") + content)
        self.count += 1
        return "250 2.0.0 Ok: in the mailbox"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._loop.create_server(self._session, sock=self._socket))
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _session(self) -> SMTP:
        return SMTP(self, data_size_limit=_LARGEST, enable_SMTPUTF8=True, hostname="localhost", loop=self._loop)
