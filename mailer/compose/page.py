"""MJML -> HTML -> inlined HTML: one marked page per issue (mjml-python, premailer).

Both libraries have traps, measured in their released versions:

- MRML writes attribute values in Rust's debug notation: a newline, quote, backslash or almost any character beyond
  ASCII comes out as `\\n`, `\\"`, `\\u{a0}`. `guard` turns them into numeric references first, which MRML passes
  through and premailer decodes again.
- premailer with its defaults drops the doctype and `!important`, and goes to the network. The options below do not.
"""

from __future__ import annotations

import logging
import re
import sys
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

from mailer.compose import template
from mailer.compose.marks import Marks
from mailer.compose.theme import Theme
from mailer.errors import InputError, MailerError
from mailer.models import Issue, Problem
from mailer.settings import Config

_TAG = re.compile(r"<[A-Za-z](?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_VALUE = re.compile(r"=\s*(?:\"([^\"]*)\"|'([^']*)')")
_TITLE = re.compile(r"(<mj-title>)(.*?)(</mj-title>)", re.DOTALL)
_AWKWARD = re.compile(r"[^ -!#-\[\]-~]")  # outside printable ASCII, and the quote and the backslash
_UNROLED_TABLE = re.compile(r"<table(?![^>]*\srole=)")
# From the end of a tag to the next, with any marks between; never from or into the middle of a run.
_BETWEEN_TAGS = re.compile(r"(?<=>)(?<!@@-->)(?:[ \t\n]|<!--@@[^>]*@@-->)++(?=<)")
_SPACE = re.compile(r"[ \t\n]+")


def render(issue: Issue, theme: Theme, config: Config, marks: Marks) -> str:
    """The inlined HTML of an issue, with the marks and slots of `marks` in it.

    Raises InputError when the template does not give a page.
    """
    return inline(html_from_mjml(theme.mjml(issue, config, marks), theme), theme.inline_css(issue, config))


def html_from_mjml(mjml: str, theme: Theme) -> str:
    """MRML's page, nothing inlined. Raises InputError when the template's MJML is none."""
    if found := template.FETCHING.search(mjml):  # written together by the template, out of parts
        raise InputError(
            [Problem(f"{theme.shown}/page.mjml.j2", 0, f"{found[0]}> has no place in a mail; take it out")]
        )
    error: object = "tags do not pair up"
    if template.pairs_up(mjml):
        try:
            html: str = _mjml2html()(guard(mjml), fonts={}, disable_comments=False)
        except ValueError as mrml:  # without a position for most mistakes
            error = mrml
        else:
            return html
    what = f"MJML cannot be rendered: {error}. Look for an unclosed tag, or a < that should be &lt;"
    raise InputError(template.unclosed(theme.folder, theme.shown) or [Problem(f"{theme.shown}/page.mjml.j2", 0, what)])


def guard(mjml: str) -> str:
    """Write every attribute value, and the title, so that MRML's debug notation leaves it alone."""
    mjml = _TITLE.sub(lambda found: found[1] + _referenced(found[2]) + found[3], mjml)
    return _TAG.sub(lambda tag: _VALUE.sub(_guarded_value, tag[0]) if _needs_guard(tag[0]) else tag[0], mjml)


def _needs_guard(tag: str) -> bool:
    return "'" in tag or "\\" in tag or not tag.isascii() or not tag.isprintable()


def _guarded_value(found: re.Match[str]) -> str:
    value: str = found[1] if found[1] is not None else found[2]
    return f'="{_referenced(value)}"'


def _referenced(text: str) -> str:
    return _AWKWARD.sub(lambda found: " " if found[0] in "\r\n\t" else f"&#{ord(found[0])};", text)


@cache
def _mjml2html() -> Any:
    """mjml-python's function. The package `mjml` on PyPI installs a module of the same name."""
    import inspect

    from mjml import mjml2html

    if "include_loader" not in inspect.signature(mjml2html).parameters:
        raise MailerError(
            "the module “mjml” that is installed is not mjml-python's. "
            "Mend it with: pip uninstall mjml; pip install --force-reinstall mjml-python"
        )
    return mjml2html


@cache
def _premailer() -> Any:
    """Premailer, with a parser that fetches nothing: cssutils ignores allow_network where a sheet has an @import."""
    import cssutils  # 100 ms to import, so only when a page is rendered

    # Premailer imports requests only to fetch; the urllib3 in it opens a socket, just to see whether it can.
    absent = "requests" not in sys.modules
    if absent:
        sys.modules["requests"] = ModuleType("requests")
    try:
        from premailer import Premailer
    finally:
        if absent:
            del sys.modules["requests"]

    parser = cssutils.CSSParser(loglevel=logging.CRITICAL, fetcher=lambda url: None, validate=False)
    parse = lru_cache(8)(parser.parseString)  # one sheet a template
    rules: dict[tuple[str, int], tuple[list[Any], list[Any]]] = {}

    class Sealed(Premailer):  # type: ignore[misc]  # premailer has no types
        def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:
            return parse(css_body)

        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
            # The same for every page of a template, and a third of the time of one.
            if (css_body, ruleset_index) not in rules:
                rules[css_body, ruleset_index] = super()._parse_style_rules(css_body, ruleset_index)
            own, leftover = rules[css_body, ruleset_index]
            return list(own), list(leftover)

    return Sealed


def inline(html: str, css: str) -> str:
    """Write the author's rules into style attributes, leave everything else as MRML made it."""
    html = html.replace("<!doctype html>", "<!DOCTYPE html>", 1)  # premailer looks for capitals (its issue 156)
    # Spelled-out style sheets in the head are not premailer's: it would strip !important from media queries.
    html = html.replace("<style", '<style data-premailer="ignore"')
    inlined: str = _premailer()(
        html,
        css_text=css,
        disable_leftover_css=True,
        keep_style_tags=False,
        strip_important=False,
        disable_validation=True,
        align_floating_images=False,
        disable_basic_attributes=["width", "height", "align", "valign", "bgcolor"],
        remove_classes=False,
        include_star_selectors=False,
        exclude_pseudoclasses=True,
        allow_network=False,
        allow_loading_external_files=False,
        base_url=None,
        cssutils_logging_level=logging.CRITICAL,
    ).transform(pretty_print=False)
    return _tidy(inlined.replace(' data-premailer="ignore"', ""))


def _tidy(html: str) -> str:
    """Roles for layout tables, and no line break between tags: every byte counts towards Gmail's clip."""
    html = _UNROLED_TABLE.sub('<table role="presentation"', html)
    return _BETWEEN_TAGS.sub(_without_line_break, html).strip() + "\n"


def _without_line_break(found: re.Match[str]) -> str:
    """White space that indents means nothing, whatever marks stand in it; a single blank may be meant."""
    indents = "\n" in found[0] or "  " in found[0]  # MRML turns a line break before a comment into blanks
    return _SPACE.sub("", found[0]) if indents else found[0]
