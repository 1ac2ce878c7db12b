"""A real SMTP server on a free port that does what its script says.

    with Relay({"RCPT bob@example.org": ["450 4.2.1 busy", "250 2.1.5 Ok"], "content": gate}) as relay:
        relay.url, relay.mails, relay.connections

A key of the script is a step (greeting EHLO STARTTLS AUTH MAIL RCPT DATA middle content RSET), or a step and the
address it concerns, which wins. A value is a reply, HANG_UP, a Gate, or a list of these, one a time, the last for good.
Replies leave when no command is left unread, so pipelined commands are answered in one packet.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

HANG_UP = ""
PATIENCE = 30  # seconds until a test that waits for something fails
_EXTENSIONS = ("PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
_REPLIES = {
    "greeting": "220 relay.example.org ESMTP",
    "STARTTLS": "220 2.0.0 Ready",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 End with a dot",
    "content": "250 2.0.0 Ok: queued",
    "RSET": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
}


class Gate:
    """A reply that waits: `reached` is set when a conversation has come so far, `open` lets all go on."""

    def __init__(self, reply: str = "") -> None:
        self.reply = reply
        self.reached = threading.Event()
        self._opened = threading.Event()

    def wait(self) -> None:
        """Until some conversation stands at the gate."""
        assert self.reached.wait(PATIENCE), "no conversation came to the gate"

    def open(self) -> None:
        """Let everybody through, now and later."""
        self._opened.set()

    def pass_through(self) -> None:
        """The conversation's side."""
        self.reached.set()
        self._opened.wait(PATIENCE)


Answer = str | Gate | Sequence[str | Gate]


@dataclass(frozen=True, slots=True)
class Mail:
    """A message whose final dot came, and what was replied to it."""

    sender: str
    recipient: str
    content: bytes
    connection: int
    reply: str


