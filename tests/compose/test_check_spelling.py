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


LITTLE = {
    "fr": ("SET UTF-8\n", "3\ndu\nlait\ncafé\n"),
    "ar": ("SET UTF-8\nIGNORE ًّـ\n", "1\nجدا\n"),
}


@pytest.mark.parametrize(
    ("words", "unknown"),
    [
        ('The milk is <span lang="fr">du lait mlik</span> and lait', ["mlik", "lait"]),
        ('The <em lang="fr">lait <span>du</span> lait</em> is <b>milk</b> in <i lang=fr>café</i>', []),
        ('<blockquote lang="fr">Du lait, mlik.</blockquote>', ["mlik"]),
        ("The milk is [du lait mlik]{lang=fr} and lait", ["mlik", "lait"]),
        ("[du *lait*]{lang=fr} [*the* milk]{dir=ltr} [[du lait](https://example.org)]{lang=fr}", []),
        ("[du lait](https://example.org){lang=fr} is milk", []),
        ("[du <b>lait]{lang=fr}</b> lait", ["lait"]),
        ('The milk <span lang="fr">cafe\u0301</span>', []),
        ('The milk <span lang="ar">جدًّا جـــدا</span>', []),
        ('The milk <span lang="ar">جداا</span>', ["جداا"]),
        ('The milk <span lang="sw">maziwa</span>', []),
    ],
    ids=[
        "within a sentence",
        "nested",
        "a block",
        "[words]",
        "[words] around others",
        "a link",
        "a tag left open",
        "accents apart",
        "vowels and tatweel",
        "arabic",
        "no dictionary",
    ],
)
def test_words_are_looked_up_in_the_language_they_are_marked_with(tmp_path, words, unknown):
    for language, (rules, listed) in LITTLE.items():
        (tmp_path / f"{language}.aff").write_text(rules, "utf-8")
        (tmp_path / f"{language}.dic").write_text(listed, "utf-8")
    text = FRONT.replace("title: T", "title: News") + f"\n# News\n\n## The course\n\n{words}\n"
    material = Material(compose(tmp_path, text), root=tmp_path, dictionaries=[FOLDER, tmp_path])
    assert [one.text.split("”")[0].removeprefix("“") for one in spelling.check(material)] == unknown


FRENCH = """\
L’entreprise s’est agrandie jusqu’à la côte, et qu'elle y ait réussi n’étonne personne. Aujourd'hui, c’est-à-dire un \
an plus tard, elle emploie quatre-vingts personnes. Où l’œuvre commence-t-elle ? « Là où l’on s’y attend », dit la \
directrice, lorsqu’on l’interroge. Prud’homme et grand-mère s’écrivent ainsi. Y a-t-il d’autres projets ? Les \
salarié·e·s et les client(e)s en profitent. École, État et Afrique de l’Ouest. Le gouvernment et le developpement."""
SPANISH = """\
¿Qué hace falta para empezar? ¡Nada más que ganas!, dice la directora. «Nos lo contaron ayer», añadió, y \
explicándoselo a los demás se rio. Dígame usted, ¿cuándo se lo darán? Hoy emplea a cuarenta y ocho trabajadores/as. La \
1.ª reunión y el 2.º congreso serán en EE. UU., según la Sra. Pérez y la cigüeña. El govierno y el desarollo."""


@pytest.mark.skipif(
    not all(dictionary.find(language, spelling.FOLDERS) for language in ("fr", "es")),
    reason="hunspell's dictionaries of French and Spanish are not installed",
)
@pytest.mark.parametrize(
    ("language", "words", "told"),
    [
        ("fr", FRENCH, {"gouvernment": "gouvernent", "developpement": "développement"}),
        ("es", SPANISH, {"govierno": "gobierno", "desarollo": "desarrollo"}),
    ],
    ids=["fr", "es"],
)
def test_elision_inverted_marks_and_clitics_are_no_mistakes(tmp_path, language, words, told):
    text = FRONT + f"\n# News\n\n## Le cas {{lang={language}}}\n\n{words}\n"
    material = Material(compose(tmp_path, text), root=tmp_path, dictionaries=spelling.FOLDERS)
    found = [one for one in spelling.check(material) if one.line > 9]
    assert {one.text.split("”")[0][1:]: one.fix.split("”")[0].partition("“")[2] for one in found} == told


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
