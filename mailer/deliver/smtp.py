"""One connection to a relay (RFC 5321). aiosmtplib sets the session up, then a protocol of our own takes over.

    S: 220   C: EHLO, STARTTLS, AUTH          Connection.open     any failure: RelayError or Unreachable
    C: MAIL, RCPT, DATA   S: 250 250 354      Connection.send     a reply below 2xx: the outcome
    -- offer(): durable in the send log --
    C: content and final dot                                      broken from here on: unknown (RFC 1047)
    S: 250                                                        accepted

aiosmtplib scans every body for line ends and dots, 0.7 to 2 ms a message; ours are right when they are compiled.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import aiosmtplib

from mailer.config import Relay
from mailer.errors import RelayError
from mailer.models import DeliveryState, Outcome, Reply, Step

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")  # RFC 3463
_LONGEST_REPLY = 64 * 1024
_KEPT_REPLY = 1_000  # characters of a reply that go into the log
_COMMAND_TIMEOUT = 300.0  # RFC 5321 section 4.5.3.2: MAIL and RCPT five minutes, DATA two


class Unreachable(Exception):
    """No session could be set up now; another try may do."""


class _Lost(Exception):
    """The connection broke, or the server fell silent; the message says which."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What MAIL and RCPT name. `utf8` when the recipient's local part needs SMTPUTF8 (RFC 6531)."""

    sender: str
    recipient: str
    utf8: bool = False


