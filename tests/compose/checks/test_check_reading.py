"""Reading ease against figures that are known for a text."""

from __future__ import annotations

import pytest

from mailer.compose.checks.passages import Kind, Passage
from mailer.compose.checks.reading import measure


@pytest.mark.parametrize(
    ("language", "text", "words", "sentences", "ease"),
    [
        ("en", "The cat sat on the mat.", 6, 1, 116.1),  # Flesch 1948: 206.835 - 1.015 * 6 - 84.6 * 6 / 6
        ("en", "Communication needs information.", 3, 1, -78.2),  # 206.835 - 1.015 * 3 - 84.6 * 10 / 3
        ("fr", "Le chat est là. Il dort.", 6, 2, 130.4),  # Kandel and Moles: 207 - 1.015 * 3 - 73.6 * 6 / 6
        ("es", "El gato está en la casa.", 6, 1, 110.7),  # Fernández Huerta: 206.84 - 1.02 * 6 - 60 * 9 / 6
        ("ar", "القط على الحصيرة.", 3, 1, None),
    ],
    ids=["easy", "hard", "fr", "es", "ar"],
)
def test_reading_ease_follows_the_formula_of_the_language(language, text, words, sentences, ease):
    reading = measure([Passage(text, 1, Kind.PROSE, language)])
    assert (reading.words, reading.sentences) == (words, sentences)
    assert reading.ease == (None if ease is None else pytest.approx(ease, abs=0.1))
