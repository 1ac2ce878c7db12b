"""DKIM signatures read by another program: dkimpy, with a DNS that is a table."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import dkim as verifier
from received import field, fields

ON = '\n[tool.mailer.dkim]\nselector = "n2026"\n'


def passes(content: bytes, zone: dict[str, str], which: int = 0) -> bool:
    """Whether one of the signatures verifies, the first from the top. `zone` has the TXT records by name."""

    def txt(name: bytes, timeout: int = 5) -> bytes:
        return zone[name.decode().rstrip(".")].encode()

    try:
        return bool(verifier.DKIM(content).verify(idx=which, dnsfunc=txt))
    except verifier.DKIMException:
        return False


def tags(content: bytes) -> list[dict[str, str]]:
    """The tags of each signature, without the blanks of folding."""
    signatures = [value for name, value in fields(content) if name == "DKIM-Signature"]
    return [dict(re.sub(r"\s", "", tag).partition("=")[::2] for tag in one.split(";")) for one in signatures]


def sound(content: bytes, zone: dict[str, str], signed: str) -> bool:
    """One signature that verifies, as standards A1 to A6 have it, over the fields `signed` and no other."""
    [found] = tags(content)
    date = int(parsedate_to_datetime(field(content, "Date")).timestamp())
    assert found.pop("b")
    assert found.pop("bh")
    assert found == {"v": "1", "a": "rsa-sha256", "c": "relaxed/simple", "d": "example.org", "s": "n2026",
                     "t": str(date), "h": signed}  # fmt: skip
    return passes(content, zone)


def zone_of(told: dict[str, object]) -> dict[str, str]:
    """What `mailer keys dkim --json` says to publish, as a DNS has it."""
    assert isinstance(told["strings"], list)
    return {str(told["name"]): "".join(told["strings"])}
