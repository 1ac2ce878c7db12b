"""The script a language is written in, by CLDR's likely subtags, and its direction."""

from __future__ import annotations

from functools import cache
from typing import Literal

from babel.core import get_global

# The first words of Unicode's names for the letters of a script (ISO 15924).
_LETTERS = {
    "Latn": ("LATIN",), "Arab": ("ARABIC",), "Cyrl": ("CYRILLIC",), "Grek": ("GREEK",), "Hebr": ("HEBREW",),
    "Hans": ("CJK",), "Hant": ("CJK",), "Jpan": ("CJK", "HIRAGANA", "KATAKANA"), "Kore": ("HANGUL", "CJK"),
    "Deva": ("DEVANAGARI",), "Thai": ("THAI",), "Beng": ("BENGALI",), "Taml": ("TAMIL",), "Geor": ("GEORGIAN",),
    "Armn": ("ARMENIAN",), "Ethi": ("ETHIOPIC",), "Khmr": ("KHMER",), "Laoo": ("LAO",), "Mymr": ("MYANMAR",),
    "Sinh": ("SINHALA",),
}  # fmt: skip

_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}


def direction(language: str) -> Literal["ltr", "rtl"]:
    """The direction of writing, as HTML has it."""
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


@cache
def letters(language: str) -> tuple[str, ...]:
    """How the names of a language's letters begin, such as `("LATIN",)`; empty when that is not known."""
    subtags = language.replace("-", "_").split("_")
    named = next((part for part in subtags[1:] if len(part) == 4), "")
    likely = get_global("likely_subtags").get(subtags[0].lower(), "")
    return _LETTERS.get(named.capitalize() or next((p for p in likely.split("_")[1:] if len(p) == 4), ""), ())
