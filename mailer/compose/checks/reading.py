"""How hard the text is to read: sentences that do not end, stories that nobody gets through, capitals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import OBJECT, Kind, Passage
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity, Story

_LONGEST = 50  # words; the longest of December 2018, once edited, has 36, of its raw text 87
_HARDEST = 0.0  # of 100: the stories of December 2018 have 7 to 47, three of its raw text less than 0
_LEVELS = ((80, "easy"), (70, "fairly easy"), (60, "plain"), (50, "fairly difficult"), (30, "difficult"),
           (float("-inf"), "very difficult"))  # fmt: skip
_ENOUGH = 60  # words; a formula made for running text says nothing of less
_VOWELS = {"en": "aeiouy", "fr": "aeiouyàâäéèêëîïôöùûüÿœæ", "es": "aeiouáéíóúü"}
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*|\d[\d.,]*")
_CAPITALS = re.compile(r"(?<!\w)(?:[^\W\d_]{2,}[ \n]+){2,}[^\W\d_]{2,}(?!\w)")

LONG = rule(
    "MLR150", Severity.NOTE, "a sentence of more than 50 words", "readers have forgotten its beginning at its end"
)  # fmt: skip
HARD = rule("MLR151", Severity.NOTE, "a story that is very hard to read", "few will get through it")
CAPITALS = rule(
    "MLR152", Severity.NOTE, "words in capitals",
    "they are slow to read, look like shouting, and some screen readers spell them letter by letter",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """Measures of some text. `ease` runs from 0 (very hard) to 100 (very easy), and may lie beyond either."""

    words: int
    sentences: int
    ease: float | None  # None for a language without a formula

    @property
    def per_sentence(self) -> float:
        """Words a sentence, on average."""
        return self.words / max(1, self.sentences)

    @property
    def level(self) -> str:
        """Flesch's word for the ease (1949); empty without a formula."""
        return next((word for least, word in _LEVELS if self.ease is not None and self.ease >= least), "")


def measure(passages: Sequence[Passage]) -> Reading:
    """Flesch's reading ease for English (1948), Kandel and Moles's for French (1958), Fernández Huerta's for
    Spanish (1959). The passages are in one language."""
    language = passages[0].language.partition("-")[0] if passages else ""
    sentences = [words for one in passages for sentence in one.sentences if (words := _WORD.findall(sentence))]
    words = [word for sentence in sentences for word in sentence]
    if language not in _VOWELS or not words:
        return Reading(len(words), len(sentences), None)
    per_sentence = len(words) / len(sentences)
    per_word = sum(_syllables(word, language) for word in words) / len(words)
    ease = {
        "en": 206.835 - 1.015 * per_sentence - 84.6 * per_word,
        "fr": 207 - 1.015 * per_sentence - 73.6 * per_word,
        "es": 206.84 - 1.02 * per_sentence - 60 * per_word,
    }[language]
    return Reading(len(words), len(sentences), ease)


def of(material: Material) -> Reading:
    """All running text of the issue in the issue's own language."""
    return measure([one for one in _running(material) if one.language == material.issue.language])


def by_story(material: Material) -> dict[str, Reading]:
    """The running text of each story that has some; what is short has no ease."""
    measured = {story.id: _of_story(material, story) for story in material.issue.stories}
    return {story: reading for story, reading in measured.items() if reading.words}


def check(material: Material) -> Iterator[Finding]:
    """Only what is extreme; ordinary prose of an institution gives nothing."""
    for passage in _running(material):
        yield from _long(material, passage)
    for passage in material.passages:
        if passage.kind is not Kind.CELL:
            yield from _capitals(material, passage)
    for story in material.issue.stories:
        reading = _of_story(material, story)
        if reading.ease is not None and reading.ease < _HARDEST:
            text = f"reading ease {reading.ease:.0f} of 100, {reading.per_sentence:.0f} words a sentence"
            yield material.finding(HARD, text, "write shorter sentences, and short words for long ones", story=story)


def _running(material: Material) -> list[Passage]:
    return [passage for passage in material.passages if passage.kind in (Kind.PROSE, Kind.ITEM)]


def _of_story(material: Material, story: Story) -> Reading:
    reading = measure([passage for passage in _running(material) if passage.story is story])
    return reading if reading.words >= _ENOUGH else replace(reading, ease=None)


def _long(material: Material, passage: Passage) -> Iterator[Finding]:
    position = 0
    for sentence in passage.sentences:
        position = passage.prose.index(sentence, position)
        if (words := len(_WORD.findall(sentence))) > _LONGEST:
            start = " ".join(sentence.replace(OBJECT, " ").split()[:5])
            text = f"the sentence that begins “{start}” has {words} words"
            fix = "make two or three of it, or a list"
            yield material.finding(LONG, text, fix, passage.line_at(position), passage.story)


def _capitals(material: Material, passage: Passage) -> Iterator[Finding]:
    """Three words or more; acronyms in a row are short, or have commas between them."""
    for found in _CAPITALS.finditer(passage.prose):
        words = found[0]
        run = _longest_run(words.split())
        if len(run) >= 3 and sum(len(word) > 4 for word in run) >= 2:
            text = f"“{' '.join(run)}” is in capitals"
            line = passage.line_at(found.start() + words.index(run[0]))
            yield material.finding(CAPITALS, text, "write them small, and stress them with **", line, passage.story)


def _longest_run(words: Sequence[str]) -> list[str]:
    longest: list[str] = []
    run: list[str] = []
    for word in words:
        run = [*run, word] if word.isupper() else []
        longest = max(longest, run, key=len)
    return longest


def _syllables(word: str, language: str) -> int:
    """By groups of vowels, less what is not spoken: near enough over some hundred words."""
    word = word.casefold()
    groups = len(re.findall(f"[{_VOWELS[language]}]+", word))
    if language == "en":
        groups += len(re.findall(r"[iy]a|[iu]o(?!u)|eo", word)) - len(re.findall(r"tio|cio|sio", word))
        groups -= bool(re.search(r"[^aeiouyl]e$|[^aeiouydt]ed$|[^aeiouysxzc]es$", word))
    elif language == "fr":
        groups -= bool(re.search(r"[^aeiouy](?:e|es)$", word))
    else:
        groups += len(re.findall(r"[aeoáéó](?=[aeoáéó])|[íú](?=[aeo])|(?<=[aeo])[íú]", word))
    return max(1, groups)
