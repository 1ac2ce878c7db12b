"""Signing what is sent (DKIM: RFC 6376, RFC 8301, RFC 8463), where `[dkim]` in the configuration asks for it.

    signer = load(root, config, given)        the keys, read once
    signer.sign(message)                      one DKIM-Signature a key, in front of the message

No line of a message begins with a dot (compose/message.py), so the bytes signed are the bytes that DATA carries.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path

from mailer.compose.personal import Personal
from mailer.config import NO_SECRET, Secret
from mailer.deliver import signingkeys
from mailer.deliver.job import Template
from mailer.deliver.signingkeys import Key
from mailer.errors import ConfigError
from mailer.models import Problem
from mailer.settings import Config

# What RFC 6376 section 5.4.1 names, and what receivers act on: RFC 8058 section 4 wants both of List-Unsubscribe.
SIGNED = (
    "from", "to", "cc", "reply-to", "subject", "date", "message-id", "mime-version", "content-type",
    "content-transfer-encoding", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-help",
    "list-owner", "list-archive", "list-post", "feedback-id", "cfbl-address", "cfbl-feedback-id", "auto-submitted",
)  # fmt: skip
_FOLD = "\r\n "


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
            keys.append(signingkeys.read(root, named, ed25519, pem))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return Signer(domain_of(config), tuple(keys))


def domain_of(config: Config) -> str:
    """The domain that answers for the mail: d=."""
    return (config.dkim.domain if config.dkim else "") or config.newsletter.sender_domain


def _relaxed(head: bytes) -> dict[str, str]:
    """The fields by small name, as relaxed canonicalisation has them (RFC 6376 section 3.4.2); of several the last."""
    lines = re.sub(r"\r\n(?=[ \t])", "", head.decode("utf-8")).split("\r\n")
    named = (line.partition(":") for line in lines)
    return {name.rstrip(" \t").lower(): re.sub(r"[ \t]+", " ", value).strip(" ") for name, _, value in named}
