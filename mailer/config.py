"""The newsroom's configuration: `mailer.toml`, else `[tool.mailer]` in `pyproject.toml`.

Every mistake is reported at once, with file, line and the nearest known word. The environment overrides the file:
`MAILER_SMTP_URL`, `MAILER_STORE_URL`, `MAILER_PUBLIC_URL`; secrets come only from there (`MAILER_SMTP_PASSWORD`,
`MAILER_IMAP_PASSWORD`, `MAILER_SECRET_KEY` and, where no file holds it, `MAILER_DKIM_KEY`, each also as `..._FILE`).
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ValidationError

from mailer.errors import ConfigError, nearest
from mailer.models import Limit, Problem
from mailer.settings import Checks, Config, Desk, Dkim, DkimKey, Newsletter, OneOfSeveral, Retention, Smtp, Store, Web
from mailer.values import DEFAULT_PORTS

SECRET_FILE = Path("subscribers/.secret-key")
_OVERRIDES = {
    "MAILER_SMTP_URL": ("smtp", "url"),
    "MAILER_STORE_URL": ("store", "url"),
    "MAILER_PUBLIC_URL": ("newsletter", "public_url"),
}
_MESSAGES = {  # where pydantic's own words speak of Python
    "missing": "is missing",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "string_type": "must be text between quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "too_short": "must name at least one",
}
_PART = r"""(?:"[^"]*"|'[^']*'|[\w\-]+)"""
_HEADER = re.compile(rf"\s*\[\[?\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
_PAIR = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_TOOL_TABLE = re.compile(r"^\s*\[\s*tool\s*\.\s*mailer\s*[.\]]", re.MULTILINE)


class Secret:
    """Text that never shows itself. Not a str, or joining, formatting and json would."""

    __slots__ = ("_reveal",)
    _reveal: Callable[[], str]

    def __init__(self, text: str = "") -> None:
        self._reveal = lambda: text  # a closure: nothing that lists, copies or pickles attributes finds it

    def __repr__(self) -> str:
        return "'********'" if self else "''"

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def reveal(self) -> str:
        """The secret itself, for the one place that needs it."""
        return self._reveal()


NO_SECRET = Secret()


@dataclass(frozen=True, slots=True)
class Relay:
    """One SMTP relay. `security` is what the URL's scheme asks for; certificates are always verified."""

    host: str
    port: int
    security: Literal["smtp", "smtp+starttls", "smtps"]
    user: str = ""
    password: Secret = NO_SECRET
    connections: int = 1
    limits: tuple[Limit, ...] = ()  # for all connections together
    messages: int = 0  # at most so many a connection; 0 for any number
    weight: int = 1  # its share of the mail, beside other relays
    variable: str = "MAILER_SMTP_PASSWORD"  # of the environment, in which its password is looked for

    def __str__(self) -> str:
        return f"{self.security}://{self.user + '@' if self.user else ''}{self.host}:{self.port}"


def load(root: Path, env: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration of the newsroom at `root`.

    Raises ConfigError with every mistake, each with its line.
    """
    path, prefix, text = _find(root)
    try:
        document: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        what = str(error)[: found.start()] if found else str(error)
        raise ConfigError([Problem(path.name, line, f"is not valid TOML: {what}")]) from None
    except (ValueError, RecursionError) as error:
        number = re.search(r"[\d_]{4300}", text)  # Python reads no longer ones
        line = text.count("\n", 0, number.start()) + 1 if number else 0
        what = "is nested too deep" if isinstance(error, RecursionError) else "holds a number of too many digits"
        raise ConfigError([Problem(path.name, line, what)]) from None
    for key in prefix:
        document = document.get(key) if isinstance(document, dict) else None
    if not isinstance(document, dict):
        raise ConfigError([Problem(path.name, _line_of(text, [*prefix]), f"{'.'.join(prefix)} must be a table")])
    try:
        return Config.model_validate(_overridden(document, env))
    except ValidationError as error:
        problems = [_problem(path.name, text, prefix, env, e) for e in error.errors()]
        raise ConfigError(sorted(problems, key=lambda problem: (problem.path != path.name, problem.line))) from None


def place(root: Path, key: str) -> tuple[str, int]:
    """The file of the configuration, and the line of a key such as `newsletter.template`, or of its table."""
    path, prefix, text = _find(root)
    return path.name, _line_of(text, [*prefix, *key.split(".")])


def relay(config: Config, env: Mapping[str, str] = os.environ) -> Relay:
    """The first of the relays: the one for a single mail."""
    return relays(config, env)[0]


def relays(config: Config, env: Mapping[str, str] = os.environ) -> tuple[Relay, ...]:
    """The relays to use, with their passwords from the environment. MAILER_SMTP_URL stands for all of them."""
    smtp = config.smtp
    if not smtp.relays or env.get("MAILER_SMTP_URL"):
        return (_relay(smtp, 1, env, "MAILER_SMTP_PASSWORD"),)
    return tuple(_relay(one, one.weight, env, _password_of(one)) for one in smtp.relays)


def imap_password(env: Mapping[str, str]) -> Secret:
    """The password of the mailbox that readers' mails go to. Raises ConfigError."""
    return Secret(_secret(env, "MAILER_IMAP_PASSWORD"))


def dkim_key(env: Mapping[str, str]) -> Secret:
    """The key that signs mail, in PEM, where the environment holds it. Raises ConfigError."""
    return Secret(_secret(env, "MAILER_DKIM_KEY"))


def _password_of(table: OneOfSeveral) -> str:
    return "_".join(["MAILER_SMTP_PASSWORD", *table.name.upper().split("-")]).rstrip("_")


def _relay(table: Smtp | OneOfSeveral, weight: int, env: Mapping[str, str], variable: str) -> Relay:
    parts = urlsplit(table.url)
    return Relay(
        host=parts.hostname or "",
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        security=parts.scheme,  # type: ignore[arg-type]  # _relay_url admits exactly the three
        user=unquote(parts.username or ""),
        password=Secret(_secret(env, variable)),
        connections=table.connections,
        limits=table.limits,
        messages=table.messages_per_connection,
        weight=weight,
        variable=variable,
    )


def key_ring(root: Path, env: Mapping[str, str] = os.environ) -> tuple[bytes, ...]:
    """The keys that sign links, one a line, the oldest first and the newest last.

    From the environment, else kept in the newsroom, made when absent. Raises ConfigError.
    """
    if given := _secret(env, "MAILER_SECRET_KEY"):
        if keys := _keys(given.encode("utf-8")):
            return keys
        raise ConfigError([Problem("MAILER_SECRET_KEY", 0, "holds no key, only blanks")])
    path = root / SECRET_FILE
    try:
        if not path.exists():
            _write_keys(path, [new_key()], replace=False)
        keys = _keys(path.read_bytes())
    except OSError as error:
        message = f"cannot be read or made: {error.strerror}. MAILER_SECRET_KEY may hold the key instead"
        raise ConfigError([Problem(str(path), 0, message)]) from None
    if not keys:
        message = "is empty. Put the key back, or delete the file: links in mails that went out then stop working"
        raise ConfigError([Problem(str(path), 0, message)])
    return keys


def add_key(root: Path, key: bytes, env: Mapping[str, str] = os.environ) -> Path:
    """Put a new key behind those of the newsroom's file, which it returns. Raises ConfigError."""
    for name in ("MAILER_SECRET_KEY", "MAILER_SECRET_KEY_FILE"):
        if env.get(name):
            raise ConfigError([Problem(name, 0, "holds the keys: add a line with a new one there, behind the others")])
    path = root / SECRET_FILE
    keys = key_ring(root, env)
    try:
        _write_keys(path, [*keys, key], replace=True)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, f"cannot be written: {error.strerror}")]) from None
    return path


