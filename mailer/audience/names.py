"""Names of people: one line, printable, short enough for a mail."""

from __future__ import annotations

import re

LONGEST = 200  # characters
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")  # where bytes were not UTF-8


def tidy(name: str) -> str:
    """The name with single blanks between its words. Raises ValueError, which says what is wrong with it."""
    if trouble := unprintable(name):
        raise ValueError(trouble)
    tidied = " ".join(name.split())
    if len(tidied) > LONGEST:
        raise ValueError(f"the name is longer than {LONGEST} characters")
    return tidied


def unprintable(text: str) -> str:
    """What is wrong with the characters of a text; empty when nothing is. Line breaks and tabs are fine."""
    if text.isascii() and text.isprintable():
        return ""
    if _SURROGATES.search(text):
        return "is not UTF-8; save the file as UTF-8 (in Excel: Save as “CSV UTF-8”)"
    if found := _CONTROLS.search(text):
        return f"holds the control character U+{ord(found[0]):04X}; delete it"
    return ""
