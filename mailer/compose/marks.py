"""Marks and slots: what a template writes into a page so that editions can be cut from it and messages filled.

    {{ begin(story) }} ... {{ close(story) }}  around what only some readers get
    {{ count(section) }}                       how many stories of a section this edition shows
    {{ slot("name") }}                         a personal value

A mark is an HTML comment, a slot a word between %%; both carry a nonce made from the issue, so that nothing an
author writes can pass for one. MRML and premailer carry both through unchanged (rendering.md 3.3 and 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from mailer.models import Issue, Section, Story

SLOTS = ("name", "email", "interests", "unsubscribe_url", "preferences_url", "web_url")
_PART = re.compile(r":(?P<close>/?)(?P<kind>section|story):(?P<id>[a-z0-9-]+)@@-->|_count_(?P<counted>[a-z0-9-]+)%%")


@dataclass(frozen=True, slots=True)
class Marks:
    """Writes marks. With `live` off it writes none and counts itself: the reference that cutting must equal."""

    nonce: str
    live: bool = True

    @classmethod
    def of(cls, issue: Issue, live: bool = True) -> Marks:
        """The marks of an issue; the same for each of its editions."""
        return cls(issue.digest[:8], live)

    def begin(self, part: Section | Story) -> Markup:
        """Opens what belongs to one section or story."""
        return Markup(f"<!--@@{self.nonce}:{_kind(part)}:{part.id}@@-->") if self.live else Markup("")

    def close(self, part: Section | Story) -> Markup:
        """Closes it."""
        return Markup(f"<!--@@{self.nonce}:/{_kind(part)}:{part.id}@@-->") if self.live else Markup("")

    def count(self, section: Section) -> Markup:
        """The number of stories shown of a section."""
        return Markup(f"%%{self.nonce}_count_{section.id}%%" if self.live else str(len(section.stories)))

    def slot(self, name: str) -> Markup:
        """The place of a personal value. Raises ValueError for a slot there is not."""
        if name not in SLOTS:
            raise ValueError(f"there is no slot “{name}”; known are {', '.join(SLOTS)}")
        return Markup(f"%%{self.nonce}_{name}%%")

    def parts(self, text: str) -> Iterator[tuple[int, re.Match[str]]]:
        """Each mark and count with where it begins: groups `close`, `kind` and `id`, or `counted`."""
        # Found by their nonce: a pattern with it would be compiled anew for every issue, for longer than it searches.
        at = text.find(self.nonce)
        while at >= 0:
            if found := _PART.match(text, at + len(self.nonce)):
                opening = "%%" if found["counted"] else "<!--@@"
                if text.endswith(opening, 0, at):
                    yield at - len(opening), found
            at = text.find(self.nonce, at + len(self.nonce))

    def slot_pattern(self) -> re.Pattern[str]:
        """Matches slots: group 1 is the name."""
        return re.compile(rf"%%{self.nonce}_({'|'.join(SLOTS)})%%")


def _kind(part: Section | Story) -> str:
    return "section" if isinstance(part, Section) else "story"