def new_key() -> bytes:
    """256 random bits in hexadecimal."""
    return secrets.token_hex(32).encode("ascii")


def _keys(text: bytes) -> tuple[bytes, ...]:
    return tuple(key for line in text.splitlines() if (key := line.strip()))


def _write_keys(path: Path, keys: Sequence[bytes], replace: bool) -> None:
    """Written whole before it gets its name, so that nobody ever reads half of it; of two makers, the first wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # mode 600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"\n".join(keys))
        if replace:
            temporary.replace(path)
        else:
            with suppress(FileExistsError):
                path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)


def home(start: Path) -> Path:
    """The newsroom around a folder: itself or the nearest above with a configuration; the folder when there is none."""
    for folder in (start, *start.parents):
        try:
            _find(folder)
        except _NoNewsroom:
            continue
        except ConfigError:  # what is wrong with it is told when it is read; another newsroom is not meant
            pass
        return folder
    return start


class _NoNewsroom(ConfigError):
    """There is no configuration in this folder."""


def _find(root: Path) -> tuple[Path, tuple[str, ...], str]:
    """The file, the tables its keys stand under, and its text."""
    own = root / "mailer.toml"
    if own.is_file():
        return own, (), _read(own)
    project = root / "pyproject.toml"
    if project.is_file() and re.search(_TOOL_TABLE, text := _read(project)):
        return project, ("tool", "mailer"), text
    raise _NoNewsroom(
        [
            Problem(
                str(root),
                0,
                "is no newsroom: it has neither a mailer.toml nor a [tool.mailer] in pyproject.toml. "
                "Go into a newsroom, name one with -C, or make one with: mailer init DIR",
            )
        ]
    )


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([Problem(path.name, 0, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError([Problem(path.name, line, "is not UTF-8; save it as UTF-8")]) from None


def _overridden(document: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    merged = dict(document)
    for variable, (table, key) in _OVERRIDES.items():
        values = merged.get(table, {})
        if env.get(variable) and isinstance(values, dict):
            merged[table] = values | {key: env[variable]}
    return merged


def _secret(env: Mapping[str, str], name: str) -> str:
    if value := env.get(name):
        if not value.isascii() and value != value.encode("utf-8", "replace").decode("utf-8"):
            raise ConfigError([Problem(name, 0, "is not UTF-8")])
        return value
    if not (path := env.get(f"{name}_FILE")):
        return ""
    try:
        text = Path(path).read_text("utf-8").rstrip("\r\n")  # an editor's last line break; blanks may be meant
        trouble = "" if text else "it is empty"
    except OSError as error:
        trouble = f"it cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        trouble = "it is not UTF-8"
    if trouble:
        raise ConfigError([Problem(path, 0, f"{name}_FILE names it, but {trouble}")])
    return text


def _problem(name: str, text: str, prefix: tuple[str, ...], env: Mapping[str, str], error: Any) -> Problem:
    """One pydantic error as a sentence, at the line where its key (or its table) stands."""
    location = [str(part) for part in error["loc"] if part != "[key]" and not isinstance(part, int)]
    key = " ".join(".".join(location).split())  # a key between quotes may hold a line break
    if error["type"] == "extra_forbidden":
        known = list(_table_at(location[:-1]).model_fields)
        return Problem(
            name, _line_of(text, [*prefix, *location]), f"unknown key “{key}”. {nearest(location[-1], known)}"
        )
    message = _MESSAGES.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "must be")
    for variable, overridden in _OVERRIDES.items():
        if env.get(variable) and overridden == tuple(location):
            return Problem(variable, 0, message)
    return Problem(name, _line_of(text, [*prefix, *location]), f"“{key}” {message}")


def _table_at(location: list[str]) -> type[BaseModel]:
    """The table that stands there in the configuration."""
    tables: dict[str, type[BaseModel]] = {
        "newsletter": Newsletter, "smtp": Smtp, "store": Store, "web": Web, "desk": Desk, "retention": Retention,
        "checks": Checks, "dkim": Dkim,
    }  # fmt: skip
    if location[:2] == ["dkim", "ed25519"]:
        return DkimKey
    if location[:2] == ["smtp", "relays"]:
        return OneOfSeveral
    return tables.get(location[0], Config) if location else Config


def _line_of(text: str, location: list[str]) -> int:
    """The line of the longest part of `location` that the file spells out; 1 when none is."""
    table: list[str] = []
    best, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            here = table = _parts(header[1])
        elif pair := _PAIR.match(line):
            here = table + _parts(pair[1])
        else:
            continue
        if len(here) > depth and location[: len(here)] == here:
            best, depth = number, len(here)
    return best


def _parts(key: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, key)]
