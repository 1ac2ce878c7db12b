"""Pages kept as bytes, with slots for what is one reader's own: filled without running a template.

    kept.page(key, {"email": "amina@example.org"}, render)      bytes

The first time, `render` writes the page with a mark in the place of each value, and the page is cut at the marks; from
then on the values are escaped and put between the pieces. `key` names all that shapes the page otherwise: language,
topics, days. What a value is may decide nothing in the template, only stand in it: as text, or in a quoted attribute.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Hashable, Mapping

from markupsafe import escape

_MOST = 1000  # pages; one of preferences has 4 KB

Render = Callable[[Mapping[str, str]], str]


class Kept:
    """The pages of one site. Threads may share it: two that miss at once render twice, the same."""

    def __init__(self) -> None:
        self._pages: dict[Hashable, tuple[bytes, list[str]]] = {}  # with %b for each slot; their names
        self._nonce = secrets.token_hex(8)  # nobody can write a mark into a text of ours
        self._mark = re.compile(f"slot-{self._nonce}-([a-z_]+)-")

    def page(self, key: Hashable, values: Mapping[str, str], render: Render) -> bytes:
        """The page with these values, as `render(values)` would write it, in UTF-8."""
        kept = self._pages.get(key)
        if kept is None:
            kept = self._keep(key, render({name: f"slot-{self._nonce}-{name}-" for name in values}))
        page, slots = kept
        return page % tuple([escape(values[name]).encode() for name in slots])

    def _keep(self, key: Hashable, marked: str) -> tuple[bytes, list[str]]:
        split = self._mark.split(marked.replace("%", "%%"))  # text, a name, text, a name, ..., text
        kept = "%b".join(split[::2]).encode(), split[1::2]
        if len(self._pages) >= _MOST:
            self._pages.pop(next(iter(self._pages)), None)  # the oldest: days pass, and with them their pages
        self._pages[key] = kept
        return kept