class Connection:
    """An open session. After `usable` turns false it is closed; open another."""

    def __init__(self, protocol: _Replies, extensions: dict[str, str], timeout: float) -> None:
        self._protocol = protocol
        self._extensions = extensions
        self._timeout = timeout
        self.usable = True
        self.sent = 0

    @classmethod
    async def open(cls, relay: Relay, timeout: float) -> Connection:
        """Connect, secure and log in. Raises RelayError when it can never work, Unreachable when it may later."""
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.security == "smtps",
            start_tls=relay.security == "smtp+starttls",
            username=relay.user or None,
            password=relay.password.reveal() if relay.user else None,
            timeout=min(timeout, 60),
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:  # it was said already where TLS or a login asked for it
                await _greet(client)
        except aiosmtplib.SMTPAuthenticationError as error:
            raise RelayError(f"{relay} refused the login: {error.code} {error.message}") from None
        except aiosmtplib.SMTPResponseException as error:
            if 400 <= error.code < 500:
                raise Unreachable(f"{relay} said {error.code} {error.message}") from None
            raise RelayError(f"{relay} said {error.code} {error.message}") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            cause = error.__cause__ or error.__context__
            if isinstance(error, ssl.SSLError) or isinstance(cause, ssl.SSLError):
                raise RelayError(f"{relay} has no certificate that can be trusted: {cause or error}") from None
            if isinstance(error, aiosmtplib.SMTPNotSupported | ValueError):
                raise RelayError(f"{relay}: {error}") from None
            raise Unreachable(f"{relay} cannot be reached: {error}") from None
        transport = client.transport
        if transport is None:
            raise Unreachable(f"{relay} closed the connection")
        extensions = {name.upper(): value for name, value in client.esmtp_extensions.items()}
        protocol = _Replies(cast("asyncio.Transport", transport))  # uvloop's are no subclass
        transport.set_protocol(protocol)
        return cls(protocol, extensions, timeout)

    async def send(self, envelope: Envelope, content: bytes, offer: Callable[[], bool]) -> Outcome | None:
        """One transaction. `offer` is called just before the content goes out; None when it said no."""
        if refusal := self._refusal(envelope, len(content)):
            return Outcome(DeliveryState.REFUSED, refusal)
        step = Step.MAIL
        offered = False
        try:
            for step, command in self._commands(envelope, len(content)):
                reply = await self._ask(step, command)
                if reply.code // 100 != (3 if step is Step.DATA else 2):
                    return await self._declined(reply)
            step = Step.CONTENT
            offered = offer()
            if not offered:
                self.abort()  # the transaction is open and must not be finished
                return None
            reply = await self._ask(step, content + b".\r\n", self._timeout)
        except _Lost as lost:
            self.abort()
            state = DeliveryState.UNKNOWN if offered else DeliveryState.DEFERRED
            return Outcome(state, Reply(0, str(lost), step))
        self.sent += 1
        return self._after_content(reply)

    async def close(self) -> None:
        """QUIT, and wait a little for the goodbye."""
        if self.usable:
            with suppress(_Lost):
                await self._ask(Step.RSET, b"QUIT\r\n", 5)
        self.abort()

    def abort(self) -> None:
        """Hang up at once."""
        self.usable = False
        self._protocol.abort()

    def _refusal(self, envelope: Envelope, size: int) -> Reply | None:
        """What the relay could never take, found before it is asked (RFC 1870, RFC 6531)."""
        if envelope.utf8 and "SMTPUTF8" not in self._extensions:
            return Reply(0, "the address needs SMTPUTF8, which the relay does not offer", Step.MAIL, "5.6.7")
        limit = self._extensions.get("SIZE", "").strip()
        if limit.isdigit() and 0 < int(limit) < size:
            return Reply(0, f"the message has {size} bytes, the relay takes {limit}", Step.MAIL, "5.3.4")
        return None

    def _commands(self, envelope: Envelope, size: int) -> list[tuple[Step, bytes]]:
        parameters = f" SIZE={size}" if "SIZE" in self._extensions else ""
        if envelope.utf8:
            parameters += " SMTPUTF8" + (" BODY=8BITMIME" if "8BITMIME" in self._extensions else "")
        return [
            (Step.MAIL, f"MAIL FROM:<{envelope.sender}>{parameters}\r\n".encode()),
            (Step.RCPT, f"RCPT TO:<{envelope.recipient}>\r\n".encode()),
            (Step.DATA, b"DATA\r\n"),
        ]

    async def _ask(self, step: Step, command: bytes, timeout: float = _COMMAND_TIMEOUT) -> Reply:
        await self._protocol.write(command)
        code, text = await self._protocol.reply(min(timeout, self._timeout))
        enhanced = _ENHANCED.match(text)
        return Reply(code, text[:_KEPT_REPLY], step, enhanced[1] if enhanced else "")

    async def _declined(self, reply: Reply) -> Outcome:
        """A reply below success before the content. The session is reset for the next message, or given up."""
        if reply.code // 100 not in (4, 5) or reply.code == 421:
            self.abort()
            return Outcome(DeliveryState.DEFERRED, reply)
        try:
            reset = await self._ask(Step.RSET, b"RSET\r\n")
            if reset.code // 100 != 2:
                self.abort()
        except _Lost:
            self.abort()
        return Outcome(DeliveryState.DEFERRED if reply.code // 100 == 4 else DeliveryState.REFUSED, reply)

    def _after_content(self, reply: Reply) -> Outcome:
        states = {2: DeliveryState.ACCEPTED, 4: DeliveryState.DEFERRED, 5: DeliveryState.REFUSED}
        state = states.get(reply.code // 100, DeliveryState.UNKNOWN)
        if state is DeliveryState.UNKNOWN or reply.code == 421:
            self.abort()
        return Outcome(state, reply)


async def _greet(client: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO where the server does not know it (RFC 5321 section 3.2)."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        if error.code not in (500, 502, 504):
            raise
        await client.helo()


class _Replies(asyncio.Protocol):
    """Reads replies, however they are split over packets or arrive together; writes with back-pressure."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._buffer = b""
        self._lines: list[str] = []
        self._replies: deque[tuple[int, str]] = deque()
        self._lost = ""
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    async def write(self, data: bytes) -> None:
        """Hand data to the socket; waits while its buffer is full."""
        if self._lost:
            raise _Lost(self._lost)
        self._transport.write(data)
        await self._writable.wait()

    async def reply(self, timeout: float) -> tuple[int, str]:
        """The next reply: its code and its text, lines joined by a blank."""
        while not self._replies:
            if self._lost:
                raise _Lost(self._lost)
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), timeout)
            except TimeoutError:
                raise _Lost(f"no reply within {timeout:.0f} seconds") from None
        return self._replies.popleft()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r").decode("utf-8", "replace"))
        if len(self._buffer) + sum(map(len, self._lines)) > _LONGEST_REPLY:
            self._fail(f"the reply is longer than {_LONGEST_REPLY} bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._fail(f"the connection broke: {exc}" if exc else "the server closed the connection")

    def pause_writing(self) -> None:
        """asyncio: the socket's buffer is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """asyncio: there is room again."""
        self._writable.set()

    def _take(self, line: str) -> None:
        if not re.match(r"[0-9]{3}(?:[ -]|$)", line):
            self._fail(f"the server said something that is no SMTP reply: {line[:80]!r}")
            return
        self._lines.append(line[4:])
        if line[3:4] != "-":
            self._replies.append((int(line[:3]), " ".join(self._lines)))
            self._lines.clear()
            self._arrived.set()

    def _fail(self, why: str) -> None:
        self._lost = self._lost or why
        self._arrived.set()
        self._writable.set()
        self._transport.abort()
