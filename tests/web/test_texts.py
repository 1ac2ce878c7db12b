"""What the reader's pages say: every text in every language, the newsroom's own words, the language of a request."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from conftest import ROOT
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from mailer.web import texts
from mailer.web.texts import Texts

WEB = ROOT / "mailer" / "web"
LANGUAGES = ["ar", "es", "fr"]


def in_templates() -> Iterator[str | tuple[str, ...]]:
    for path in sorted((WEB / "pages" / "public").iterdir()):
        for _, function, found in extract_from_ast(Environment().parse(path.read_text("utf-8")), ("_", "ngettext")):
            given = tuple(text for text in (found if isinstance(found, tuple) else (found,)) if text)
            yield given[0] if function == "_" else given


def in_python() -> Iterator[str | tuple[str, ...]]:
    for path in sorted(WEB.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function, holder = node.func, getattr(node.func, "value", None)
            called = getattr(function, "id", getattr(function, "attr", ""))
            owner = getattr(holder, "id", getattr(holder, "attr", ""))
            given = tuple(a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
            if given and (called == "texts" or (owner == "texts" and called in ("html", "count"))):
                yield given[:2] if called == "count" else given[0]


def used() -> set[str | tuple[str, ...]]:
    return {text for text in (*in_templates(), *in_python()) if isinstance(text, str | tuple)}


def translated(language: str) -> dict[str | tuple[str, ...], tuple[str, ...]]:
    catalogue = texts.catalogue(language)
    assert catalogue is not None
    return {
        message.id: message.string if isinstance(message.string, tuple) else (message.string,)
        for message in catalogue
        if message.id
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_is_left_over(language):
    found = translated(language)
    assert set(found) == used()
    assert [text for text, strings in found.items() if not all(strings)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_the_words_in_braces(language):
    def braces(text: str) -> set[str]:
        return set(re.findall(r"\{\w*\}", text))

    for text, strings in translated(language).items():
        one, *many = text if isinstance(text, tuple) else (text,)
        allowed = [braces(one), *map(braces, many)] + ([set()] if many else [])  # Arabic says "two stories" in a word
        assert all(braces(string) in allowed for string in strings), text


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "لا أخبار"),
        (1, "خبر واحد"),
        (2, "خبران"),
        (3, "3 أخبار"),
        (11, "11 خبرا"),
        (36, "36 خبرا"),
        (100, "100 خبر"),
    ],
)
def test_arabic_has_six_plurals(real, count, said):
    assert texts.texts_in(real.config, "ar").count("{count} story", "{count} stories", count) == said


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.8", "fr"),
        ("de, es;q=0.3, fr;q=0.7", "fr"),
        ("de", "en"),
        ("AR-EG", "ar"),
        ("fr;q=0, es;q=0.1", "es"),
        ("*", "en"),
        ("fr;q=zero, es", "es"),
        ("fr;q=", "fr"),
        (",;,", "en"),
    ],
)
def test_the_language_is_what_the_browser_prefers(real, accepted, spoken):
    """RFC 9110 section 12.5.4."""
    assert texts.preferred(accepted, tuple(texts.catalogues(real.config))) == spoken


def test_a_newsroom_puts_its_own_words_in_place(real):
    config = real.config.model_copy(update={"texts": {"fr": {"Subscribe": "Recevoir la lettre"}}})
    french = texts.texts_in(config, "fr")
    assert (french("Subscribe"), french("All issues")) == ("Recevoir la lettre", "Tous les numéros")


def test_a_value_in_a_text_is_escaped(real):
    english: Texts = texts.texts_in(real.config, "en")
    assert english.html("All issues of {newsletter}", newsletter="<b>") == "All issues of &lt;b&gt;"


def test_a_language_without_a_catalogue_speaks_english(real):
    assert texts.texts_in(real.config, "de")("Subscribe") == "Subscribe"
