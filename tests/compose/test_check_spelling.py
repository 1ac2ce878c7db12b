"""Spelling with hunspell's dictionaries: which is taken, what is accepted, what is proposed."""

from __future__ import annotations

import pytest
from conftest import ROOT
from drafts import FRONT, compose

from mailer.compose import dictionary
from mailer.compose.checks import spelling
from mailer.compose.checks.material import Material

FOLDER = ROOT / "tests/data/checks/MLR170-misspelt/clean/dictionary"


def found(folder, words: str, own: str = "") -> list[tuple[str, str]]:
    text = FRONT.replace("title: T", "title: News") + f"\n# News\n\n## The course\n\n{words}\n"
    (folder / spelling.WORDS).write_text(own, "utf-8")
    material = Material(compose(folder, text), root=folder, dictionaries=[FOLDER])
    return [(one.text, one.fix) for one in spelling.check(material)]


@pytest.mark.parametrize(
    ("words", "unknown"),
    [
        ("The mlik is free", ["mlik"]),
        ("The mlik and mlik", ["mlik"]),
        ("Mbweni and Mbweni", []),
        ("UNCTAD is free", []),
        ("The farms’ milk, the course’s place", []),
        ("`mlik` @mlik mlik@example.org https://mlik.example.org/mlik", []),
    ],
    ids=["misspelt", "told once", "a name that recurs", "acronym", "possessive", "no prose"],
)
def test_unknown_words_are_told_once_and_names_and_addresses_are_not(tmp_path, words, unknown):
    assert [text.split("”")[0].removeprefix("“") for text, _ in found(tmp_path, words)] == unknown


def test_the_nearest_word_is_proposed(tmp_path):
    assert found(tmp_path, "Keep the mlik.")[0][1] == "write “milk”, or add the word to words.txt"
    assert found(tmp_path, "Keep the qqqqq.")[0][1] == "mend it, or add it to words.txt"


def test_words_of_the_newsroom_are_right(tmp_path):
    assert found(tmp_path, "Keep the mlik.", own="# our own\nMlik  # a brand\n") == []


def test_without_a_dictionary_nothing_is_found(tmp_path):
    assert list(spelling.check(Material(compose(tmp_path, FRONT + "\n# A\n\n## Mlik\n\nQqqq.\n")))) == []


@pytest.mark.parametrize(
    ("language", "files", "expected"),
    [
        ("en", ["en_AU", "en_GB", "en_US"], "en_GB"),
        ("en-US", ["en_GB", "en_US"], "en_US"),
        ("fr", ["fr", "fr_BE"], "fr"),
        ("es", ["es_AR", "es_MX"], "es_AR"),
        ("ar", ["fr"], None),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_dictionary_of_the_region_comes_first(tmp_path, language, files, expected):
    for name in files:
        (tmp_path / f"{name}.dic").touch()
        (tmp_path / f"{name}.aff").touch()
    assert dictionary.find(language, [tmp_path / "none", tmp_path]) == (expected and tmp_path / expected)
