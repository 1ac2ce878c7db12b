"""Where unsubscribe mails lie: a Maildir, or a folder of an IMAP server (RFC 3501).

Only heads are read, the first 64 KiB of each: what a mail holds besides costs neither time nor memory. What was acted
on goes to the folder `Unsubscribed` beside the others; everything else stays where and as it is.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from mailer.config import Secret
from mailer.errors import MailerError, NotFound

HEAD = 64 * 1024  # octets: more than any mail server writes
DONE = "Unsubscribed"
_BATCH = 100  # heads at a time
_TIMEOUT = 60.0  # seconds
_FIELDS = "SUBJECT AUTO-SUBMITTED RETURN-PATH CONTENT-TYPE"
# User, host, port and folder; a password has no place in it.
_URL = re.compile(
    r"(imaps|imap\+starttls|imap)://([^@/:\s]+)@(\[[\da-fA-F:]+\]|[^/@:\s]+)(?::(\d{1,5}))?(?:/([^/\s]*))?"
)
_HERE = ("localhost", "127.0.0.1", "::1")
_ENDED = re.compile(rb"\r?\n\r?\n")


class Mailbox(Protocol):
    """Mails by name."""

    def heads(self) -> Iterator[tuple[str, bytes]]:
        """Every mail's name and head."""

    def done(self, name: str) -> None:
        """Put a mail away, so that it is not seen again."""


class Maildir:
    """A Maildir (https://cr.yp.to/proto/maildir.html). What is done goes to a folder of it, as Maildir++ has them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def heads(self) -> Iterator[tuple[str, bytes]]:
        """The name is the path within the Maildir. What another program took meanwhile is left out."""
        for part in ("new", "cur"):
            for path in sorted((self._folder / part).iterdir()):
                if not path.name.startswith(".") and path.is_file():
                    with suppress(FileNotFoundError), path.open("rb") as file:
                        yield f"{part}/{path.name}", _ENDED.split(file.read(HEAD), maxsplit=1)[0]

    def done(self, name: str) -> None:
        """Renamed, and marked as seen: at no moment is the mail in no folder, or in two."""
        part, _, own = name.partition("/")
        target = self._folder / f".{DONE}"
        for each in ("new", "tmp", "cur"):
            (target / each).mkdir(parents=True, exist_ok=True, mode=0o700)
        (target / "maildirfolder").touch(mode=0o600)
        with suppress(FileNotFoundError):
            (self._folder / name).rename(target / "cur" / (f"{own}:2,S" if part == "new" else own))


class Imap:
    """A folder of a mail server, selected. Names are its UIDs."""

    def __init__(self, connection: imaplib.IMAP4, folder: str) -> None:
        self._connection = connection
        self._offers = _said(connection.capability())[0].decode("ascii").upper().split()
        _said(connection.select(_quoted(folder)), f"there is no folder “{folder}” that can be written to")
        self._done = _quoted(self._prefix() + DONE)

    def heads(self) -> Iterator[tuple[str, bytes]]:
        """Of all that is not marked as deleted; reading marks nothing as read."""
        uids = _said(self._connection.uid("SEARCH", "UNDELETED"))[0].decode("ascii").split()
        for at in range(0, len(uids), _BATCH):
            asked = f"(UID BODY.PEEK[HEADER.FIELDS ({_FIELDS})]<0.{HEAD}>)"
            for part in _said(self._connection.uid("FETCH", ",".join(uids[at : at + _BATCH]), asked)):
                if isinstance(part, tuple) and (uid := re.search(rb"UID (\d+)", part[0])):
                    yield uid[1].decode("ascii"), part[1]

    def done(self, name: str) -> None:
        """MOVE (RFC 6851); a server without it copies, and the mail is marked as deleted."""
        self._connection.create(self._done)  # which says NO when it is there
        if "MOVE" in self._offers:
            _said(self._connection.uid("MOVE", name, self._done), f"no mail can be moved to {self._done}")
            return
        _said(self._connection.uid("COPY", name, self._done), f"no mail can be copied to {self._done}")
        _said(self._connection.uid("STORE", name, "+FLAGS.SILENT", r"(\Deleted)"))

    def _prefix(self) -> str:
        """What the names of one's own folders begin with, such as `INBOX.` (RFC 2342)."""
        if "NAMESPACE" not in self._offers:
            return ""
        own = re.match(rb'\(\("([^"]*)"', _said(self._connection.namespace())[0])
        return own[1].decode("ascii") if own else ""


@contextmanager
def maildir(folder: Path) -> Generator[Maildir]:
    """The Maildir. Raises NotFound, and MailerError for what goes wrong while it is used."""
    if not all((folder / part).is_dir() for part in ("new", "cur")):
        raise NotFound(f"{folder} is no Maildir: it has no folders new and cur")
    try:
        yield Maildir(folder)
    except OSError as error:
        raise MailerError(f"{error.filename}: {error.strerror}. Look at the rights of its folder") from None


@contextmanager
def imap(url: str, password: Secret) -> Generator[Imap]:
    """The folder of `imaps://user@host/FOLDER`, `imap+starttls://` or, on this machine only, `imap://`.

    A @ within the user is written %40. Raises MailerError, also for what goes wrong while it is used.
    """
    found = _URL.fullmatch(url)
    if not found:
        raise MailerError("--imap must be like imaps://user%40example.org@mail.example.org/INBOX")
    scheme, user, host, port, folder = found.groups()
    host = host.strip("[]")
    if scheme == "imap" and host not in _HERE:
        raise MailerError("a password is not sent unencrypted: use imaps:// or imap+starttls://")
    if not password:
        raise MailerError("there is no password: put it into MAILER_IMAP_PASSWORD, or name its file in ..._FILE")
    try:
        with _connected(scheme, host, int(port or 0)) as connection:
            login = f"\0{unquote(user)}\0{password.reveal()}".encode()  # any letters; LOGIN takes ASCII only
            connection.authenticate("PLAIN", lambda _: login)  # which all servers know (RFC 3501 section 11.1)
            yield Imap(connection, unquote(folder or "INBOX"))
    except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
        raise MailerError(f"{scheme}://{host}: {_told(error)}") from None


def _connected(scheme: str, host: str, port: int) -> imaplib.IMAP4:
    trusted = ssl.create_default_context()
    if scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port or 993, ssl_context=trusted, timeout=_TIMEOUT)
    connection = imaplib.IMAP4(host, port or 143, timeout=_TIMEOUT)
    if scheme == "imap+starttls":
        connection.starttls(trusted)
    return connection


def _said(answer: tuple[str, list[Any]], otherwise: str = "") -> list[Any]:
    """The data of an answer that is OK."""
    status, data = answer
    if status != "OK":
        reason = b" ".join(part for part in data if isinstance(part, bytes)).decode("utf-8", "replace")
        raise imaplib.IMAP4.error(f"{otherwise}: {reason}" if otherwise else reason)
    return data


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _told(error: Exception) -> str:
    return getattr(error, "strerror", None) or " ".join(
        arg.decode("utf-8", "replace") if isinstance(arg, bytes) else str(arg) for arg in error.args
    )
