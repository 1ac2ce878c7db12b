"""Stories that are in another language than the one declared, and languages that the newsroom cannot speak.

By script always (Unicode's names of letters against CLDR's script of the language); among English, French and Spanish
by the words that only one of them has, where the evidence is strong.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache

from mailer.compose import scripts
from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import Kind, Passage
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity, Story

_WORDS = {  # frequent, and no word of the other two
    "en": "the and of to in is are for with that this was were by from has have which their its it as at will be",
    "fr": "le les des et du une dans pour est sont avec qui sur au aux ce cette ces par plus ont leur leurs nous vous",
    "es": "el los las y del una para con por son al como más sus su este esta ha han donde sobre entre también",
}
_PROFILES = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_PROFILES["fr"] |= {"d’", "l’"}
_FEW_LETTERS = 20
_FEW_WORDS = 15
_SHARE = 0.15  # of all words: 0.19 to 0.36 in the stories of December 2018, 0.03 at most of another language

SCRIPT = rule(
    "MLR160", Severity.WARNING, "text in another script than its language has",
    "screen readers spell it out or fall silent, and right-to-left text is set the wrong way round",
)  # fmt: skip
LANGUAGE = rule(
    "MLR161", Severity.WARNING, "text in another language than declared",
    "screen readers read it with the wrong sounds, and nobody understands it",
)  # fmt: skip
UNTRANSLATED = rule(
    "MLR162", Severity.WARNING, "a language of the newsroom that lacks words",
    "readers who chose it are answered in English, or an issue in it cannot be composed",
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Each story, and what stands before the first; and the languages that the configuration names."""
    yield from _untranslated(material)
    for story in (None, *material.issue.stories):
        own = [one for one in material.passages if one.story is story and one.kind is not Kind.CELL]
        if own:
            yield from _passages(material, story, own)


def _passages(material: Material, story: Story | None, own: list[Passage]) -> Iterator[Finding]:
    language, line = own[0].language, own[0].line
    text = " ".join(passage.prose for passage in own)
    what = "this story is" if story else "the front matter and the welcome are"
    wanted, found = scripts.letters(language), _scripts(text)
    main, letters = found.most_common(1)[0] if found else ("", 0)
    if wanted and letters >= _FEW_LETTERS and main not in wanted and letters > found.total() / 2:
        told = f"{what} mostly in {main.capitalize()} letters, and declared as “{language}”"
        fix = "write lang= with its language behind its heading" if story else "set language: in the front matter"
        yield material.finding(SCRIPT, told, fix, line, story)
    elif other := _other(text, language):
        fix = f"write lang={other} behind its heading" if story else f"set language: {other} in the front matter"
        told = f"{what} in “{other}” by its commonest words, and declared as “{language}”"
        yield material.finding(LANGUAGE, told, f"{fix}, or put in the right text", line, story)


def _untranslated(material: Material) -> Iterator[Finding]:
    """Languages without words in the template, or without translations of the reader's pages."""
    theme, newsletter = material.composition.theme, material.composition.config.newsletter
    for language in dict.fromkeys((newsletter.language, *newsletter.languages)):
        if not {language, language.partition("-")[0]} & set(theme.settings["words"]):
            text = f"the template has no words in “{language}”"
            fix = f"copy [words.en] to [words.{language}] and translate it"
            yield material.finding(UNTRANSLATED, text, fix, path=f"{theme.shown}/theme.toml")
        if lacking := material.english.get(language):
            first = ", ".join(f"“{text}”" for text in lacking[:3])
            text = f"{len(lacking)} texts of the reader's pages and their mails have no translation into “{language}” "
            text += f"and stand in English: {first}" + (", ..." if len(lacking) > 3 else "")
            fix = f"translate them under [texts.{language}]"
            yield material.finding(UNTRANSLATED, text, fix, path=material.configuration)


def _other(text: str, language: str) -> str:
    """The one of en, fr and es that the text is in, when it is surely not the declared one."""
    declared = language.partition("-")[0]
    words = re.findall(r"[dl]’|[^\W\d_]+", text.casefold().replace("'", "’"))
    if declared not in _PROFILES or len(words) < _FEW_WORDS:
        return ""
    counts = {name: sum(word in profile for word in words) for name, profile in _PROFILES.items()}
    best = max(counts, key=lambda name: counts[name])
    sure = counts[best] >= _SHARE * len(words) and counts[best] >= 5 * max(1, counts[declared])
    return best if best != declared and sure else ""


def _scripts(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sign, times in Counter(text).items():
        if sign.isalpha():
            counts[_script(sign)] += times
    return counts


@cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0]
