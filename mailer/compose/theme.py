"""Issue + templates/<name>/ -> MJML and text, through Jinja2.

    templates/enterprises/
      theme.toml       colours, type, and the words of each language
      page.mjml.j2     the mail; _story, _event, _section, _footer beside it
      page.txt.j2      the text part
      inline.css       what is written into style attributes
      head.css         what stays in the head: phones, dark mode, hover

Autoescape is on for MJML (Jinja's own select_autoescape() would leave *.mjml.j2 unescaped: rendering.md, item 9) and
off for text and CSS. Templates see only their own folder, and an unknown name is an error, not an empty string.
"""

from __future__ import annotations

import re
import tomllib
import traceback
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_interval, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from markupsafe import Markup

from mailer.compose import plaintext
from mailer.compose.marks import Marks
from mailer.config import Config
from mailer.errors import InputError
from mailer.models import Event, Issue, Problem

_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
_LOCALES = {"en": "en_GB"}  # an international institution writes 14 December, not December 14
_COLOUR = re.compile(r"#[0-9a-f]{6}")  # six digits: Outlook reads bgcolor="#fff" as something else
_FORBIDDEN_CSS = (
    # cssutils fetches @import, http and file:// alike, even with allow_network=False (rendering.md, item 2).
    (re.compile(r"@import", re.IGNORECASE), "@import would fetch a file; copy the rules in"),
    (re.compile(r"@charset", re.IGNORECASE), "@charset has no place in a mail; take it out"),
    (re.compile(r"url\(\s*['\"]?(?!https:)", re.IGNORECASE), "url( may only name an https:// address"),
    (re.compile(r"expression\s*\(|javascript:", re.IGNORECASE), "scripts have no place in a mail"),
    (re.compile(r"<", re.IGNORECASE), "“<” would end the style; take it out"),
)
_POSITIONAL = re.compile(r":(?:first|last|nth|only)-|[+~](?![^{]*;)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Theme:
    """A template folder, read. `shown` is how messages name it."""

    folder: Path
    shown: str
    settings: dict[str, Any]

    @classmethod
    def load(cls, folder: Path, shown: str) -> Theme:
        """Read theme.toml. Raises InputError when the folder, the file or a colour is wrong."""
        path = folder / "theme.toml"
        try:
            text = path.read_text("utf-8")
            settings = tomllib.loads(text)
        except FileNotFoundError:
            raise InputError([Problem(shown, 0, "is no template: there is no theme.toml in it")]) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError([Problem(f"{shown}/theme.toml", 0, f"cannot be read: {error}")]) from None
        problems = []
        for scheme, colours in settings.get("colours", {}).items():
            for name, colour in colours.items():
                if not _COLOUR.fullmatch(str(colour)):
                    line = next((n for n, row in enumerate(text.splitlines(), 1) if str(colour) in row), 0)
                    what = f"{scheme} colour {name} = “{colour}” must be six small hexadecimal digits, such as #1b5e7a"
                    problems.append(Problem(f"{shown}/theme.toml", line, what))
        if problems:
            raise InputError(problems)
        return cls(folder, shown, settings)

    def words(self, language: str) -> dict[str, Any]:
        """The fixed words of a mail in a language. Raises InputError when the theme does not speak it."""
        words = self.settings.get("words", {})
        found = words.get(language) or words.get(language.partition("-")[0])
        if found is None:
            raise InputError([Problem(f"{self.shown}/theme.toml", 0, f"has no [words.{language}]; translate one")])
        return dict(found)

    def mjml(self, issue: Issue, config: Config, marks: Marks) -> str:
        """The page as MJML, its author's text escaped."""
        context = self._context(issue, config, marks)
        context["head_css"] = Markup(self._css("head.css", context))  # our own style sheet
        return self._render("page.mjml.j2", context, autoescape=True)

    def text(self, issue: Issue, config: Config, marks: Marks) -> str:
        """The page as plain text."""
        text = self._render("page.txt.j2", self._context(issue, config, marks), autoescape=False)
        return re.sub(r"[ \t]+\n", "\n", text).strip("\n") + "\n"

    def inline_css(self, issue: Issue, config: Config) -> str:
        """The sheet that premailer writes into style attributes."""
        return self._css("inline.css", self._context(issue, config, Marks.of(issue)))

    def _context(self, issue: Issue, config: Config, marks: Marks) -> dict[str, Any]:
        rtl = issue.language.partition("-")[0] in _RIGHT_TO_LEFT
        locale = _LOCALES.get(issue.language, issue.language.replace("-", "_"))
        return {
            "issue": issue,
            "newsletter": config.newsletter,
            "interests": config.interests,
            "theme": self.settings,
            "light": self.settings["colours"]["light"],
            "dark": self.settings["colours"]["dark"],
            "type": self.settings["type"],
            "words": self.words(issue.language),
            "dir": "rtl" if rtl else "ltr",
            "start": "right" if rtl else "left",
            "end": "left" if rtl else "right",
            "begin": marks.begin,
            "close": marks.end,
            "count": marks.count,
            "slot": marks.slot,
            "long_date": lambda day: format_date(day, "d MMMM y", locale),
            "leaf": lambda event: _leaf(event, locale),
            "when": lambda event: _when(event, locale),
            "safe_html": lambda prose: Markup(prose.html),  # nh3 has been over it: markup._tidy
            "underline": plaintext.underline,
            "wrap": lambda text: "\n".join(plaintext.wrap(text)),
        }

    def _css(self, name: str, context: dict[str, Any]) -> str:
        source = self.folder / name
        css = self._render(name, context, autoescape=False)
        problems = []
        for number, row in enumerate(source.read_text("utf-8").splitlines(), 1):
            rules = [*_FORBIDDEN_CSS]
            if name == "inline.css":
                rules.append((_POSITIONAL, "selects by position, but stories around it come and go; use a class"))
            problems += [Problem(f"{self.shown}/{name}", number, why) for rule, why in rules if rule.search(row)]
        if problems:
            raise InputError(problems)
        # Gmail drops a whole block over a comment in the wrong place (email-bugs #13).
        return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()

    def _render(self, name: str, context: dict[str, Any], autoescape: bool) -> str:
        environment = Environment(
            loader=FileSystemLoader(self.folder),
            autoescape=autoescape,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        try:
            return environment.get_template(name).render(context)
        except TemplateSyntaxError as error:
            where, line, what = error.name or name, error.lineno, error.message or "is not a valid template"
        except (TemplateError, ValueError, TypeError, AttributeError, KeyError) as error:
            where, line = _template_line(error, self.folder) or (name, 0)
            what = str(error)
        raise InputError([Problem(f"{self.shown}/{where}", line, what)])


def _template_line(error: Exception, folder: Path) -> tuple[str, int] | None:
    """The innermost template line of a traceback; Jinja names its files there."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if Path(frame.filename).is_relative_to(folder):
            return Path(frame.filename).relative_to(folder).as_posix(), frame.lineno or 0
    return None


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _leaf(event: Event, locale: str) -> tuple[str, str]:
    """A calendar leaf: the day or days, and the month."""
    start, end = _day(event.start), _day(event.end)
    month = format_date(start, "LLL", locale)
    if start == end:
        return str(start.day), month
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}–{end.day}", month
    return f"{start.day}–{end.day}", f"{month}–{format_date(end, 'LLL', locale)}"


def _when(event: Event, locale: str) -> str:
    """`10–11 January 2019`, with the time and its offset from UTC where one is given."""
    start, end = _day(event.start), _day(event.end)
    if start == end:
        days = format_date(start, "d MMMM y", locale)
    else:
        days = format_interval(start, end, "yMMMMd", locale=locale).replace(" – ", "–")
    if not isinstance(event.start, datetime) or not isinstance(event.end, datetime):
        return days
    times = [format_time(moment.timetz(), "HH:mm", locale=locale) for moment in (event.start, event.end)]
    zone = event.start.strftime("%z")
    return f"{days}, {times[0]}" + (f"–{times[1]}" if times[0] != times[1] else "") + f" (UTC{zone[:3]}:{zone[3:]})"
