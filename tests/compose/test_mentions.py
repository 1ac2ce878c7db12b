"""Days in running text, in the four languages, with CLDR's names."""

from __future__ import annotations

import pytest

from mailer.compose import mentions


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "On Friday, 14 December 2018 we met.", [(4, 14, 14, 12, 2018)]),
        ("en", "the 15th of November 2018", [(-1, 15, 15, 11, 2018)]),
        ("en", "10–11 January", [(-1, 10, 11, 1, 0)]),
        ("en", "Friday, December 14, 2018", [(4, 14, 14, 12, 2018)]),
        ("en", "Due Sept. 3.", [(-1, 3, 3, 9, 0)]),
        ("en", "In May 12 people came; 20 may come.", []),
        ("en", "In May 2019, Agenda 2030, 12.5 March", []),
        ("fr", "le mardi 1er\njanvier 2019", [(1, 1, 1, 1, 2019)]),
        ("fr", "du 10 au 11 févr. 2019", [(-1, 10, 11, 2, 2019)]),
        ("es", "el lunes, 14 de enero del 2019", [(0, 14, 14, 1, 2019)]),
        ("es-AR", "14 y 15 de mayo", [(-1, 14, 15, 5, 0)]),
        ("ar", "يوم الإثنين 14 كانون الأول/ديسمبر 2018", [(0, 14, 14, 12, 2018)]),
        ("ar", "١٤ غشت ٢٠١٩", [(-1, 14, 14, 8, 2019)]),
        ("de", "Freitag, 14. Dezember 2018", []),
    ],
)  # fmt: skip
def test_a_day_is_read_with_its_weekday_month_and_year(language, text, expected):
    found = [(one.weekday, one.day, one.last, one.month, one.year) for one in mentions.find(text, language)]
    assert found == expected


def test_it_says_where_the_words_stand():
    text = "Come on\n14 December 2018."
    [mention] = mentions.find(text, "en")
    assert (mention.start, mention.words) == (8, "14 December 2018")
