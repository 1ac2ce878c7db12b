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
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError
from markupsafe import Markup

from mailer.compose import plaintext, scripts, template
from mailer.compose.dates import Dates
from mailer.compose.marks import Marks
from mailer.errors import InputError
from mailer.models import Issue, Problem
from mailer.settings import Config

_COLOUR = re.compile(r"#[0-9a-f]{6}")  # six digits: Outlook reads bgcolor="#fff" as something else


@dataclass(frozen=True, slots=True)
class Theme:
    """A template folder, read. `shown` is how messages name it."""

    folder: Path
    shown: str
    settings: dict[str, Any]
    environment: Environment

    @classmethod
    def load(cls, folder: Path, shown: str) -> Theme:
        """Read theme.toml and look over the other files.

        Raises InputError with every mistake when the folder, a colour, a style sheet or a page is wrong.
        """
        files = [(str(path), path.stat()) for path in sorted(folder.rglob("*")) if path.exists()]  # Emacs' locks do not
        stamps = tuple((name, status.st_mtime_ns, status.st_size, status.st_ino) for name, status in files)
        return _read(folder, shown, stamps)

    def words(self, language: str) -> dict[str, Any]:
        """The fixed words of a mail in a language. Raises InputError when the theme does not speak it."""
        words = self.settings["words"]
        found = words.get(language) or words.get(language.partition("-")[0])
        if not isinstance(found, dict):
            raise InputError([Problem(f"{self.shown}/theme.toml", 0, f"has no [words.{language}]; translate one")])
        if lacking := [key for key in ("reader", "everything") if not isinstance(found.get(key), str)]:
            what = f"[words.{language}] lacks {' and '.join(lacking)}; copy it from another language and translate it"
            raise InputError([Problem(f"{self.shown}/theme.toml", 0, what)])
        return dict(found)

    def mjml(self, issue: Issue, config: Config, marks: Marks) -> str:
        """The page as MJML, its author's text escaped."""
        context = self._context(issue, config, marks)
        context["head_css"] = Markup(self._css("head.css", context))  # our own style sheet
        return self._render("page.mjml.j2", context)

    def text(self, issue: Issue, config: Config, marks: Marks) -> str:
        """The page as plain text."""
        text = self._render("page.txt.j2", self._context(issue, config, marks))
        return "\n".join(row.rstrip(" \t") for row in text.split("\n")).strip("\n") + "\n"

    def inline_css(self, issue: Issue, config: Config) -> str:
        """The sheet that premailer writes into style attributes."""
        return self._css("inline.css", self._context(issue, config, Marks.of(issue)))

    def _context(self, issue: Issue, config: Config, marks: Marks) -> dict[str, Any]:
        direction = scripts.direction(issue.language)
        start, end = ("right", "left") if direction == "rtl" else ("left", "right")
        dates = Dates(issue.language)
        return {
            "issue": issue,
            "newsletter": config.newsletter,
            "interests": config.interests,
            "theme": self.settings,
            "light": self.settings["colours"]["light"],
            "dark": self.settings["colours"]["dark"],
            "type": self.settings["type"],
            "words": self.words(issue.language),
            "dir": direction,
            "direction": scripts.direction,
            "start": start,
            "end": end,
            "begin": marks.begin,
            "close": marks.close,
            "count": marks.count,
            "slot": marks.slot,
            "long_date": dates.long,
            "leaf": dates.leaf,
            "when": dates.when,
            "safe_html": lambda prose: Markup(prose.html),  # nh3 has been over it: rawhtml.tidy
            "underline": plaintext.underline,
            "wrap": lambda text: "\n".join(plaintext.wrap(text)),
        }

    def _css(self, name: str, context: dict[str, Any]) -> str:
        return _sheet(self._render(name, context), f"{self.shown}/{name}", name == "inline.css")

    def _render(self, name: str, context: dict[str, Any]) -> str:
        try:
            return self.environment.get_template(name).render(context)
        except TemplateNotFound as error:
            where, line = _template_line(error, self.folder) or (name, 0)
            what = f"there is no file “{error.name}” in this template"
        except TemplateSyntaxError as error:
            where, line, what = error.name or name, error.lineno, error.message or "is not a valid template"
        except Exception as error:  # whatever a template reckons with: a division by zero, a macro that calls itself
            where, line = _template_line(error, self.folder) or (name, 0)
            what = str(error) or type(error).__name__
        raise InputError([Problem(f"{self.shown}/{where}", line, what)])


@lru_cache(maxsize=8)
def _read(folder: Path, shown: str, _stamps: tuple[tuple[str, int, int, int], ...]) -> Theme:
    """Once for each state of a folder: compiling templates takes 15 ms, and looking them over 1."""
    try:
        text = (folder / "theme.toml").read_text("utf-8")
        settings = tomllib.loads(text)
        problems = _wrong_settings(settings, text, f"{shown}/theme.toml") + template.problems(folder, shown)
    except FileNotFoundError:
        raise InputError([Problem(shown, 0, "is no template: there is no theme.toml in it")]) from None
    except OSError as error:
        raise InputError([Problem(f"{shown}/theme.toml", 0, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        what = "is not UTF-8 here; save the file as UTF-8"
        raise InputError([Problem(f"{shown}/theme.toml", line, what)]) from None
    except (ValueError, RecursionError) as error:  # also of a number with too many digits, and of [[[[
        line = int(found[1]) if (found := re.search(r"\(at line (\d+)", str(error))) else 0
        raise InputError([Problem(f"{shown}/theme.toml", line, f"cannot be read: {error}")]) from None
    if problems:
        raise InputError(problems)
    return Theme(folder, shown, settings, _environment(folder))


@lru_cache(maxsize=16)
def _sheet(css: str, shown: str, inlined: bool) -> str:
    """A rendered style sheet, looked over, without its comments and line breaks."""
    if problems := template.style_problems(css, shown, inlined):
        raise InputError(problems)
    # Gmail drops a whole block over a comment in the wrong place (email-bugs #13).
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()


def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        auto_reload=False,  # a change is seen when the folder is read
        autoescape=lambda name: name is not None and name.endswith(".mjml.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _wrong_settings(settings: dict[str, Any], text: str, shown: str) -> list[Problem]:
    problems = []
    for table in ("colours.light", "colours.dark", "type", "words"):
        found: Any = settings
        for key in table.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            problems.append(Problem(shown, 0, f"has no [{table}]; copy it from the enterprises template"))
    if problems:
        return problems
    for scheme in ("light", "dark"):
        colours = settings["colours"][scheme]
        for name, colour in colours.items():
            if not _COLOUR.fullmatch(str(colour)):
                line = next((n for n, row in enumerate(text.splitlines(), 1) if str(colour) in row), 0)
                what = f"{scheme} colour {name} = “{colour}” must be six small hexadecimal digits, such as #1b5e7a"
                problems.append(Problem(shown, line, what))
    return problems


def _template_line(error: Exception, folder: Path) -> tuple[str, int] | None:
    """The innermost template line of a traceback; Jinja names its files there."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return Path(frame.filename).relative_to(folder).as_posix(), frame.lineno or 0
    return None
