"""Signed links: who a link belongs to and what it may do, in 17 characters and the subscriber's number.

    Tokens(key).sign("unsubscribe", 42)              "16.Zk3v..."     the number in base 36, a dot, 96 bits
    Tokens(key).read("unsubscribe", "16.Zk3v...")    42, or None for anything that was changed

One purpose each: a token signed for one purpose says nothing for another (the purpose is the salt). 96 bits of
HMAC-SHA256 are beyond guessing online and keep `List-Unsubscribe` on one line (standards U18).
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from itsdangerous import Signer
from itsdangerous.signer import HMACAlgorithm

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SIGNATURE_BYTES = 12


class _ShortHmac(HMACAlgorithm):
    """HMAC-SHA256, cut to 96 bits (RFC 2104 section 5 allows at least 80)."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:_SIGNATURE_BYTES]


class Tokens:
    """Signs and reads links with the newsroom's secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._signer = lru_cache(maxsize=64)(self._make_signer)

    def sign(self, purpose: str, subscriber_id: int) -> str:
        """The token that lets its bearer do `purpose` for this subscriber."""
        return self._signer(purpose).sign(_base36(subscriber_id)).decode("ascii")

    def read(self, purpose: str, token: str) -> int | None:
        """The subscriber a token was signed for; None when it is not genuine. Compares in constant time."""
        try:
            subscriber_id = int(token.partition(".")[0], 36)
        except ValueError:
            return None
        # Signed anew, not unsigned: base64 decoders skip what is not theirs and read + as -, so many spellings pass.
        genuine = self.sign(purpose, subscriber_id).encode("ascii")
        return subscriber_id if hmac.compare_digest(genuine, token.encode("utf-8", "replace")) else None

    def digest(self, purpose: str, value: str) -> str:
        """A keyed hash of a value, 128 bits in hexadecimal: stable, and worthless without the key."""
        return hmac.digest(self._key, f"{purpose}\0{value}".encode(), "sha256").hex()[:32]

    def _make_signer(self, purpose: str) -> Signer:
        algorithm = _ShortHmac(hashlib.sha256)
        return Signer(self._key, salt=purpose, algorithm=algorithm, digest_method=hashlib.sha256)


def _base36(number: int) -> str:
    if number < 0:
        return f"-{_base36(-number)}"
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
