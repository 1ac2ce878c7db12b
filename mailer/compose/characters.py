"""Which characters a mail may hold."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and line feed, lone surrogates, and the two code points XML refuses. C1 controls make
# Gmail clip a mail (email-bugs #41), C0 ones make MRML fail without a position (rendering.md 2.2).
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    """The text without its control characters; tabs and line feeds stay."""
    return _CONTROLS.sub("", text)
