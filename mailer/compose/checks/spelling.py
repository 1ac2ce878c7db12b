"""Words that no dictionary has. Only looked at where dictionaries are given: reading one takes a second or two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mailer.compose.checks.material import Material
from mailer.compose.checks.passages import Kind, Passage
from mailer.compose.checks.rules import rule
from mailer.models import Finding, Severity

FOLDERS = (Path("/usr/share/hunspell"), Path("/usr/share/myspell"), Path("/Library/Spelling"))
WORDS = "words.txt"  # in the newsroom: a word a line, # for comments
_WORD = re.compile(r"(?<![\w.@#/_-])[^\W\d_]+(?:[’'][^\W\d_]+)*(?![\w@_])")
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
        spelt = speller(passage.language, tuple(material.dictionaries))
        for found in _WORD.finditer(passage.prose) if spelt else ():
            word = found[0].replace("’", "'")
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
    return {word.replace("’", "'").casefold() for line in lines if (word := line.partition("#")[0].strip())}


def _recurring(passages: Sequence[Passage]) -> set[str]:
    """Names: words with a capital that stand twice or more. Acronyms at once."""
    words = [word.replace("’", "'") for one in passages for word in _WORD.findall(one.prose) if not word.islower()]
    counts = Counter(word.casefold() for word in words)
    acronyms = {word.casefold() for word in words if sum(letter.isupper() for letter in word) > 1}
    return acronyms | {word for word, times in counts.items() if times > 1}


def _known(word: str, knows: Callable[[str], bool]) -> bool:
    """As it stands, in small letters, without its possessive s, without its elided article."""
    return any(knows(form) for form in {word, word.lower(), re.sub(r"'s?$", "", word), _ELIDED.sub("", word)} if form)
