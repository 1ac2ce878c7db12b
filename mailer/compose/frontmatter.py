"""The YAML between the two `---` lines: read with its line numbers, checked whole."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from mailer.config import Config
from mailer.errors import nearest

Report = Callable[[int, str], None]
OneLine = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\n]*$")]


class FrontMatter(BaseModel):
    """The keys an issue may set. Only `title` and `date` must stand."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    title: Annotated[OneLine, Field(min_length=1)] = "Untitled"
    date: datetime.date = datetime.date.min
    subject: OneLine = ""
    preheader: OneLine = ""
    number: OneLine = ""
    language: OneLine = ""
    template: OneLine = ""
    masthead: OneLine = ""
    masthead_alt: OneLine = ""
    _lines: dict[str, int] = PrivateAttr(default_factory=dict)

    def line(self, key: str) -> int:
        """The 1-based line of the file on which a key stands."""
        return self._lines.get(key, 1)


def read_front_matter(text: str, config: Config, report: Report) -> FrontMatter:
    """Read the text between the `---` lines, which begins on line 2 of the file."""
    try:
        data: Any = YAML(typ="rt").load(text) or CommentedMap()
    except MarkedYAMLError as error:
        mark = error.problem_mark
        problem = (error.problem or "cannot be read").split("\n")[0]
        report(
            mark.line + 2 if mark else 1,
            f'the front matter is not valid YAML: {problem}; put values with : or # in them into "quotes"',
        )
        return FrontMatter()
    if not isinstance(data, CommentedMap):
        report(2, "the front matter must be lines of “key: value”")
        return FrontMatter()
    lines = {str(key): data.lc.key(key)[0] + 2 for key in data}
    for key in ("title", "date"):
        if key not in data:
            example = "title: Enterprises Newsletter" if key == "title" else "date: 2018-12-14"
            report(1, f"the {key} is missing; add a line such as “{example}” to the front matter")
    values = {str(key): value for key, value in data.items()}
    try:
        front = FrontMatter.model_validate(values)
    except ValidationError as error:
        for mistake in error.errors():
            key = str(mistake["loc"][0])
            report(lines.get(key, 1), _sentence(key, mistake["type"], values.get(key)))
        bad = {str(mistake["loc"][0]) for mistake in error.errors()}
        front = FrontMatter.model_validate({key: value for key, value in values.items() if key not in bad})
    front._lines = lines
    languages = (config.newsletter.language, *config.newsletter.languages)
    if front.language and front.language not in languages:
        report(
            front.line("language"),
            f"the newsroom has no language “{front.language}”. {nearest(front.language, languages)}",
        )
    return front


def _sentence(key: str, kind: str, value: object) -> str:
    if kind == "extra_forbidden":
        return f"unknown key “{key}”. {nearest(key, FrontMatter.model_fields)}"
    if key == "date":
        return f"“{value}” is no date; write date: 2018-12-14"
    if kind == "string_too_short":
        return f"the {key} is empty; write it behind the colon"
    if kind == "string_pattern_mismatch":
        return f"the {key} must be one line"
    return f'the {key} must be text; put it into "quotes"'
