"""One connection to a relay (RFC 5321). The session is set up (session.py), then this takes over.

    C: MAIL 1, RCPT 1, DATA 1                S: 250 250 354
    -- offer 1: durable in the send log --
    C: content 1 and its final dot, MAIL 2, RCPT 2, DATA 2
                                             S: 250                 -- settle 1: durable --
                                             S: 250 250 354         -- offer 2 --
    C: content 2 and its final dot, MAIL 3 ...

The envelope of the next message leaves behind the content of the one before, where the relay offers PIPELINING
(RFC 2920); step by step where it does not. What breaks before the final dot has left is deferred; what breaks behind
it, before a reply, is unknown (RFC 1047).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from mailer.config import Relay
from mailer.deliver import session
from mailer.deliver.replies import Lost, Replies
from mailer.models import Claim, DeliveryState, Outcome, Reply, Step

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")  # RFC 3463
_IDLE = 1.0  # seconds without a command after which a server that hangs up has grown tired, not angry
_ENVELOPE = (Step.MAIL, Step.RCPT, Step.DATA)
_KEPT_REPLY = 1_000  # characters of a reply that go into the log
_SETUP_TIMEOUT = 60.0  # nobody waits five minutes for a greeting (RFC 5321) and goes on all the same
_COMMAND_TIMEOUT = 300.0  # RFC 5321 section 4.5.3.2: MAIL and RCPT five minutes, DATA two


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message on its way: what MAIL and RCPT name, the content, and whose it is."""

    sender: str
    recipient: str
    content: bytes
    claim: Claim
    utf8: bool = False  # the recipient's local part needs SMTPUTF8 (RFC 6531)


class Dispatcher(Protocol):
    """Where a connection gets its parcels and leaves what became of them."""

    async def take(self, wait: bool) -> Parcel | None:
        """The next parcel; None when there is none, or none yet and `wait` is off."""

    def give_back(self, parcel: Parcel) -> None:
        """A parcel that was never offered."""

    def offer(self, parcel: Parcel) -> bool:
        """Called just before the content goes out, durable when it returns. False: it must not go out any more."""

    def settle(self, parcel: Parcel, outcome: Outcome) -> None:
        """Called before the next content goes out, durable when it returns."""


