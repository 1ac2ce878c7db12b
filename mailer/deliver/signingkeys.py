"""Keys that sign mail (DKIM): read from their files, made, and as the DNS records that publish them.

Whatever is wrong with a key, no error says a word of what it holds.
"""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from mailer.config import NO_SECRET, Secret
from mailer.errors import ConfigError
from mailer.models import Problem
from mailer.settings import DkimKey

_SIZES = range(2048, 4097)  # bits: what Gmail and Yahoo advise, to the most that verifiers must know (RFC 8301)
_STRING = 255  # characters: the most a string of a TXT record holds (RFC 1035 section 3.3)


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


def _content(path: Path, shown: str) -> bytes:
    with path.open("rb") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
            said = f"may be read or changed by others on this machine. Keep it for one: chmod 600 {path}"
            raise _wrong(shown, said)
        return file.read()


def _wrong(shown: str, what: str) -> ConfigError:
    return ConfigError([Problem(shown, 0, what)])
