"""The rules as declared, and the arithmetic behind some of them."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from mailer.compose.checks import RULES, table
from mailer.compose.checks.accessibility import contrast
from mailer.compose.checks.phrases import VAGUE, says_nothing
from mailer.compose.checks.rules import rule
from mailer.compose.checks.sheets import Sheet
from mailer.compose.checks.support import data
from mailer.models import Severity


def test_the_page_of_rules_is_current():
    """Write it anew with: python -m mailer.compose.checks.table > docs/checks.md"""
    assert (ROOT / "docs/checks.md").read_text("utf-8") == table.page()


@pytest.mark.parametrize("id_", sorted(RULES))
def test_a_rule_says_what_it_finds_and_why_in_words_that_make_a_sentence(id_):
    one = RULES[id_]
    assert re.fullmatch(r"MLR\d{3}", one.id)
    assert not one.title.endswith(".")
    assert not one.why.endswith(".")
    assert len(one.why.split()) > 3


def test_an_id_is_declared_once():
    with pytest.raises(ValueError, match="MLR001 is taken by “an edition is larger than Gmail shows”"):
        rule("MLR001", Severity.NOTE, "another", "for no reason at all")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#ffffff", "#ffffff", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    """WCAG 2.2, contrast ratio; #767676 is the lightest grey that passes on white."""
    assert round(contrast(one, other), 2) == round(contrast(other, one), 2) == ratio


@pytest.mark.parametrize("language", sorted(VAGUE))
def test_phrases_that_say_nothing_are_known_in_each_language_whatever_stands_around_them(language):
    for phrase in VAGUE[language].split("|"):
        assert says_nothing(f" {phrase.upper()}… »", language), phrase
    assert not says_nothing("Cooperatives 2030", language)


def test_a_sheet_keeps_its_lines_without_comments_and_jinja(tmp_path):
    path = tmp_path / "a.css"
    path.write_text("/* one\n two */\n@media x {\n  h1, .{{ a }} {\n    color: {{ dark.ink }};\n  }\n}\n")
    sheet = Sheet.read(path, "a.css")
    assert [(one.property, one.line) for one in sheet.declarations()] == [("color", 5)]
    assert [(line, depth) for _, line, depth in sheet.preludes()] == [(3, 0), (4, 1)]


def test_the_excerpt_of_caniemail_is_whole_dated_and_licensed():
    clients, features = data().clients, data().features
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", data().date)
    assert {len(letters) for _, letters in features.values()} == {len(clients)}
    assert {letter for _, letters in features.values() for letter in letters} == set("yanu")
    assert data().without("css-display-flex", clients)[:2] == ["Outlook (Windows)", "Outlook (Windows Mail)"]
    licence = ROOT / "mailer/compose/checks/caniemail-LICENSE"
    assert licence.read_text("utf-8").startswith("MIT License\n\nCopyright (c) 2019 HTeuMeuLeu")
