"""A mail server that behaves like the world, for rehearsals: slow, full, going down, gone.

It keeps nothing of a message but who got it. What befalls an address follows from the seed and the address alone, and
what befalls a connection from its number, so that the same rehearsal can be held again.
"""

from __future__ import annotations

import asyncio
import socket
from bisect import bisect
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import cast

from mailer.models import Step

_EXTENSIONS = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
_EHLO = "\r\n".join(("250-localhost", *(f"250-{name}" for name in _EXTENSIONS[:-1]), f"250 {_EXTENSIONS[-1]}"))
_END = b"\r\n.\r\n"
_SLOW = 10  # times the usual latency
_FOREVER = 1_000_000  # attempts


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong for an address: where, what is said (nothing when empty), how often before all is well."""

    step: Step  # RCPT, DATA for the middle of the content, CONTENT for behind its final dot
    reply: str = ""
    times: int = 1
    closes: bool = False
    takes: bool = False  # the message reaches its reader all the same


FAULTS: Mapping[str, Fault] = {
    "greylisted": Fault(Step.RCPT, "451 4.7.1 Greylisted, try again in 5 minutes"),
    "busy": Fault(Step.RCPT, "450 4.2.1 The mailbox is busy", times=2),
    "going down": Fault(Step.RCPT, "421 4.3.2 The server is going down", closes=True),
    "put off": Fault(Step.CONTENT, "451 4.3.0 Try again later"),
    "full": Fault(Step.RCPT, "452 4.2.2 The mailbox is full", times=_FOREVER),
    "over quota": Fault(Step.CONTENT, "552 5.2.2 The mailbox is over its quota", times=_FOREVER),
    "no such user": Fault(Step.RCPT, "550 5.1.1 There is no such user", times=_FOREVER),
    "cut": Fault(Step.DATA, closes=True),
    "taken without a word": Fault(Step.CONTENT, closes=True, takes=True),
    "dropped without a word": Fault(Step.CONTENT, closes=True),
}


@dataclass(frozen=True, slots=True)
class Climate:
    """How the world treats a sender."""

    latency: float  # seconds until a reply
    slow: float  # the share of messages whose reply takes ten times that
    refuses_every: int  # this connection is turned away: with 421, without a word, by turns
    closes_after: int  # messages on one connection
    shares: Mapping[str, float]  # of all addresses, by fault


CLEAR = Climate(latency=0.0, slow=0.0, refuses_every=_FOREVER, closes_after=_FOREVER, shares={})
MILD = Climate(
    latency=0.005,
    slow=0.01,
    refuses_every=20,
    closes_after=500,
    shares={"greylisted": 0.03, "busy": 0.005, "going down": 0.002, "put off": 0.005,
            "full": 0.002, "over quota": 0.002, "no such user": 0.01,
            "cut": 0.0005, "taken without a word": 0.0005, "dropped without a word": 0.0005},
)  # fmt: skip
HARSH = Climate(
    latency=0.04,
    slow=0.05,
    refuses_every=5,
    closes_after=50,
    shares={"greylisted": 0.15, "busy": 0.05, "going down": 0.02, "put off": 0.05,
            "full": 0.02, "over quota": 0.01, "no such user": 0.04,
            "cut": 0.005, "taken without a word": 0.005, "dropped without a word": 0.005},
)  # fmt: skip


class World:
    """`async with World(MILD, seed=1) as world:` then `world.url`.

    `taken` counts the messages by recipient; `undecided` are those whose sender got no reply to the content.
    """

    def __init__(self, climate: Climate, seed: int = 1) -> None:
        self.climate = climate
        self.taken: Counter[str] = Counter()
        self.undecided: set[str] = set()
        self.connections = 0
        self._seed = seed
        self._names = list(climate.shares)
        self._bounds = list(accumulate(climate.shares.values()))
        self._met: Counter[str] = Counter()
        self._sessions: set[_Session] = set()
        self._over = asyncio.Event()
        self._over.set()
        self.url = ""  # as MAILER_SMTP_URL has it

    async def __aenter__(self) -> World:
        loop = asyncio.get_running_loop()
        listening = socket.create_server(("127.0.0.1", 0), backlog=1_000)
        self.url = "smtp://{}:{}".format(*listening.getsockname())
        self._server = await loop.create_server(lambda: _Session(self, loop), sock=listening)
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()
        for session in self._sessions:
            session.abort()
        await self._over.wait()

    def fate(self, address: str) -> str:
        """The fault that befalls an address, by its name; empty for most."""
        place = bisect(self._bounds, self._chance(address))
        return self._names[place] if place < len(self._names) else ""

    def fault(self, address: str) -> Fault | None:
        """What still stands between this address and its mail."""
        found = FAULTS.get(self.fate(address))
        return found if found and self._met[address] < found.times else None

    def meet(self, address: str) -> None:
        """The fault of this address has struck."""
        self._met[address] += 1

    def delay(self, address: str) -> float:
        """Seconds until the reply to this person's message."""
        slow = self._chance(f"{address} slow") < self.climate.slow
        return self.climate.latency * (_SLOW if slow else 1)

    def greet(self, session: _Session) -> tuple[str, bool]:
        """Count a connection. Its greeting, and whether it ends with that."""
        self._sessions.add(session)
        self._over.clear()
        self.connections += 1
        if self.connections % self.climate.refuses_every:
            return "220 localhost ESMTP", False
        without_a_word = self.connections // self.climate.refuses_every % 2
        return "" if without_a_word else "421 4.3.2 Too many connections, come back later", True

    def forget(self, session: _Session) -> None:
        """A connection is over."""
        self._sessions.discard(session)
        if not self._sessions:
            self._over.set()

    def _chance(self, text: str) -> float:
        """From 0 to 1, by the seed and the text."""
        digest = blake2b(f"{self._seed} {text}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64


class _Session(asyncio.Protocol):
    """One connection. Replies leave in order, each after its delay."""

    _transport: asyncio.Transport

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop) -> None:
        self._world, self._loop = world, loop
        self._unread = bytearray()
        self._replies: deque[tuple[str, bool]] = deque()
        self._free_at = 0.0  # the loop's time at which the last reply leaves
        self._closing = False
        self._in_content = False
        self._recipient, self._messages = "", 0
        self._fault: Fault | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        # asyncio sets it only where the socket names its protocol, and an accepted one does not: 40 ms a reply.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._say(*self._world.greet(self))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: over."""
        self._closing = True
        self._world.forget(self)

    def abort(self) -> None:
        """End it now."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came. Behind a goodbye they are read and dropped: unread, they would reset the connection."""
        if self._closing:
            return
        self._unread += data
        step: Callable[[], bool] = self._step
        while not self._closing and step():
            pass

    def _step(self) -> bool:
        """One command or the content; False when it has not come whole."""
        if self._in_content:
            return self._content()
        line, end, rest = self._unread.partition(b"\r\n")
        if not end:
            return False
        self._unread = rest
        self._command(line.decode("utf-8", "replace"))
        return True

    def _command(self, line: str) -> None:
        verb = line[:4].upper()
        if verb == "EHLO":
            self._say(_EHLO)
        elif verb == "MAIL":
            if self._messages >= self._world.climate.closes_after:
                self._say("421 4.7.0 Enough for one connection", closes=True)
            else:
                self._recipient = ""
                self._say("250 2.1.0 Ok")
        elif verb == "RCPT":
            self._rcpt(line[line.find("<") + 1 : line.rfind(">")])
        elif verb == "DATA":
            self._in_content = bool(self._recipient)
            self._say("354 End with a dot" if self._in_content else "554 5.5.1 No valid recipients")
        elif verb == "QUIT":
            self._say("221 2.0.0 Bye", closes=True)
        else:
            self._recipient = ""
            self._say("250 2.0.0 Ok" if verb in ("RSET", "NOOP") else "502 5.5.2 Not known here")

    def _rcpt(self, address: str) -> None:
        self._fault = fault = self._world.fault(address)
        if fault and fault.step is Step.RCPT:
            self._world.meet(address)
            self._say(fault.reply, fault.closes)
        else:
            self._recipient = address
            self._say("250 2.1.5 Ok")

    def _content(self) -> bool:
        fault, address = self._fault, self._recipient
        if fault and fault.step is Step.DATA and self._unread:
            self._world.meet(address)
            self._world.undecided.add(address)  # the sender may have written its dot before it sees the end
            self._say("", closes=True)
            return False
        end = self._unread.find(_END)
        if end < 0:
            del self._unread[: 1 - len(_END)]
            return False
        del self._unread[: end + len(_END)]
        self._in_content, self._recipient = False, ""
        self._messages += 1
        if fault is None or fault.takes:
            self._world.taken[address] += 1
        if fault is None:
            self._say("250 2.0.0 Ok: taken", delay=self._world.delay(address))
        else:
            self._world.meet(address)
            if not fault.reply:
                self._world.undecided.add(address)
            self._say(fault.reply, fault.closes)
        return True

    def _say(self, reply: str, closes: bool = False, delay: float | None = None) -> None:
        """Queue a reply; an empty one with `closes` is a hang-up."""
        self._closing = self._closing or closes
        self._replies.append((reply, closes))
        now = self._loop.time()
        self._free_at = max(now + (self._world.climate.latency if delay is None else delay), self._free_at)
        if self._free_at > now:
            self._loop.call_at(self._free_at, self._speak)
        else:
            self._speak()

    def _speak(self) -> None:
        reply, closes = self._replies.popleft()
        if self._transport.is_closing():
            return
        if reply:
            self._transport.write(reply.encode() + b"\r\n")
        if closes:
            self._transport.write_eof()
