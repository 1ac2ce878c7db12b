"""Words that no dictionary has. Only looked at where dictionaries are given: reading one takes a second or two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unicodedata import normalize

from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import Kind, Passage
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

FOLDERS = (Path("/usr/share/hunspell"), Path("/usr/share/myspell"), Path("/Library/Spelling"))
WORDS = "words.txt"  # in the newsroom: a word a line, # for comments
_LETTERS = r"(?:[^\W\d_][\u0300-\u036f\u064b-\u065f\u0670]*)+"  # with accents of their own and Arabic vowels
_WORD = re.compile(rf"(?<![\w.@#/_-]){_LETTERS}(?:[’']{_LETTERS})*(?![\w@_])")
_ELIDED = re.compile(r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quelqu)'", re.IGNORECASE)

UNKNOWN = rule(
    "MLR170", Severity.NOTE, "a word that is in no dictionary", "a misspelt word makes readers doubt the rest"
)  # fmt: skip


def check(material: Material) -> Iterator[Finding]:
    """Each unknown word once, at its first place."""
    if not material.dictionaries:
        return
    from mailer.compose.dictionary import speller  # its library is an extra

    passages = [one for one in material.passages if one.kind is not Kind.CELL]
    right = _accepted(material.root) | _recurring(passages)  # and, on the way, what has been told
    for passage in passages:
        for found in _WORD.finditer(passage.prose):
            word = _plain(found[0])
            spelt = speller(passage.language_at(found.start()), tuple(material.dictionaries))
            if spelt is None or word.casefold() in right or _known(word, spelt.knows):
                continue
            right.add(word.casefold())
            near = spelt.nearest(word)
            fix = f"write “{near}”, or add the word to {WORDS}" if near else f"mend it, or add it to {WORDS}"
            line = passage.line_at(found.start())
            yield material.finding(UNKNOWN, f"“{found[0]}” is in no dictionary", fix, line, passage.story)


def _accepted(root: Path | None) -> set[str]:
    """The newsroom's own words."""
    path = (root or Path()) / WORDS
    lines = path.read_text("utf-8").splitlines() if root and path.is_file() else []
    return {_plain(word).casefold() for line in lines if (word := line.partition("#")[0].strip())}


def _recurring(passages: Sequence[Passage]) -> set[str]:
    """Names: words with a capital that stand twice or more. Acronyms at once."""
    words = [_plain(word) for one in passages for word in _WORD.findall(one.prose) if not word.islower()]
    counts = Counter(word.casefold() for word in words)
    acronyms = {word.casefold() for word in words if sum(letter.isupper() for letter in word) > 1}
    return acronyms | {word for word, times in counts.items() if times > 1}


def _plain(word: str) -> str:
    """As dictionaries have it: a straight apostrophe, an accent and its letter in one character."""
    return normalize("NFC", word.replace("’", "'"))


def _known(word: str, knows: Callable[[str], bool]) -> bool:
    """As it stands, in small letters, without its possessive s, without its elided article."""
    return any(knows(form) for form in {word, word.lower(), re.sub(r"'s?$", "", word), _ELIDED.sub("", word)} if form)
