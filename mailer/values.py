"""What a value of the configuration may be: types for pydantic that say in plain words what is wrong."""

from __future__ import annotations

import re
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator

from mailer.models import Limit

DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
SELECTOR = r"[A-Za-z0-9]+(-+[A-Za-z0-9]+)*(\.[A-Za-z0-9]+(-+[A-Za-z0-9]+)*)*"  # RFC 6376 section 3.1
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}


def _mailbox(value: str) -> str:
    """Accepts `Name <local@domain>` or a bare address; CR and LF never get into a header (standards F9)."""
    address = parseaddr(value)[1]
    if not address or re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must be an address such as Name <office@example.org>")
    try:
        checked = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"holds no valid address: {error}") from None
    if not checked.local_part.isascii():  # it would need SMTPUTF8 at every relay on the way (RFC 6531)
        raise ValueError("must be ASCII before the @")
    return value


def _split(value: str, example: str) -> SplitResult:
    """A URL with a host. The standard library reads much as a URL that is none; what it drops silently is refused."""
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[^\x00-\x20\x7f\"<>\\^`{|}]+", value):
        raise ValueError(f"must be an address such as {example}")
    return parts


def _web_address(value: str) -> str:
    example = "https://newsletter.example.org"
    parts = _split(value, example)
    if parts.scheme not in ("https", "http") or "@" in parts.netloc or "?" in value or "#" in value:
        raise ValueError(f"must be an address such as {example}")
    if not value.isascii():  # it goes into List-Unsubscribe (RFC 2369 takes URIs of RFC 3986)
        raise ValueError("must be in ASCII: a host such as xn--bcher-kva.example.org, %C3%BC for a ü")
    return value.rstrip("/")


def _relay_url(value: str) -> str:
    # The password first: whatever else is wrong with the URL, it must not stay there.
    if re.match(r"[^/]*//[^/@]*:[^/]*@", value):
        raise ValueError("must not hold the password: put it into MAILER_SMTP_PASSWORD or a file it names")
    parts = _split(value, "smtp://mail.example.org:25")
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError("must begin with smtp://, smtp+starttls:// or smtps://")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end after the host and its port")
    return value


def _store_url(value: str) -> str:
    if not re.fullmatch(r"sqlite:\s*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*", value):
        raise ValueError("must be sqlite: and a file, such as sqlite:subscribers/mailer.db")
    return value


def _duration(value: object) -> object:
    """`5m`, `2h` -> a timedelta; numbers are seconds."""
    if isinstance(value, timedelta):
        return value
    try:
        if isinstance(value, str) and (match := re.fullmatch(r"(\d+)\s*([smhdy])", value.strip(), re.ASCII)):
            return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return timedelta(seconds=value)
    except (OverflowError, ValueError):  # more than timedelta or int() takes; nan
        pass
    raise ValueError("must be a time such as 30s, 5m, 2h or 1d")


def _limit(value: object) -> object:
    """`20/s`, `5000/h` -> a Limit."""
    if isinstance(value, Limit):
        return value
    if isinstance(value, str) and (match := re.fullmatch(r"([1-9]\d{0,8})\s*/\s*([smhd])", value.strip(), re.ASCII)):
        return Limit(int(match[1]), _UNITS[match[2]])
    raise ValueError("must be a number and a time, such as 20/s, 600/m, 5000/h or 50000/d")


def _listed(value: object) -> object:
    """One limit may stand without its list."""
    return value if isinstance(value, list | tuple) else (value,)


def _domain(value: str) -> str:
    domain = value.strip().lower()
    if "@" in domain or "." not in domain or " " in domain:
        raise ValueError("must be the part of an address behind the @, such as gmail.com")
    return domain


def _some_time(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("must be longer than nothing")
    return value


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise ValueError("must be a network or an address in it, such as 127.0.0.0/8 or ::1") from None
    return value


def _like(pattern: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {what}")
        return value

    return AfterValidator(check)


Mailbox = Annotated[str, AfterValidator(_mailbox)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
RelayUrl = Annotated[str, AfterValidator(_relay_url)]
StoreUrl = Annotated[str, AfterValidator(_store_url)]
EditorLink = Annotated[
    str,
    # A program's own scheme: what a browser would run or show itself opens no editor.
    _like(
        r"(?!(?i:javascript|data|vbscript|file|blob|https?):)[A-Za-z][A-Za-z0-9+.-]*:[^{}\s]*\{path\}[^{}\s]*(\{line\}[^{}\s]*)?",
        "a link such as vscode://file/{path}:{line}",
    ),
]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
SomeTime = Annotated[Duration, AfterValidator(_some_time)]
Limits = Annotated[tuple[Annotated[Limit, BeforeValidator(_limit)], ...], BeforeValidator(_listed)]
Domain = Annotated[str, AfterValidator(_domain)]
Slug = Annotated[str, _like(r"[a-z0-9]+(-[a-z0-9]+)*", "a word of small letters, digits and single hyphens")]
Language = Annotated[str, _like(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", "a language tag such as en, fr or pt-BR")]
Network = Annotated[str, AfterValidator(_network)]
Selector = Annotated[str, _like(SELECTOR, "a name such as n2026")]
ListId = Annotated[str, _like(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "a name such as news.example.org")]
OneLine = Annotated[str, _like(r"[^\x00-\x1f\x7f]+", "one line of text")]
