"""Where sections and stories begin: the block tokens of an issue, split at `#` and `##`."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from markdown_it.token import Token

from mailer.compose import markup

Report = Callable[[int, str], None]
_HEADING = re.compile(r"^##?[ \t]", re.MULTILINE)
_NO_BLANK = re.compile(r"(#{2,3}|#(?!\d))[^# \t]")  # “#2 of the list” may begin a line
_LITERAL = re.compile(r"\\.|(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)  # an escaped character, or code
_COMMENT = re.compile(r"\s*(?:<!--(?:(?!-->).)*-->\s*)+", re.DOTALL)
_LOST = re.compile(r"\{[^{}]*(?:topics|date|place|lang)\s*=[^{}]*\}")
_ROUND = re.compile(r"[(\[][^()\[\]]*\b(?:topics|date|place|lang)=[^()\[\]]*[)\]]\s*$")
_WORDS = {"text", "code_inline", "softbreak", "hardbreak", "em_open", "em_close", "strong_open", "strong_close"}


def passages(text: str) -> Iterator[tuple[int, str]]:
    """A file cut where sections and stories seem to begin, each part with its first line.

    The first is the front matter and the welcome.
    """
    headings = _HEADING.finditer(text, max(0, text.find("\n---\n", 3)))
    starts = [0, *(found.start() for found in headings if found.start()), len(text)]
    line = 1
    for start, end in pairwise(starts):
        passage = text[start:end]
        yield line, passage
        line += passage.count("\n")


@dataclass(slots=True)
class Run:
    """A heading of level 1 or 2 and the blocks up to the next one. Level 0 is what comes before the first."""

    level: int
    title: str = ""
    attributes: str | None = None
    line: int = 0
    body: list[Token] = field(default_factory=list)


def split(tokens: Sequence[Token], report: Report) -> list[Run]:
    """The welcome, then every section and story in the order of the file; headings are checked on the way."""
    runs = [Run(level=0)]
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.type == "heading_open" and token.tag in ("h1", "h2") and token.level == 0:
            line, inline = markup.line_of(token), tokens[position + 1]
            if token.markup in ("-", "="):
                report(line, f"the line of {token.markup} under these words makes a heading of them; put an empty line "
                             "above it, or write # or ## before the words")  # fmt: skip
            runs.append(Run(int(token.tag[1]), markup.plain(inline), token.meta.get("attributes"), line))
            if any(child.type not in _WORDS for child in inline.children or ()):
                report(line, "a title holds words only; put links, pictures and HTML into the text below it")
            _check_braces(inline.content, line, report)
            position += 3
        elif token.type == "html_block" and _COMMENT.fullmatch(token.content):
            position += 1  # for those who write: it must not part a story from its picture or its button
        else:
            runs[-1].body.append(token)
            position += 1
    for run in runs:
        _check_headings(run, report)
    return runs


def _check_headings(run: Run, report: Report) -> None:
    level = run.level
    for before, token in pairwise([None, *run.body]):
        if token and before and before.type == "paragraph_open":
            _check_blanks(token, report)
        if token is None or token.type != "heading_open":
            continue
        deeper, line = int(token.tag[1]), markup.line_of(token)
        if token.meta.get("attributes") is not None:
            report(line, "only sections and stories take {attributes}; take them out here")
        if token.level:
            report(line, "a heading inside a list or a quotation is lost to readers; make it **bold**")
        elif not run.level:
            report(line, f"{'#' * deeper} stands before the first section; make it **bold**, or begin with “# Section”")
        elif deeper > level + 1:
            report(line, f"this heading skips a level: {'#' * deeper} after {'#' * level}; write {'#' * (level + 1)}")
            level = deeper
        else:
            level = deeper


def _check_braces(title: str, line: int, report: Report) -> None:
    """Braces left in a heading: one forgotten must not turn topics into words, and the story into everybody's."""
    title = _LITERAL.sub("", title)
    depth = 0
    for brace in re.findall(r"[{}]", title):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            report(line, "this heading has “}” without “{”; open it, or write \\}")
            return
    if depth:
        report(line, "this heading has “{” without “}”; close it")
    elif _LOST.search(title):
        report(line, "{attributes} stand at the end of a heading; put the words before them")
    elif _ROUND.search(title):
        report(line, "attributes stand between { and }, not between other brackets")


def _check_blanks(inline: Token, report: Report) -> None:
    for down, row in enumerate(inline.content.split("\n")):
        if found := _NO_BLANK.match(row):
            what = f"put a blank behind {found[1]}; where no heading is meant, write \\{found[1]}"
            report(markup.line_of(inline) + down, what)


def check_unique(ids: Sequence[tuple[str, int]], what: str, report: Report) -> None:
    """Report each id, given with its line, that stands a second time."""
    lines: dict[str, list[int]] = {}
    for id_, line in ids:
        seen = lines.setdefault(id_, [])
        if seen:
            suggestion = f"give this one another: {{#{id_}-{len(seen) + 1}}}"
            report(line, f"two {what} have the id “{id_}”, the other is on line {seen[0]}; {suggestion}")
        seen.append(line)


def slug_from_title(title: str, kind: str) -> str:
    """A stable id: the title's ASCII words joined by hyphens, else the kind and a short hash."""
    folded = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    slug = "-".join(re.findall(r"[a-z0-9]+", folded.replace("'", "")))[:60].strip("-")
    return slug or f"{kind}-{hashlib.sha256(title.encode('utf-8')).hexdigest()[:8]}"
