"""Signing what is sent (DKIM: RFC 6376, RFC 8301, RFC 8463), where `[dkim]` in the configuration asks for it.

    signer = load(root, config, given)        the keys, read once
    signer.sign(message)                      one DKIM-Signature a key, in front of the message

No line of a message begins with a dot (compose/message.py), so the bytes signed are the bytes that DATA carries.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from mailer.compose.personal import Personal
from mailer.config import NO_SECRET, Secret
from mailer.deliver.job import Template
from mailer.errors import ConfigError
from mailer.models import Problem
from mailer.settings import Config, DkimKey

# What RFC 6376 section 5.4.1 names, and what receivers act on: RFC 8058 section 4 wants both of List-Unsubscribe.
SIGNED = (
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "mime-version", "content-type",
    "content-transfer-encoding", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-help",
    "list-owner", "list-archive", "list-post", "feedback-id", "cfbl-address", "cfbl-feedback-id", "auto-submitted",
)  # fmt: skip
_SIZES = range(2048, 4097)  # bits: what Gmail and Yahoo advise, to the most that verifiers must know (RFC 8301)
_STRING = 255  # characters: the most a string of a TXT record holds (RFC 1035 section 3.3)
_FOLD = "\r\n "


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and the selector its public half is published under."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        """As the tag a= names it."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    @property
    def record(self) -> str:
        """The TXT record to publish (RFC 6376 section 3.6.1; RFC 8463 section 4: the bare 32 bytes)."""
        public, forms = self.private.public_key(), serialization.PublicFormat
        if isinstance(self.private, RSAPrivateKey):
            kind, der = "rsa", public.public_bytes(serialization.Encoding.DER, forms.SubjectPublicKeyInfo)
        else:
            kind, der = "ed25519", public.public_bytes(serialization.Encoding.Raw, forms.Raw)
        return f"v=DKIM1; k={kind}; p={b64encode(der).decode('ascii')}"

    def sign(self, data: bytes) -> bytes:
        """The signature's bytes. Ed25519 signs the hash, not the data (RFC 8463 section 3)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        return self.private.sign(sha256(data).digest())


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs messages for one domain, with each key."""

    domain: str
    keys: tuple[Key, ...]

    def sign(self, message: bytes) -> bytes:
        """The message with its signatures in front. It has CRLF line ends, a Date, and each field once."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _relaxed(head)
        body_hash = b64encode(sha256(body.rstrip(b"\r\n") + b"\r\n").digest()).decode("ascii")
        names = [name for name in SIGNED if name in fields]
        data = "".join(f"{name}:{fields[name]}\r\n" for name in names)
        # From once more than there is: a second one, put in on the way, breaks the signature.
        listed = re.sub(r"(?=.{71}).{1,70}:", rf"\g<0>{_FOLD} ", ":".join([*names, "from"]))
        signed_at = int(parsedate_to_datetime(fields["date"]).timestamp())
        signatures = []
        for key in self.keys:
            tags = (f"v=1; a={key.algorithm}; c=relaxed/simple; d={self.domain};{_FOLD}s={key.selector}; t={signed_at};"
                    f"{_FOLD}h={listed};{_FOLD}bh={body_hash};{_FOLD}b=")  # fmt: skip
            signature = key.sign(f"{data}dkim-signature:{' '.join(tags.split())}".encode())
            written = re.sub(r".{72}(?=.)", rf"\g<0>{_FOLD}", b64encode(signature).decode("ascii"))
            signatures.append(f"DKIM-Signature: {tags}{written}\r\n".encode("ascii"))
        return b"".join((*signatures, message))

    def over(self, templates: Mapping[str, Template]) -> dict[str, Template]:
        """Templates whose messages are signed."""
        return {key: Signed(template, self) for key, template in templates.items()}


@dataclass(frozen=True, slots=True)
class Signed:
    """A message template whose messages are signed."""

    template: Template
    signer: Signer

    def fill(self, personal: Personal, date: str, utf8: bool = False) -> bytes:
        """As the template's own."""
        return self.signer.sign(self.template.fill(personal, date, utf8))


