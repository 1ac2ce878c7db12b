"""Hunspell's dictionaries, read by spylls: whether a word is right, and the nearest right one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from spylls.hunspell import Dictionary, readers
from spylls.hunspell.readers import FileReader

_FIRST = {"en": "en_GB", "es": "es_ES"}  # of a language's dictionaries; dates.py has the same preference
_ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءآأإؤئ"
_LETTERS = "abcdefghijklmnopqrstuvwxyzàáâäçèéêëíîïñóôöùúûü"


class Speller:
    """One language's words."""

    def __init__(self, path: Path) -> None:
        self._dictionary = _read(path)

    def knows(self, word: str) -> bool:
        """Whether the word is right. Upper case counts: “paris” is wrong."""
        return bool(self._dictionary.lookup(word))

    def nearest(self, word: str) -> str:
        """A right word one typing mistake away (Norvig, How to write a spelling corrector), or nothing: two letters
        swapped, one too many, one missing, one wrong. Spylls' own suggestions take minutes for some words."""
        halves = [(word[:place], word[place:]) for place in range(len(word) + 1)]
        tried = [a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1]
        tried += [a + b[1:] for a, b in halves if b]
        letters = _ARABIC if word[:1] >= "\u0600" else _LETTERS
        tried += [a + letter + b for a, b in halves for letter in letters]
        tried += [a + letter + b[1:] for a, b in halves if b for letter in letters]
        alike = [other for other in tried if other != word and other[:1].isupper() == word[:1].isupper()]
        return next((other for other in alike if self.knows(other)), "")


@cache
def speller(language: str, folders: tuple[Path, ...]) -> Speller | None:
    """The dictionary of a language in the first folder that has one; reading it takes a second or two."""
    path = find(language, folders)
    return Speller(path) if path else None


def find(language: str, folders: Sequence[Path]) -> Path | None:
    """A language's .aff and .dic files, without their suffix: those of its own region, else the usual ones."""
    tag = language.replace("-", "_")
    base = tag.partition("_")[0]
    for folder in folders:
        names = sorted(path.stem for path in folder.glob(f"{base}*.dic") if path.with_suffix(".aff").is_file())
        fitting = [name for name in (tag, _FIRST.get(base, base), base) if name in names]
        fitting += [name for name in names if name.startswith(f"{base}_")]
        if fitting:
            return folder / fitting[0]
    return None


class _ClosedReader(FileReader):  # type: ignore[misc]  # it has no types
    """Spylls leaves its files open, also the first when the encoding changes on the way."""

    def reset_io(self, obj: object) -> None:
        if hasattr(self, "io"):
            self.io.close()
        super().reset_io(obj)


def _read(path: Path) -> Dictionary:
    rules = _ClosedReader(f"{path}.aff")
    try:
        aff, context = readers.read_aff(rules)
    finally:
        rules.io.close()
    words = _ClosedReader(f"{path}.dic", encoding=context.encoding)
    try:
        return Dictionary(aff, readers.read_dic(words, aff=aff, context=context))
    finally:
        words.io.close()