class Connection:
    """An open session. After `usable` turns false it is closed; open another."""

    def __init__(self, protocol: Replies, extensions: dict[str, str], timeout: float) -> None:
        self._protocol = protocol
        self._extensions = extensions
        self._pipelining = "PIPELINING" in extensions
        self._timeout = timeout
        self.usable = True
        self.sent = 0

    @classmethod
    async def open(cls, relay: Relay, timeout: float) -> Connection:
        """Connect, secure and log in. Raises RelayError when it can never work, Unreachable when it may later."""
        transport, extensions = await session.open_session(relay, min(timeout, _SETUP_TIMEOUT))
        protocol = Replies(transport)
        transport.set_protocol(protocol)
        return cls(protocol, extensions, timeout)

    async def pump(self, dispatcher: Dispatcher) -> None:
        """Send parcels until there are none, or the connection is used up."""
        parcel, begun = None, False  # begun: its envelope has left already
        rested = True  # whether the connection was idle, so that the server may have hung up for that
        while self.usable:
            if parcel is None:
                asked = self._protocol.now()
                parcel = await dispatcher.take(wait=True)
                rested = self.sent > 0 or self._protocol.now() - asked > _IDLE
            if parcel is None:
                return
            if not begun and (refusal := self._refusal(parcel)):
                dispatcher.settle(parcel, Outcome(DeliveryState.REFUSED, refusal))
                parcel = None
                continue
            declined = await self._envelope(parcel, begun)
            if declined is not None:
                if rested and _hung_up(declined):
                    dispatcher.give_back(parcel)
                else:
                    dispatcher.settle(parcel, declined)
                parcel, begun = None, False
                continue
            if not dispatcher.offer(parcel):
                self.abort()  # the transaction is open and must not be finished
                return
            parcel = await self._content(parcel, dispatcher)
            begun, rested = parcel is not None, True

    async def _envelope(self, parcel: Parcel, begun: bool) -> Outcome | None:
        """MAIL, RCPT, DATA. None when the relay waits for the content, else what became of the message."""
        declined: Reply | None = None
        step = Step.MAIL
        try:
            if self._pipelining and not begun:
                await self._protocol.write(self._envelope_of(parcel))
            for step in _ENVELOPE:
                if not self._pipelining:
                    await self._protocol.write(self._command(step, parcel))
                code, text = await self._protocol.reply(min(_COMMAND_TIMEOUT, self._timeout))
                if code // 100 != (3 if step is Step.DATA else 2):
                    declined = declined or _reply(step, code, text)
                    if not self._pipelining or code == 421:
                        break
            if declined is None:
                return None
            await self._reset(declined, asks_for_content=code // 100 == 3)
        except Lost as lost:
            self.abort()
            declined = declined or Reply(0, str(lost), step)
        return _declined(declined)

    async def _content(self, parcel: Parcel, dispatcher: Dispatcher) -> Parcel | None:
        """The content and its reply. Returns the next parcel when its envelope has left behind this content."""
        following: Parcel | None = None
        dotted = False
        try:
            await self._protocol.write(parcel.content)
            if self._pipelining:
                following = await dispatcher.take(wait=False)
            if following is not None and self._refusal(following) is not None:
                dispatcher.give_back(following)
                following = None
            if self._protocol.lost:  # it hung up before the dot; what it said last is why
                self.abort()
                outcome = _declined(await self._reply(Step.CONTENT))
            else:
                dotted = True
                # One write: a server that hangs up behind the dot resets the connection when more arrives, and a
                # write that fails for it would take the reply, come but not yet seen, with it.
                await self._protocol.write(b".\r\n" + (self._envelope_of(following) if following else b""))
                outcome = self._after_content(await self._reply(Step.CONTENT, self._timeout))
            self.sent += 1
        except Lost as lost:
            self.abort()
            state = DeliveryState.UNKNOWN if dotted else DeliveryState.DEFERRED
            outcome = Outcome(state, Reply(0, str(lost), Step.CONTENT))
        dispatcher.settle(parcel, outcome)
        if not self.usable and following is not None:
            dispatcher.give_back(following)
            following = None
        return following

    async def close(self) -> None:
        """QUIT, and wait a little for the goodbye."""
        if self.usable:
            with suppress(Lost):
                await self._protocol.write(b"QUIT\r\n")
                await self._protocol.reply(5)
        self.abort()

    def abort(self) -> None:
        """Hang up at once."""
        self.usable = False
        self._protocol.abort()

    def _refusal(self, parcel: Parcel) -> Reply | None:
        """What the relay could never take, found before it is asked (RFC 1870, RFC 6531)."""
        if parcel.utf8 and "SMTPUTF8" not in self._extensions:
            return Reply(0, "the address needs SMTPUTF8, which the relay does not offer", Step.MAIL, "5.6.7")
        limit = self._extensions.get("SIZE", "").strip()
        size = len(parcel.content)
        if limit.isdigit() and 0 < int(limit) < size:
            return Reply(0, f"the message has {size} bytes, the relay takes {limit}", Step.MAIL, "5.3.4")
        return None

    def _command(self, step: Step, parcel: Parcel) -> bytes:
        if step is Step.DATA:
            return b"DATA\r\n"
        if step is Step.RCPT:
            return f"RCPT TO:<{parcel.recipient}>\r\n".encode()
        parameters = f" SIZE={len(parcel.content)}" if "SIZE" in self._extensions else ""
        if parcel.utf8:
            parameters += " SMTPUTF8" + (" BODY=8BITMIME" if "8BITMIME" in self._extensions else "")
        return f"MAIL FROM:<{parcel.sender}>{parameters}\r\n".encode()

    def _envelope_of(self, parcel: Parcel) -> bytes:
        return b"".join(self._command(step, parcel) for step in _ENVELOPE)

    async def _reply(self, step: Step, timeout: float = _COMMAND_TIMEOUT) -> Reply:
        return _reply(step, *await self._protocol.reply(min(timeout, self._timeout)))

    async def _reset(self, declined: Reply, asks_for_content: bool) -> None:
        """Make the session ready for the next message, or give it up. Raises Lost."""
        if asks_for_content:  # DATA was accepted without a recipient: a lone dot ends it (RFC 2920 section 3.1)
            await self._protocol.write(b".\r\n")
            await self._reply(Step.CONTENT)
        if declined.code // 100 not in (4, 5) or declined.code == 421:
            self.abort()
            return
        await self._protocol.write(b"RSET\r\n")
        if (await self._reply(Step.RSET)).code // 100 != 2:
            self.abort()

    def _after_content(self, reply: Reply) -> Outcome:
        states = {2: DeliveryState.ACCEPTED, 4: DeliveryState.DEFERRED, 5: DeliveryState.REFUSED}
        state = states.get(reply.code // 100, DeliveryState.UNKNOWN)
        if state is DeliveryState.UNKNOWN or reply.code == 421:
            self.abort()
        return Outcome(state, reply)


def _reply(step: Step, code: int, text: str) -> Reply:
    enhanced = _ENHANCED.match(text)
    return Reply(code, text[:_KEPT_REPLY], step, enhanced[1] if enhanced else "")


def _declined(reply: Reply) -> Outcome:
    """What a reply before the content comes to: 5xx is final; 4xx, silence and nonsense are tried again."""
    return Outcome(DeliveryState.REFUSED if reply.code // 100 == 5 else DeliveryState.DEFERRED, reply)


def _hung_up(outcome: Outcome) -> bool:
    """The server ended a connection that had served its number of messages: no one's fault (standards G3)."""
    reply = outcome.reply
    return outcome.state is DeliveryState.DEFERRED and reply.step is Step.MAIL and reply.code in (0, 421)
