"""Days that a text mentions: “Monday, 14 December 2018”, “10–11 janvier”, “14 de mayo de 2019”.

The names of months and weekdays are those of Unicode's CLDR, by Babel; of Arabic in its three calendars' namings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from babel import Locale

# CLDR writes for “ar” the months of Egypt and the Gulf; ar_SY has those of the Levant, ar_DZ and ar_MA the Maghreb's.
_LOCALES = {
    "en": ("en_GB", "en"), "fr": ("fr",), "es": ("es",), "ar": ("ar", "ar_SY", "ar_DZ", "ar_MA"),
}  # fmt: skip
_HAMZA = str.maketrans("أإآٱ", "اااا")  # written or left out at will
_ORDINAL = r"(?:st|nd|rd|th|er|º|°)?"
_PATTERN = r"""
    (?:(?<!\w)(?P<weekday>{weekdays})\.?,?\s+(?:(?:the|le|el|الموافق)\s+)?)?
    (?<![\w.,:/–-])(?P<day>\d{{1,2}}){ordinal}
    (?:(?:\s*[–—-]\s*|\s+(?:to|and|au|et|al|y|الى)\s+|\s+و\s*)(?P<last>\d{{1,2}}){ordinal})?
    \s+(?:(?:of|de|من)\s+)?(?P<month>{months})(?!\w)\.?(?:\s*/\s*(?:{months})(?!\w))?
    (?:,?\s+(?:del?\s+)?(?P<year>\d{{4}})(?!\d))?
"""
_MONTH_FIRST = r"""
    (?:(?<!\w)(?P<weekday>{weekdays})\.?,?\s+)?
    (?<!\w)(?P<month>{months})\.?\s+(?P<day>\d{{1,2}}){ordinal}(?:[–-](?P<last>\d{{1,2}}))?
    (?:,?\s+(?P<year>\d{{4}})(?!\d)|(?=[.,;:)!?]|$))
"""  # a word may follow a month as in “In May 12 people came”: without a year, punctuation must


@dataclass(frozen=True, slots=True)
class Mention:
    """A day or a run of days. `year` is 0 and `weekday` -1 (else 0 for Monday) where none is written."""

    start: int  # of its words in the text
    words: str
    weekday: int
    day: int
    last: int  # equals `day` for one day
    month: int
    year: int


def find(text: str, language: str) -> Iterator[Mention]:
    """Every day named with its month. Of a language that is not known here, none."""
    language = language.partition("-")[0].lower()
    if language not in _LOCALES:
        return
    months, weekdays = _names(language)
    for pattern in _patterns(language):
        for found in pattern.finditer(_folded(text)):
            given = found.groupdict()
            day = int(given["day"])
            year = int(given["year"] or 0)
            yield Mention(
                start=found.start(),
                words=" ".join(text[found.start() : found.end()].split()).rstrip("."),
                weekday=weekdays[_key(given["weekday"])] if given["weekday"] else -1,
                day=day,
                last=int(given["last"] or day),
                month=months[_key(given["month"])],
                year=year if 1900 <= year < 2100 else 0,
            )


@cache
def _names(language: str) -> tuple[dict[str, int], dict[str, int]]:
    months: dict[str, int] = {}
    weekdays: dict[str, int] = {}
    for name in _LOCALES[language]:
        locale = Locale.parse(name)
        for width in ("abbreviated", "wide"):
            months |= {_key(word): number for number, word in locale.months["format"][width].items()}
            weekdays |= {_key(word): number for number, word in locale.days["format"][width].items()}
    return months, weekdays


@cache
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    months, weekdays = _names(language)
    # English writes its names with capitals, and “may” and “mar” are words without; the others' names are no words.
    cased = str.capitalize if language == "en" else str
    parts = {
        "months": _either(map(cased, months)), "weekdays": _either(map(cased, weekdays)), "ordinal": _ORDINAL,
    }  # fmt: skip
    flags = re.VERBOSE | (0 if language == "en" else re.IGNORECASE)
    forms = (_PATTERN, _MONTH_FIRST) if language == "en" else (_PATTERN,)
    return tuple(re.compile(form.format(**parts), flags) for form in forms)


def _either(names: Iterator[str]) -> str:
    return "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(names, key=len, reverse=True))


def _key(name: str) -> str:
    return " ".join(_folded(name).rstrip(".").casefold().split())


def _folded(text: str) -> str:
    return text.translate(_HAMZA)