@dataclass
class Relay:
    """`with Relay(...) as relay:`. `login` is (user, password); `tls` a server context, for `security` to use."""

    script: Mapping[str, Answer] = field(default_factory=dict)
    extensions: Sequence[str] = _EXTENSIONS
    security: str = "smtp"
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    closes_after: int = 0  # mails on one connection, then it hangs up at the next MAIL; 0 for never
    mails: list[Mail] = field(default_factory=list)
    events: list[tuple[int, str]] = field(default_factory=list)  # (connection, what it said), in order
    connections: int = 0

    def __enter__(self) -> Relay:
        self._changed = threading.Condition(threading.RLock())
        self._asked: dict[str, int] = {}
        self._most = 0
        self.leaving = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        # Connections inherit it: a message of megabytes stays with its sender, so it can be cut in the middle.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen, name="relay")]
        self._threads[0].start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.leaving.set()
        self.hold_at(0)
        self._release()
        with self._changed:
            for one in (self._socket, *self._open):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        """As MAILER_SMTP_URL has it."""
        user = f"{self.login[0]}@" if self.login else ""
        return f"{self.security}://{user}127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def received(self) -> list[str]:
        """Recipients of every message that came whole, sorted; twice when it came twice."""
        return sorted(mail.recipient for mail in self.mails)

    def of(self, recipient: str) -> Mail:
        """The one mail to this recipient."""
        [mail] = [mail for mail in self.mails if mail.recipient == recipient]
        return mail

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Until the condition holds; it is looked at after every event."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), f"it never came; the last were {self.events[-20:]}"

    def hold_at(self, most: int) -> None:
        """Once so many mails have come, every conversation stands still, until it is called again; 0 for never."""
        with self._changed:
            self._most = most
            self._changed.notify_all()

    def follow(self, script: Mapping[str, Answer]) -> None:
        """Another script from here on."""
        self._release()
        with self._changed:
            self.script = script
            self._asked.clear()

    def note(self, connection: int, event: str, mail: Mail | None = None) -> None:
        """A conversation says what happened."""
        with self._changed:
            self.events.append((connection, event))
            if mail:
                self.mails.append(mail)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not 0 < self._most <= len(self.mails), PATIENCE)

    def answer(self, step: str, address: str, default: str) -> str | Gate:
        """What the script says, or the default."""
        key = f"{step} {address}" if f"{step} {address}" in self.script else step
        answer = self.script.get(key, default)
        if isinstance(answer, str | Gate):
            return answer
        with self._changed:
            asked = self._asked.get(key, 0)
            self._asked[key] = asked + 1
        return answer[min(asked, len(answer) - 1)]

    def swap(self, old: socket.socket, new: socket.socket | None) -> None:
        """A connection was wrapped or is over."""
        with self._changed:
            self._open.remove(old)
            self._open += [new] if new else []

    def _release(self) -> None:
        for answer in self.script.values():
            for one in [answer] if isinstance(answer, str | Gate) else answer:
                if isinstance(one, Gate):
                    one.open()

    def _listen(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:  # closed by __exit__
                return
            with self._changed:
                self.connections += 1
                self._open.append(peer)
                thread = threading.Thread(target=_Conversation(self, peer, self.connections).run, name="relay session")
                self._threads.append(thread)
            thread.start()


class _HangUp(Exception):
    """The script says to close."""


class _HangUpInTheMiddle(_HangUp):
    """It says so in the middle of a content."""


class _Conversation:
    def __init__(self, relay: Relay, peer: socket.socket, number: int) -> None:
        self._relay, self._peer, self._number = relay, peer, number
        self._unread = self._unsent = b""
        self._secure = self._logged_in = False
        self._sender = self._recipient = ""
        self._mails = 0

    def run(self) -> None:
        try:
            if self._relay.security == "smtps":
                self._encrypt()
            self._step("greeting")
            while True:
                self._command(self._line())
        except _HangUp as hang_up:
            # Only our half, so that what was sent arrives; then read until the other side has closed too.
            with contextlib.suppress(OSError):
                self._send()
                self._peer.shutdown(socket.SHUT_WR)
                # In the middle nothing is read until the test leaves: the sender can't get rid of the rest meanwhile.
                if isinstance(hang_up, _HangUpInTheMiddle) and not self._relay.leaving.wait(PATIENCE):
                    self._relay.note(self._number, "behind the hang-up: still there")
                rest = self._unread
                while data := self._peer.recv(65536):
                    rest = rest[-5:] + data
                    if b"\r\n.\r\n" in rest:
                        self._relay.note(self._number, "behind the hang-up: a dot")
        except (OSError, EOFError):
            pass
        finally:
            self._relay.swap(self._peer, None)
            self._peer.close()
            self._relay.note(self._number, "closed")

    def _command(self, line: str) -> None:
        self._relay.note(self._number, line)
        verb = line.partition(" ")[0].upper()
        address = found[1] if (found := re.search(r"<([^>]*)>", line)) else ""
        if verb == "EHLO":
            offered = [*self._relay.extensions, *self._security_extensions()]
            lines = ["relay.example.org", *offered]
            greeting = "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines)
            self._step("EHLO", default=greeting)
        elif verb == "STARTTLS":
            if self._step("STARTTLS").startswith("2"):
                self._send()
                self._encrypt()
        elif verb == "AUTH":
            self._step("AUTH", default=self._log_in(line))
        elif verb == "MAIL":
            if self._mails and self._mails == self._relay.closes_after:
                raise _HangUp
            ready = not self._relay.login or self._logged_in
            default = _REPLIES["MAIL"] if ready else "530 5.7.0 Authentication required"
            self._sender = address if self._step("MAIL", address, default).startswith("2") else ""
        elif verb == "RCPT":
            default = _REPLIES["RCPT"] if self._sender else "503 5.5.1 MAIL first"
            self._recipient = address if self._step("RCPT", address, default).startswith("2") else ""
        elif verb == "DATA":
            default = _REPLIES["DATA"] if self._recipient else "554 5.5.1 no valid recipients"
            if self._step("DATA", self._recipient, default).startswith("3"):
                self._content()
            self._sender = self._recipient = ""
        elif verb == "QUIT":
            self._step("QUIT")
            raise _HangUp
        else:
            self._sender = self._recipient = ""
            self._step(verb, default=_REPLIES.get(verb, "502 5.5.2 Command not recognized"))

    def _content(self) -> None:
        self._more()
        if "middle" in self._relay.script:
            try:
                self._step("middle", self._recipient)
            except _HangUp:
                raise _HangUpInTheMiddle from None
        while (end := (b"\r\n" + self._unread).find(b"\r\n.\r\n")) < 0:
            self._more()
        stuffed, self._unread = self._unread[:end], self._unread[end + 3 :]
        content = re.sub(rb"(?m)^\.\.", b".", stuffed)
        self._mails += 1
        answer = self._relay.answer("content", self._recipient, _REPLIES["content"])
        reply = (answer.reply or _REPLIES["content"]) if isinstance(answer, Gate) else answer
        mail = Mail(self._sender, self._recipient, content, self._number, reply)
        self._relay.note(self._number, f"mail to {self._recipient}", mail)
        self._give(answer, _REPLIES["content"])

    def _step(self, step: str, address: str = "", default: str = "") -> str:
        default = default or _REPLIES.get(step, "")
        return self._give(self._relay.answer(step, address, default), default)

    def _give(self, answer: str | Gate, default: str) -> str:
        if isinstance(answer, Gate):
            self._send()
            answer.pass_through()
            answer = answer.reply or default
        if answer == HANG_UP:
            raise _HangUp
        self._unsent += answer.encode() + b"\r\n"
        return answer

    def _line(self) -> str:
        while b"\r\n" not in self._unread:
            self._more()
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line.decode()

    def _more(self) -> None:
        self._send()
        data = self._peer.recv(65536)
        if not data:
            raise EOFError
        self._unread += data

    def _send(self) -> None:
        data, self._unsent = self._unsent, b""
        if data:
            self._peer.sendall(data)

    def _encrypt(self) -> None:
        assert self._relay.tls is not None
        plain, self._peer = (
            self._peer,
            self._relay.tls.wrap_socket(self._peer, server_side=True, do_handshake_on_connect=False),
        )
        self._relay.swap(plain, self._peer)
        self._peer.do_handshake()
        self._secure = True

    def _security_extensions(self) -> list[str]:
        offered = ["STARTTLS"] if self._relay.security == "smtp+starttls" and not self._secure else []
        if self._relay.login and not any(name.startswith("AUTH") for name in self._relay.extensions):
            offered.append("AUTH PLAIN LOGIN")
        return offered

    def _log_in(self, line: str) -> str:
        """AUTH PLAIN (RFC 4616) with its initial response, or AUTH LOGIN asking for what is not there."""
        mechanism, *rest = line.split(" ")[1:]
        if mechanism.upper() == "PLAIN":
            given = tuple(base64.b64decode(rest[0]).decode().split("\0")[1:])
        else:
            given = tuple(self._ask(prompt, rest) for prompt in (b"Username:", b"Password:"))
        self._logged_in = given == self._relay.login
        return "235 2.7.0 Welcome" if self._logged_in else "535 5.7.8 Authentication failed"

    def _ask(self, prompt: bytes, given: list[str]) -> str:
        if not given:
            self._unsent += b"334 " + base64.b64encode(prompt) + b"\r\n"
            given = [self._line()]
        return base64.b64decode(given.pop(0)).decode()
