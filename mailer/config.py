"""The newsroom's configuration: `mailer.toml`, else `[tool.mailer]` in `pyproject.toml`.

Every mistake is reported at once, with file, line and the nearest known word. The environment overrides the file:
`MAILER_SMTP_URL`, `MAILER_STORE_URL`, `MAILER_PUBLIC_URL`; secrets come only from there (`MAILER_SMTP_PASSWORD` and
`MAILER_SECRET_KEY`, each also as `..._FILE`).
"""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from mailer.errors import ConfigError, nearest
from mailer.models import Problem

SECRET_FILE = Path("subscribers/.secret-key")
_DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Secret(str):
    """A string that never shows itself: print, log and repr give stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'" if self else "''"

    __str__ = __repr__

    def reveal(self) -> str:
        """The secret itself, for the one place that needs it."""
        return str.__str__(self)


NO_SECRET = Secret()


@dataclass(frozen=True, slots=True)
class Relay:
    """One SMTP relay. `security` is what the URL's scheme asks for; certificates are always verified."""

    host: str
    port: int
    security: Literal["smtp", "smtp+starttls", "smtps"]
    user: str = ""
    password: Secret = NO_SECRET

    def __str__(self) -> str:
        return f"{self.security}://{self.user + '@' if self.user else ''}{self.host}:{self.port}"


def _mailbox(value: str) -> str:
    """Accepts `Name <local@domain>` or a bare address; CR and LF never get into a header (standards F9)."""
    address = parseaddr(value)[1]
    if not address or re.search(r"[\x00-\x1f]", value):
        raise ValueError("must be an address such as Name <office@example.org>")
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"holds no valid address: {error}") from None
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://newsletter.example.org")
    return value.rstrip("/")


