"""The YAML between the two `---` lines: read with its line numbers, checked whole.

Only the document's nodes are read, never its types: `title: 2018` and `title: yes` are the words that were written,
`date: 2018-02-30` is no crash but a mistake with a line, and no tag can make an object.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from mailer.compose import slips
from mailer.compose.characters import printable
from mailer.errors import nearest
from mailer.settings import Config

Report = Callable[[int, str], None]
_EXAMPLES = {"title": "title: Enterprises Newsletter", "date": "date: 2018-12-14"}


@dataclass(slots=True)
class FrontMatter:
    """The keys an issue may set. Only `title` and `date` must stand."""

    title: str = "Untitled"
    date: datetime.date = datetime.date.min
    subject: str = ""
    preheader: str = ""
    number: str = ""
    language: str = ""
    template: str = ""
    masthead: str = ""
    masthead_alt: str = ""
    silence: tuple[tuple[str, str, int], ...] = ()  # what is silenced, why, and on which line
    lines: dict[str, int] = field(default_factory=dict)  # on which 1-based line of the file a key stands


KEYS = tuple(key.name for key in fields(FrontMatter) if key.name != "lines")


def read_front_matter(text: str, config: Config, report: Report) -> FrontMatter:
    """Read the text between the `---` lines, which begins on line 2 of the file."""
    front = FrontMatter()
    try:
        document = YAML(typ="rt").compose(text)
    except (MarkedYAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = str(getattr(error, "problem", None) or "it is nested too deep").split("\n")[0]
        slip = slips.first(text) or (
            mark.line if mark else -1,
            f'the front matter is not valid YAML: {problem}; put values with : or # in them into "quotes"',
        )
        report(slip[0] + 2, slip[1])
        return front
    if document is not None and not isinstance(document, MappingNode):
        report(2, "the front matter must be lines of “key: value”")
        return front
    for key, line, node in _pairs(document):
        if key not in KEYS:
            report(line, f"unknown key “{key}”. {nearest(key, KEYS)}")
        elif key in front.lines:
            report(line, f"the {key} is given twice, first on line {front.lines[key]}; keep one")
        else:
            front.lines[key] = line
            _set(front, key, node, report)
    for key, example in _EXAMPLES.items():
        if key not in front.lines:
            report(1, f"the {key} is missing; add a line such as “{example}” to the front matter")
    _check(front, config, report)
    return front


def _pairs(document: Any) -> Iterator[tuple[str, int, Any]]:
    for key, value in document.value if document else ():
        name = key.value if isinstance(key, ScalarNode) else "[...]"
        yield name, key.start_mark.line + 2, value


def _set(front: FrontMatter, key: str, node: Any, report: Report) -> None:
    line = front.lines[key]
    if key == "silence":
        front.silence = tuple(_silences(node, line, report))
        return
    if not isinstance(node, ScalarNode):
        report(line, f'the {key} must be text; put it into "quotes"')
        return
    value = printable(node.value).strip(" \t\n")
    if node.style is None and slips.CURLY.fullmatch(value):
        report(line, f'straight quotes belong around {value}, also where curly ones are meant: {key}: "{value}"')
    elif "\n" in value:
        report(line, f"the {key} must be one line")
    elif key == "date":
        try:
            front.date = _date(value)
        except ValueError:
            report(line, f"“{value}” is no date; write {_EXAMPLES[key]}")
    elif key == "title" and not value:
        report(line, "the title is empty; write it behind the colon")
    else:
        setattr(front, key, value)


def _silences(node: Any, line: int, report: Report) -> Iterator[tuple[str, str, int]]:
    if not isinstance(node, MappingNode):
        report(line, "silence: is followed by lines of “  MLR025: the reason” or “  MLR025 story-id: the reason”")
        return
    for what, where, value in _pairs(node):
        reason = value.value.strip() if isinstance(value, ScalarNode) else ""
        if not reason:
            report(where, f"the silence of {what} needs a reason; write it behind the colon")
        yield what, reason, where


def _date(text: str) -> datetime.date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):  # fromisoformat takes other ISO forms, too
        raise ValueError(text)
    return datetime.date.fromisoformat(text)


def _check(front: FrontMatter, config: Config, report: Report) -> None:
    languages = (config.newsletter.language, *config.newsletter.languages)
    if front.language and front.language not in languages:
        what = f"the newsroom has no language “{front.language}”. {nearest(front.language, languages)}"
        report(front.lines["language"], what)
        front.language = ""
    if front.template and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", front.template):
        what = f"“{front.template}” is no template; write the name of a folder in templates/, such as enterprises"
        report(front.lines["template"], what)
    if front.masthead and not front.masthead_alt:
        what = "the masthead has no alt text; add a line masthead_alt: that says what the picture shows"
        report(front.lines["masthead"], what)
    if front.masthead_alt and not front.masthead:
        report(front.lines["masthead_alt"], "masthead_alt: needs a masthead:; name the picture, or take it out")