def load(root: Path, config: Config, given: Secret = NO_SECRET) -> Signer:
    """The signer that `[dkim]` describes; a `given` key in PEM stands for the RSA key's file.

    Raises ConfigError with what is wrong with each key, and never a word of what it holds.
    """
    settings = config.dkim
    assert settings is not None
    wanted = [(settings, False, given), *([(settings.ed25519, True, NO_SECRET)] if settings.ed25519 else [])]
    keys: list[Key] = []
    problems: list[Problem] = []
    for named, ed25519, pem in wanted:
        try:
            keys.append(read(root, named, ed25519, pem))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return Signer(domain_of(config), tuple(keys))


def domain_of(config: Config) -> str:
    """The domain that answers for the mail: d=."""
    return (config.dkim.domain if config.dkim else "") or config.newsletter.sender_domain


def read(root: Path, named: DkimKey, ed25519: bool, given: Secret = NO_SECRET) -> Key:
    """One key, from its file or as `given`. Raises ConfigError."""
    shown = "MAILER_DKIM_KEY" if given else named.file
    try:
        pem = given.reveal().encode("utf-8") if given else _content(root / named.file, shown)
        private = serialization.load_pem_private_key(pem, password=None)
    except FileNotFoundError:
        raise _wrong(shown, f"is not there. Make it with: mailer keys dkim{' --ed25519' * ed25519}") from None
    except PermissionError as error:
        raise _wrong(shown, f"cannot be read: {error.strerror}. The user who sends must own it") from None
    except OSError as error:
        raise _wrong(shown, f"cannot be read: {error.strerror}") from None
    except TypeError:  # it asks for a password
        raise _wrong(shown, "needs a password. Write it without one: openssl pkey -in OLD -out NEW") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _wrong(shown, "holds no whole private key. It must be PEM, as mailer keys dkim makes it") from None
    if isinstance(private, Ed25519PrivateKey) and ed25519:
        return Key(named.selector, private)
    if ed25519:
        raise _wrong(shown, "holds no Ed25519 key. Make one with: mailer keys dkim --ed25519")
    if isinstance(private, Ed25519PrivateKey):
        said = "is an Ed25519 key, which large mail providers cannot check yet. Name it as ed25519, beside an RSA key"
        raise _wrong(shown, said)
    if not isinstance(private, RSAPrivateKey):
        raise _wrong(shown, "is no RSA key. Make one with: mailer keys dkim")
    if private.key_size not in _SIZES:
        said = f"has {private.key_size} bits; it must have 2048 to 4096. Make another with: mailer keys dkim SELECTOR"
        raise _wrong(shown, said)
    return Key(named.selector, private)


def make(path: Path, ed25519: bool) -> bool:
    """Make a key with mode 600, unless there is a file already; whether it was made. Raises ConfigError."""
    private = Ed25519PrivateKey.generate() if ed25519 else generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except FileExistsError:
        return False
    except OSError as error:
        raise _wrong(str(path), f"cannot be written: {error.strerror}") from None
    return True


def strings(record: str) -> list[str]:
    """A TXT record as the strings it is stored in."""
    return [record[start : start + _STRING] for start in range(0, len(record), _STRING)]


def _relaxed(head: bytes) -> dict[str, str]:
    """The fields by small name, as relaxed canonicalisation has them (RFC 6376 section 3.4.2); of several the last."""
    lines = re.sub(r"\r\n(?=[ \t])", "", head.decode("utf-8")).split("\r\n")
    named = (line.partition(":") for line in lines)
    return {name.rstrip(" \t").lower(): re.sub(r"[ \t]+", " ", value).strip(" ") for name, _, value in named}


def _content(path: Path, shown: str) -> bytes:
    with path.open("rb") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
            said = f"may be read or changed by others on this machine. Keep it for one: chmod 600 {path}"
            raise _wrong(shown, said)
        return file.read()


def _wrong(shown: str, what: str) -> ConfigError:
    return ConfigError([Problem(shown, 0, what)])
