"""What the files of a template may not hold, each mistake with its file and line, before anything is rendered.

A template is written by whoever designs the mail, and what it names would be fetched by the machine that composes, or
by every reader's. So nothing in it points to another file or host, and only rules that hold whatever stories are cut
away come near premailer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mailer.errors import nearest
from mailer.models import Problem

Rule = tuple[re.Pattern[str], str]


def _rule(pattern: str, why: str) -> Rule:
    return re.compile(pattern, re.IGNORECASE), why


_ADDRESSES = (
    # cssutils fetches @import, http and file:// alike, even with allow_network=False (rendering.md, item 2).
    _rule(r"@import", "@import would fetch a file; copy the rules in"),
    _rule(r"url\(\s*+['\"]?+(?!https:)", "url( may only name an https:// address"),
    _rule(r"expression\s*\(|javascript:", "scripts have no place in a mail"),
)
_STYLES = (
    *_ADDRESSES,
    _rule(r"@charset", "@charset has no place in a mail; take it out"),
    _rule(r"<", "“<” would end the style; take it out"),
    _rule(r"\\", "“\\” can hide what a rule says; write the character itself"),
)
_INLINED = (
    _rule(r":(?:first|last|nth|only)-|[+~]", "selects by position, but stories around it come and go; use a class"),
    _rule(r":(?!(?:first|last|nth|only)-)|@", "cannot be written into a style attribute; move the rule to head.css"),
)
FETCHING = re.compile(r"<(link|mj-include|mj-font|script|style|iframe|object|embed)\b", re.IGNORECASE)
_AT = _rule("@(?!import|charset)", "cannot be written into a style attribute; move the rule to head.css")
_BARE = _rule(r"<(?![a-z/!])", "this < opens no tag; write &lt;")
_PAGES = (*_ADDRESSES, (FETCHING, "this tag has no place in a mail; take it out"))
_MJML = set(
    "mjml mj-head mj-body mj-title mj-preview mj-raw mj-breakpoint mj-attributes mj-all mj-class mj-style mj-section "
    "mj-group mj-column mj-text mj-table mj-image mj-button mj-divider mj-spacer mj-social mj-social-element".split()
)
_VOID = {"area", "base", "br", "col", "hr", "img", "input", "meta", "wbr"}
_JINJA = re.compile(
    r"\{\{-?\s*(?P<mark>begin|close)\((?P<part>\w+)\).*?\}\}|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL
)
_TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][\w-]*)(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?P<alone>/?)>")
_NOTE = re.compile(r"\{#.*?#\}", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->|/\*.*?\*/", re.DOTALL)


def problems(folder: Path, shown: str) -> list[Problem]:
    """Everything wrong in a template's pages and style sheets."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".css", ".j2") or path.name.startswith("."):  # dots: an editor's leavings
            continue
        try:
            raw = path.read_bytes()
            source = raw.decode("utf-8")
        except OSError as error:
            mistakes = [(0, f"cannot be read: {error.strerror}")]
        except UnicodeDecodeError as error:
            mistakes = [(raw.count(b"\n", 0, error.start) + 1, "is not UTF-8 here; save the file as UTF-8")]
        else:
            mistakes = _style(source, path.name == "inline.css") if path.suffix == ".css" else _page(source)
        name = f"{shown}/{path.relative_to(folder).as_posix()}"
        found += [Problem(name, line, what) for line, what in sorted(mistakes)]
    return found


def unclosed(folder: Path, shown: str) -> list[Problem]:
    """The first tag of each page that does not pair up, and each bare `<`: where to look when MRML gives up.

    Only then, because a template may open a tag in either branch of a condition.
    """
    found = []
    for path in sorted(folder.rglob("*.mjml.j2")):
        source = path.read_text("utf-8")
        bare = _matches(_blanked(_JINJA, source), (_BARE,))
        name = f"{shown}/{path.relative_to(folder).as_posix()}"
        found += [Problem(name, line, what) for line, what in (*_unpaired(source), *bare)]
    return found


def pairs_up(mjml: str) -> bool:
    """Whether every MJML tag is closed by its own: MRML takes `</mj-colum>` for `</mj-column>` without a word."""
    opened: list[str] = []
    for tag in _TAG.finditer(mjml):
        if not tag["name"].startswith("mj") or tag["alone"]:
            continue
        if not tag["close"]:
            opened.append(tag["name"])
        elif not opened or opened.pop() != tag["name"]:
            return False
    return not opened


def style_problems(css: str, shown: str, inlined: bool) -> list[Problem]:
    """What a rendered style sheet may not hold: the values of theme.toml are in it by now."""
    return [Problem(shown, line, what) for line, what in sorted(_style(css, inlined))]


def _style(css: str, inlined: bool) -> list[tuple[int, str]]:
    css = _blanked(_COMMENT, css)
    mistakes = [*_matches(css, _STYLES)]
    if inlined:
        selectors = _blanked(re.compile(r"\{[^{}]*\}"), _blanked(_JINJA, css))
        mistakes += {*_matches(selectors, _INLINED), *_matches(css, (_AT,))}
    return mistakes


def _page(source: str) -> list[tuple[int, str]]:
    source = _blanked(_NOTE, source)
    return [*_matches(source, _PAGES), *_unknown(source), *_unpaired(source, marks=True)]


def _matches(text: str, rules: tuple[Rule, ...]) -> Iterator[tuple[int, str]]:
    for pattern, why in rules:
        lines = {text.count("\n", 0, found.start()) + 1 for found in pattern.finditer(text)}
        yield from ((line, why) for line in lines)


def _unknown(source: str) -> Iterator[tuple[int, str]]:
    """MRML leaves unknown tags out without a word."""
    source = _blanked(_JINJA, source)
    for tag in re.finditer(r"<(mj-[\w-]*)", source):
        if tag[1] not in _MJML and not FETCHING.match(tag[0]):
            yield source.count("\n", 0, tag.start()) + 1, f"unknown tag <{tag[1]}>. {nearest(tag[1], sorted(_MJML))}"


def _unpaired(source: str, marks: bool = False) -> Iterator[tuple[int, str]]:
    """The first tag that does not pair up in one file, or with `marks` the first begin or close."""
    source = _blanked(_COMMENT, _JINJA.sub(_mark_as_tag, source))
    opened: list[tuple[str, int]] = []
    for tag in _TAG.finditer(source):
        name, line = tag["name"], source.count("\n", 0, tag.start()) + 1
        if name.startswith("mark-") != marks or name.lower() in _VOID or tag["alone"]:
            continue
        if not tag["close"]:
            opened.append((name, line))
        elif opened and opened[-1][0] == name:
            opened.pop()
        elif name in (other for other, _ in opened):
            yield opened[-1][1], f"{_shown(opened[-1][0])} is not closed before {_shown(name, '/')} on line {line}"
            return
        else:
            yield line, f"{_shown(name, '/')} closes nothing that is open here"
            return
    if opened:
        yield opened[-1][1], f"{_shown(opened[-1][0])} is never closed"


def _mark_as_tag(jinja: re.Match[str]) -> str:
    lines = "\n" * jinja[0].count("\n")
    return f"<{'/' * (jinja['mark'] == 'close')}mark-{jinja['part']}>{lines}" if jinja["mark"] else lines


def _shown(name: str, slash: str = "") -> str:
    if name.startswith("mark-"):
        return f"{'close' if slash else 'begin'}({name.removeprefix('mark-')})"
    return f"<{slash}{name}>"


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    """Without what matches, every line where it was."""
    return pattern.sub(lambda found: "\n" * found[0].count("\n"), text)
