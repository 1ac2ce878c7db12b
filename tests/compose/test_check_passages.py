"""The words of an issue, each with its line, kind and language."""

from __future__ import annotations

import pytest
from drafts import compose, png

from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import OBJECT, Kind, Passage

TEXT = """\
---
title: News
date: 2018-12-14
subject: "What is new"
---

Welcome.

# News {#news}

## A story {#story lang=fr}

![Two people](a.png)

One line `code`,
*another* line.

- an item
- see [the list](https://example.org/list)

| Head | Cell |
|---|---|
| one | two |

Ended. [More about it](https://example.org/more)

[Read it](https://example.org/read){.button}
"""


def test_every_word_stands_in_a_passage_with_its_line(tmp_path):
    composition = compose(tmp_path, TEXT, {"a.png": png()})
    passages = Material(composition).passages
    assert [(one.kind.name, one.line, one.text) for one in passages] == [
        ("FRONT", 2, "News"),
        ("FRONT", 4, "What is new"),
        ("PROSE", 7, "Welcome."),
        ("TITLE", 9, "News"),
        ("TITLE", 11, "A story"),
        ("ALT", 13, "Two people"),
        ("PROSE", 15, f"One line {OBJECT},\nanother line."),
        ("ITEM", 18, "an item"),
        ("ITEM", 19, "see the list"),
        ("CELL", 21, "Head"),
        ("CELL", 21, "Cell"),
        ("CELL", 23, "one"),
        ("CELL", 23, "two"),
        ("PROSE", 25, "Ended. More about it"),
        ("LINE", 27, "Read it"),
    ]
    assert [one.text for one in passages if one.language == "fr"] == [one.text for one in passages[4:]]
    assert all((one.story is None) == (one.line < 11) for one in passages)
    assert [one.text for one in passages if one.ends_in_link] == ["Ended. More about it"]
    assert passages[6].line_at(passages[6].text.index("another")) == 16


def test_lines_are_those_of_the_file_whatever_breaks_a_line_elsewhere(tmp_path):
    """U+2028 and form feed come from word processors; Python's splitlines cuts at both, no editor counts them."""
    text = TEXT.replace("Welcome.", "Wel\u2028come,\x0cyou.")
    passages = Material(compose(tmp_path, text, {"a.png": png()})).passages
    assert [one.line for one in passages if one.text == "A story"] == [11]


def test_a_paragraph_wholly_in_another_language_is_prose(tmp_path):
    passages = Material(compose(tmp_path, TEXT.replace("Welcome.", "[Bienvenue.]{lang=fr}"), {"a.png": png()})).passages
    assert [(one.kind, one.foreign) for one in passages if one.line == 7] == [(Kind.PROSE, ((0, 10, "fr"),))]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! “Three?” Four", ["One.", "Two!", "Three", "Four"]),
        ("Version 2.5 is e.g. here.", ["Version 2.5 is e.g. here."]),
        ("¿Sí? ¡No! Él", ["¿Sí?", "¡No!", "Él"]),
        ("هل؟ نعم.", ["هل؟", "نعم."]),
    ],
    ids=["en", "no end", "es", "ar"],
)  # fmt: skip
def test_sentences_end_before_a_capital_or_a_letter_without_case(text, sentences):
    found = Passage(text, 1, Kind.PROSE, "en").sentences
    assert [sentence.strip("“”?") if "Three" in sentence else sentence for sentence in found] == sentences
