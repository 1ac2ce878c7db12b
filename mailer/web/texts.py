"""What the reader's pages say, in every language: gettext catalogues, which a newsroom may override text by text.

    texts = catalogues(config)["fr"]
    texts("Unsubscribe")                                  "Se désabonner"
    texts("You will get {newsletter}.", newsletter="…")   {names} are filled in after the translation

The English text is the key. Translations stand in `locale/<language>.po` and are compiled when the site starts, so
nobody builds anything; `[texts.fr]` in the configuration puts a newsroom's own words in their place.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from mailer.compose import scripts
from mailer.compose.dates import Dates
from mailer.errors import nearest
from mailer.models import Problem
from mailer.settings import Config

LOCALE = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language."""

    language: str
    own: Mapping[str, str]  # the newsroom's, by the English text
    catalogue: gettext.NullTranslations

    @property
    def dir(self) -> str:
        """The direction of writing, as HTML has it."""
        return scripts.direction(self.language)

    @property
    def name(self) -> str:
        """What the language calls itself, as in a list: `Français`."""
        return _name(self.language)

    @property
    def dates(self) -> Dates:
        """Writes days in this language."""
        return Dates(self.language)

    def __call__(self, text: str, **values: object) -> str:
        """A text, with its {names} filled in."""
        return self._found(text).format(**values)

    def html(self, text: str, **values: object) -> Markup:
        """A text for a page. A value that is Markup stays as it is, everything else is escaped."""
        return Markup(escape(self._found(text))).format(**values)

    def count(self, one: str, many: str, number: int, **values: object) -> Markup:
        """A text that depends on a number, which it calls {count}. Overridden as one text, under `many`."""
        found = self.own.get(many) or self.catalogue.ngettext(one, many, number)
        return Markup(escape(found)).format(count=number, **values)

    def named(self, words: str) -> str:
        """The name of an interest, or what explains it, which only the newsroom can have translated."""
        return self.own.get(words, words)

    def _found(self, text: str) -> str:
        return self.own.get(text) or self.catalogue.gettext(text)


def catalogues(config: Config) -> dict[str, Texts]:
    """The texts of each language of the newsroom, its default first. One without a catalogue speaks English."""
    languages = dict.fromkeys((config.newsletter.language, *config.newsletter.languages))
    return {language: texts_in(config, language) for language in languages}


def problems(config: Config) -> list[Problem]:
    """What is wrong with the newsroom's own words: each stands for nothing, or lost a {word}."""
    known = {text for ids in _ids() for text in ids} | {*config.interests.values(), *config.explanations.values()}
    found = []
    for language, own in config.texts.items():
        for text, words in own.items():
            where = f"[texts.{language}] “{text}”"
            if text not in known:
                found.append(f"{where} is no text of the reader's pages. {nearest(text, sorted(known))}")
            elif lost := _braces(text) ^ _braces(words):
                found.append(f"{where} must hold the same words in braces; look at {', '.join(sorted(lost))}")
    return [Problem("configuration", 0, what) for what in found]


def untranslated(config: Config) -> dict[str, list[str]]:
    """The texts that a language of the newsroom leaves in English: neither a catalogue has them nor the newsroom."""
    lacking = {}
    for language in dict.fromkeys((config.newsletter.language, *config.newsletter.languages)):
        if language.partition("-")[0] != "en" and not _path(language):
            own = config.texts.get(language, {})
            lacking[language] = [ids[-1] for ids in _ids() if ids[-1] not in own]
    return {language: texts for language, texts in lacking.items() if texts}


def texts_in(config: Config, language: str) -> Texts:
    """The texts of one language."""
    return Texts(language, config.texts.get(language, {}), _compiled(language))


def catalogue(language: str) -> Catalog | None:
    """The translations of a language as they are written, or of the language that a region belongs to."""
    if path := _path(language):
        with path.open("rb") as file:
            return read_po(file, locale=path.stem)
    return None


def _path(language: str) -> Path | None:
    names = (language, language.partition("-")[0])
    return next((path for name in names if (path := LOCALE / f"{name}.po").is_file()), None)


@lru_cache(maxsize=256)  # as browsers send few different ones
def preferred(accepted: str, languages: tuple[str, ...]) -> str:
    """The best of these languages for an Accept-Language field (RFC 9110 section 12.5.4); the first when none suits."""
    wishes: list[tuple[float, str]] = []
    for part in accepted.split(",")[:20]:
        name, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        wishes.append((quality, name.strip().lower()))
    known = {language.lower(): language for language in languages}
    for quality, wish in sorted(wishes, key=lambda found: -found[0]):
        for name in (wish, wish.partition("-")[0]):
            if quality > 0 and name in known:
                return known[name]
    return languages[0]


def _ids() -> list[tuple[str, ...]]:
    """Every text, as any complete catalogue has it; with both forms where there are two."""
    messages = (message.id for message in catalogue("fr") or () if message.id)
    return [(message,) if isinstance(message, str) else tuple(message) for message in messages]


def _braces(text: str) -> set[str]:
    return set(re.findall(r"\{\w*\}", text))


@cache
def _name(language: str) -> str:
    found = Locale.parse(language.replace("-", "_")).get_language_name()
    return (found or language).capitalize()


@cache
def _compiled(language: str) -> gettext.NullTranslations:
    found = catalogue(language)
    if found is None:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