def _duration(value: object) -> object:
    """`5m`, `2h` -> seconds; numbers stay as they are."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+)\s*([smhd])", value)
        if not match:
            raise ValueError("must be a time such as 30s, 5m, 2h or 1d")
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    return value


def _relay_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.password is not None:
        raise ValueError("must not hold the password: put it into MAILER_SMTP_PASSWORD or a file it names")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("must begin with smtp://, smtp+starttls:// or smtps:// and name a host")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("has no valid port") from None
    return value


def _store_url(value: str) -> str:
    if not value.startswith("sqlite:") or value == "sqlite:":
        raise ValueError("must be sqlite: and a file, such as sqlite:subscribers/mailer.db")
    return value


Mailbox = Annotated[str, AfterValidator(_mailbox)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]
OneLine = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Newsletter(_Table):
    """Who sends, and what every mail says about it."""

    name: OneLine
    sender: Mailbox
    reply_to: Mailbox = ""
    unsubscribe: Mailbox = ""  # where the mailto: way of leaving goes; default unsubscribe@ the sender's domain
    list_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")]
    public_url: WebAddress
    postal_address: OneLine
    language: Language = "en"
    languages: tuple[Language, ...] = ()
    template: Slug = "enterprises"
    images: Literal["link", "embed"] = "link"

    @property
    def sender_domain(self) -> str:
        """The domain after the @ of the sender, as an A-label (RFC 5890)."""
        address = validate_email(parseaddr(self.sender)[1], check_deliverability=False, test_environment=True)
        return address.ascii_domain


class Smtp(_Table):
    """The relay, and how to use it."""

    url: Annotated[str, AfterValidator(_relay_url)] = "smtp://127.0.0.1:1025"
    connections: Annotated[int, Field(ge=1, le=200)] = 4
    retry: tuple[Duration, ...] = (
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=6),
        timedelta(hours=12),
    )
    # RFC 5321 section 4.5.3.2.6: ten minutes for the reply to the final dot; less makes duplicates.
    timeout: Duration = timedelta(minutes=10)


class Store(_Table):
    """Where subscribers and send logs are kept."""

    url: Annotated[str, AfterValidator(_store_url)] = "sqlite:subscribers/mailer.db"


class Config(_Table):
    """All of it. `interests` maps topic ids to their labels, in the order shown."""

    newsletter: Newsletter
    interests: dict[Slug, OneLine] = Field(min_length=1)
    smtp: Smtp = Smtp()
    store: Store = Store()

    def topic_order(self, topics: set[str]) -> tuple[str, ...]:
        """These topics in the configured order."""
        return tuple(topic for topic in self.interests if topic in topics)


def load(root: Path, env: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration of the newsroom at `root`.

    Raises ConfigError with every mistake, each with its line.
    """
    path, prefix = _find(root)
    try:
        text = path.read_bytes().decode("utf-8")
        document: Any = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError([Problem(path.name, line, "is not UTF-8; save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise ConfigError([Problem(path.name, line, f"is not valid TOML: {error}")]) from None
    for key in prefix:
        document = document[key]
    try:
        return Config.model_validate(_overridden(document, env))
    except ValidationError as error:
        raise ConfigError([_problem(path.name, text, prefix, e) for e in error.errors()]) from None


def relay(config: Config, env: Mapping[str, str] = os.environ) -> Relay:
    """The relay to use, with its password from the environment."""
    parts = urlsplit(config.smtp.url)
    return Relay(
        host=parts.hostname or "",
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        security=parts.scheme,  # type: ignore[arg-type]  # _relay_url admits exactly the three
        user=unquote(parts.username or ""),
        password=Secret(_secret(env, "MAILER_SMTP_PASSWORD")),
    )


def secret_key(root: Path, env: Mapping[str, str] = os.environ) -> bytes:
    """The key that signs links: from the environment, else kept in the newsroom, made when absent."""
    if given := _secret(env, "MAILER_SECRET_KEY"):
        return given.encode("utf-8")
    path = root / SECRET_FILE
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was quicker; its key is as good
        return path.read_bytes()
    key = secrets.token_hex(32).encode("ascii")
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key


def _find(root: Path) -> tuple[Path, tuple[str, ...]]:
    own = root / "mailer.toml"
    if own.is_file():
        return own, ()
    project = root / "pyproject.toml"
    if project.is_file() and re.search(rb"(?m)^\[tool\.mailer\b", project.read_bytes()):
        return project, ("tool", "mailer")
    raise ConfigError(
        [
            Problem(
                str(root),
                0,
                "is no newsroom: it has neither a mailer.toml nor a [tool.mailer] in pyproject.toml. "
                "Go into a newsroom, name one with -C, or make one with: mailer init DIR",
            )
        ]
    )


def _overridden(document: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in document.items()}
    for variable, table, key in (
        ("MAILER_SMTP_URL", "smtp", "url"),
        ("MAILER_STORE_URL", "store", "url"),
        ("MAILER_PUBLIC_URL", "newsletter", "public_url"),
    ):
        if env.get(variable):
            merged.setdefault(table, {})[key] = env[variable]
    return merged


def _secret(env: Mapping[str, str], name: str) -> str:
    if value := env.get(name):
        return value
    if path := env.get(f"{name}_FILE"):
        try:
            return Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([Problem(path, 0, f"{name}_FILE names it, but it cannot be read: {error}")]) from None
    return ""


def _problem(name: str, text: str, prefix: tuple[str, ...], error: Any) -> Problem:
    """One pydantic error as a sentence, at the line where its key (or its table) stands."""
    location = [str(part) for part in error["loc"] if part != "[key]"]
    key = ".".join(location)
    if error["type"] == "extra_forbidden":
        table: Any = {"newsletter": Newsletter, "smtp": Smtp, "store": Store}.get(location[0], Config)
        known = list((Config if len(location) == 1 else table).model_fields)
        message = f"unknown key “{key}”. {nearest(location[-1], known)}"
    elif error["type"] == "missing":
        message = f"“{key}” is missing"
    else:
        message = f"“{key}” {error['msg'].removeprefix('Value error, ')}"
    return Problem(name, _line_of(text, [*prefix, *location]), message)


def _line_of(text: str, location: list[str]) -> int:
    """The line of the longest part of `location` that the file spells out; 1 when none is."""
    table: list[str] = []
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([\w.\-]+)\]", line):
            table = header[1].split(".")
            here = table
        elif pair := re.match(r"\s*\"?([\w\-]+)\"?\s*=", line):
            here = [*table, pair[1]]
        else:
            continue
        if len(here) > depth and location[: len(here)] == here:
            best, depth = number, len(here)
    return best
