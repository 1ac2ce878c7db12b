"""Signed links: who a link belongs to and what it may do, in 17 characters and the subscriber's number.

    tokens = Tokens(oldest, ..., newest)
    tokens.sign("unsubscribe", 42)                 "16.Zk3v..."     the number in base 36, the key's mark, 96 bits
    tokens.read("unsubscribe", "16.Zk3v...")       42, or None for anything that was changed
    tokens.sign_until("my-data", 42, "2018-12-14T09:00:00Z")        the time stands within what is signed
    tokens.read_until("my-data", token, now)       42; raises BadLink or ExpiredLink

One purpose each: a token signed for one purpose says nothing for another (the purpose is the salt). 96 bits of
HMAC-SHA256 are beyond guessing online and keep `List-Unsubscribe` on one line (standards U18).

The newest key signs, all of them verify. A key's mark tells which: a dot for the oldest, a capital letter for another,
which follows from the key itself, so that a key may be dropped without a change to the others. All that must outlive
a rotation (addresses that must not come back, Message-IDs, the journal) is derived from the oldest.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from functools import lru_cache

from itsdangerous import Signer

from mailer.errors import BadLink, ExpiredLink

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OLDEST = "."
_SIGNATURE_BYTES = 12  # of HMAC-SHA256; RFC 2104 section 5 allows at least 10
_TOKEN = re.compile(r"(-?[0-9a-z]+)(~[0-9a-z]+)?([.A-Z])[\w-]{16}", re.ASCII)


class Tokens:
    """Signs and reads links with the newsroom's secret keys, the oldest first."""

    def __init__(self, oldest: bytes, *newer: bytes) -> None:
        self._oldest = oldest
        self._keys = [(_OLDEST, oldest), *((mark_of(key), key) for key in newer)]
        self._derived = lru_cache(maxsize=256)(_derive)

    def sign(self, purpose: str, subscriber_id: int) -> str:
        """The token that lets its bearer do `purpose` for this subscriber."""
        return self._sign(*self._keys[-1], purpose, _base36(subscriber_id))

    def read(self, purpose: str, token: str) -> int | None:
        """The subscriber a token was signed for; None when it is not genuine. Compares in constant time."""
        found = _TOKEN.fullmatch(token)
        if not found or found[2] or not self._is_genuine(purpose, found[1], found[3], token):
            return None
        return int(found[1], 36)

    def sign_until(self, purpose: str, subscriber_id: int, expires_at: str) -> str:
        """A token that is good until a time, given as `2018-12-14T09:00:00Z`."""
        seconds = int(datetime.fromisoformat(expires_at).timestamp())
        return self._sign(*self._keys[-1], purpose, f"{_base36(subscriber_id)}~{_base36(seconds)}")

    def read_until(self, purpose: str, token: str, now: str) -> int:
        """The subscriber of a token with a time. Raises BadLink, or ExpiredLink for a genuine one that comes late."""
        found = _TOKEN.fullmatch(token)
        if not found or not found[2] or not self._is_genuine(purpose, found[1] + found[2], found[3], token):
            raise BadLink
        if datetime.fromtimestamp(int(found[2][1:], 36), UTC) < datetime.fromisoformat(now):
            raise ExpiredLink
        return int(found[1], 36)

    def name(self, token: str) -> str:
        """What tells a token from others in a journal, and cannot be used as one: 48 bits of its keyed hash."""
        return self.digest("token", token)[:12]

    def digest(self, purpose: str, value: str) -> str:
        """A keyed hash of a value, 128 bits in hexadecimal: stable, and worthless without the key."""
        return hmac.digest(self._oldest, f"{purpose}\0{value}".encode(), "sha256").hex()[:32]

    def derive(self, purpose: str) -> bytes:
        """A key of 32 octets for another use."""
        return hmac.digest(self._oldest, f"key\0{purpose}".encode(), "sha256")

    def _sign(self, mark: str, key: bytes, purpose: str, value: str) -> str:
        signed = value if mark == _OLDEST else value + mark
        signature = hmac.digest(self._derived(key, purpose), signed.encode("ascii"), "sha256")[:_SIGNATURE_BYTES]
        return f"{value}{mark}{urlsafe_b64encode(signature).decode('ascii')}"  # 12 octets need no padding

    def _is_genuine(self, purpose: str, value: str, mark: str, token: str) -> bool:
        # Signed anew, not unsigned: base64 decoders skip what is not theirs and read + as -, so many spellings pass.
        given = token.encode("ascii")
        return any(
            hmac.compare_digest(self._sign(mark, key, purpose, value).encode("ascii"), given)
            for own, key in self._keys
            if own == mark
        )


def mark_of(key: bytes) -> str:
    """The letter that stands for a key in its tokens. Two keys may share one; both are then tried."""
    return _LETTERS[hashlib.sha256(b"mark\0" + key).digest()[0] % len(_LETTERS)]


def _derive(key: bytes, purpose: str) -> bytes:
    """The key of one purpose, as itsdangerous derives it: its Signer would do so anew for each token, 8 us of 10."""
    derived: bytes = Signer(key, salt=purpose, digest_method=hashlib.sha256).derive_key()
    return derived


@lru_cache(maxsize=64)  # three links of one reader after another
def _base36(number: int) -> str:
    if number < 0:
        return f"-{_base36(-number)}"
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
