"""A page rendered again after an edit: only the stories that changed are inlined, into the frame of the page before.

rendering = Rendering()
rendering.page(issue, theme, config, marks)      the first time it renders everything
rendering.page(issue, theme, config, marks)      == page.render(issue, theme, config, marks), in a quarter of the time

The template always runs, so that it may write what it likes; what it wrote is compared with the page before. Behind it,
what a story becomes depends on its MJML, the tags that are open around it and the sheet to inline: MRML hands on what
holds no tag of its own, and a rule by position is refused (template.py). Where anything but such a story changed, the
page is rendered whole.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from mailer.compose import page
from mailer.compose.marks import Marks
from mailer.compose.theme import Theme
from mailer.errors import InputError
from mailer.models import Issue
from mailer.settings import Config

_TAG_OR_COMMENT = re.compile(
    r"<!--.*?-->|<(?P<close>/?)(?P<name>[A-Za-z][\w:-]*)(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?P<alone>/?)>", re.DOTALL
)
_VOID = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"}
_SPACE = " \t\n"


@dataclass(frozen=True)
class _Page:
    """A page on its way: text and marks of stories in turn, so that every fourth part is what stands in one."""

    marks: Marks
    css: str
    mjml: list[str]
    bare: str  # MRML's HTML, nothing inlined
    html: list[str]

    @cached_property
    def frame(self) -> list[str]:
        """The MJML without the stories that can be put in by themselves."""
        return _frame(self.mjml)

    @cached_property
    def tags(self) -> list[tuple[list[str], list[str]]]:
        """What is open around each story, in the MJML and in the HTML."""
        return list(zip(_around("".join(self.mjml), self.marks), _around(self.bare, self.marks), strict=True))


@dataclass(slots=True)
class Rendering:
    """The page that was last rendered."""

    # Its own, the same for every page; those of an issue change with every edit. No author can know them.
    _marks: Marks = field(default_factory=lambda: Marks(secrets.token_hex(4)))
    _last: _Page | None = None

    def page(self, issue: Issue, theme: Theme, config: Config, marks: Marks) -> str:
        """What page.render gives. Raises InputError when the template does not give a page."""
        mjml, css = self._split(theme.mjml(issue, config, self._marks)), theme.inline_css(issue, config)
        html = None
        if self._last and (css, _frame(mjml)) == (self._last.css, self._last.frame):
            with suppress(InputError, LookupError, ValueError):  # told by the whole page
                html = self._renewed(self._last, mjml, theme)
        if html is None:
            bare = page.html_from_mjml("".join(mjml), theme)
            html = self._split(page.inline(bare, css))
            known = len(html) == len(mjml)
            self._last = _Page(self._marks, css, mjml, bare, html) if known else None
        ours, theirs = self._marks.nonce, marks.nonce
        return "".join(html).replace(f"@@{ours}:", f"@@{theirs}:").replace(f"%%{ours}_", f"%%{theirs}_")

    def _renewed(self, last: _Page, mjml: list[str], theme: Theme) -> list[str]:
        """The page before with the stories that changed."""
        for number in range(2, len(mjml), 4):
            old, new = last.mjml[number].strip(_SPACE), mjml[number].strip(_SPACE)
            if new == old:
                continue
            opened, around = last.tags[number // 4]
            bare = self._split(page.html_from_mjml(_enclosed(opened, mjml[number - 1 : number + 2]), theme))
            story = self._split(page.inline(_enclosed(around, bare[1:4]), last.css))[2].strip(_SPACE)
            last.html[number] = last.html[number].replace(last.html[number].strip(_SPACE), story)
            last.mjml[number] = mjml[number]
        return last.html

    def _split(self, text: str) -> list[str]:
        return re.split(f"(<!--@@{self._marks.nonce}:/?story:[^@]*@@-->)", text)


def _enclosed(opened: list[str], parts: list[str]) -> str:
    closing = (f"</{re.split('[ >]', tag, maxsplit=1)[0][1:]}>" for tag in reversed(opened))
    return "".join([*opened, *parts, *closing])


def _frame(mjml: list[str]) -> list[str]:
    parts = mjml.copy()
    for number in range(2, len(parts), 4):
        story = parts[number].strip(_SPACE)
        # It goes through MRML as it is, and white space beside it stands between tags.
        if story.startswith("<") and story.endswith(">") and "<mj" not in story:
            parts[number] = parts[number].replace(story, "\0")
    return parts


def _around(text: str, marks: Marks) -> list[list[str]]:
    """The open tags at each begin of a story."""
    begin = f"<!--@@{marks.nonce}:story:"
    opened: list[tuple[str, str]] = []
    around = []
    for found in _TAG_OR_COMMENT.finditer(text):
        tag, name = found[0], found["name"]
        if name is None:
            if tag.startswith(begin):
                around.append([tag for _, tag in opened])
        elif not found["close"]:
            if not found["alone"] and name not in _VOID:
                opened.append((name, tag))
        elif any(name == other for other, _ in opened):
            while opened.pop()[0] != name:
                pass
    return around
