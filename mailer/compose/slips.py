"""The slips that most often make front matter unreadable, told in words that need no knowledge of YAML."""

from __future__ import annotations

import re

CURLY = re.compile("[“„”][^“„”]*[“”]")
_ROW = re.compile(r"(?P<margin>[ \t]*)(?P<key>[^\s:#\"'“„][^:#]*):(?P<gap>[ \t]*)(?P<value>.*?)[ \t]*$")
_STRAIGHT = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s+#.*)?')


def first(text: str) -> tuple[int, str] | None:
    """The first slip in front matter that YAML cannot read: how many lines down, and how to mend it."""
    nested = False
    for down, row in enumerate(text.split("\n")):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        found = _ROW.match(row)
        if found is None:
            return down, f"“{row.strip()}” is no line of “key: value”"
        if found["margin"] and not nested:
            return down, f"“{found['key']}:” stands in from the margin; take the blanks before it out"
        if slip := _of_value(found["key"], found["gap"], found["value"]):
            return down, slip
        nested = bool(found["margin"]) or not found["value"]
    return None


def _of_value(key: str, gap: str, value: str) -> str:
    if "\t" in gap:
        return f"a tab stands behind “{key}:”; put a blank in its place"
    if value and not gap:
        return f"put a blank behind “{key}:”"
    if value.startswith('"'):
        if _STRAIGHT.fullmatch(value):
            return ""
        if value.count('"') == 1:
            return f'the quotes of “{key}:” are not closed; put " at the end of the line'
        return f"within the quotes of “{key}:” stand others; write curly ones there, “ and ”"
    if CURLY.fullmatch(value):
        return f'curly quotes do not hold a value together; write straight ones: {key}: "{value[1:-1]}"'
    if re.search(r":(\s|$)", value):
        return f'there is a colon in the value of “{key}:”; put it between straight quotes: {key}: "{value}"'
    return ""
