"""The message somebody would get, made as sending makes it, and taken apart again for the eye.

Everything shown comes out of the bytes that would be mailed; only the links name nobody (standards U19).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from mailer.compose import headers
from mailer.compose.composition import Composition
from mailer.compose.editions import OUTLOOK_SEAM
from mailer.compose.message import fill_page
from mailer.compose.personal import Personal
from mailer.models import Selection, Subscriber
from mailer.newsroom import clock
from mailer.tokens import Tokens

_SCHEME_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_SCHEMES = re.compile(r"(color-schemes?(?:\"\s+content=\"|\s*:\s*))light dark")
_HEAD = re.compile(r"<head[^>]*>")
# The first tag of a story that can carry a label: a row cannot.
_CARRIER = re.compile(r"<(?!tr\b|tbody\b|table\b|!)[a-z][a-z0-9]*", re.IGNORECASE)

# What the desk adds to a mail it shows: links open elsewhere, and stories can be pointed at.
_STYLE = """\
<base target="_blank"><style>
[data-shown] {{ outline: 3px solid {accent}; outline-offset: -3px; }}
[data-only] {{ outline: 3px solid {accent}; outline-offset: -3px; background-color: {tint} !important; }}
[data-only]::before {{ content: "Only in this edition"; display: block; margin: 0 0 12px; padding: 12px 0 0;
  color: {accent}; font: bold 14px/20px sans-serif; }}
</style>"""


@dataclass(frozen=True, slots=True)
class Message:
    """One reader's message. `content` is what would be mailed; the rest is read from it."""

    reader: Subscriber
    selection: Selection
    content: bytes
    html: str
    text: str
    fields: tuple[tuple[str, str], ...]  # the header fields, decoded

    @classmethod
    def of(cls, composition: Composition, selection: Selection, reader: Subscriber, tokens: Tokens) -> Message:
        """Fill the edition's template as sending does, but with links that name nobody."""
        personal = _personal(composition, reader, tokens)
        utf8 = not headers.ascii_address(reader.email).isascii()
        content = composition.template(selection).fill(personal, format_datetime(clock()), utf8)
        parsed = message_from_bytes(content, policy=policy.SMTPUTF8)
        assert isinstance(parsed, EmailMessage)
        fields = tuple((name, str(value)) for name, value in parsed.items())
        return cls(reader, selection, content, _part(parsed, "html"), _part(parsed, "plain"), fields)

    def framed(
        self, composition: Composition, tokens: Tokens, scheme: str, pictures: str, against: Selection | None = None
    ) -> str:
        """The HTML for the desk's frame: in one scheme of colours, with pictures from the folder address `pictures`.

        `scheme` is `light` or `dark`. No browser lets a page choose the scheme of a frame, so the mail's own media
        queries are decided here: those for the scheme hold at any width, the others at none. With `against`, the
        stories that the other selection does not have are marked.
        """
        html = self._with_stories(composition, _personal(composition, self.reader, tokens), against)
        html = _SCHEME_QUERY.sub(lambda query: _decided(query[1] == scheme), html)
        html = _SCHEMES.sub(lambda found: found[1] + scheme, html)
        for number, picture in enumerate(composition.issue.pictures):
            stamp = picture.path.stat().st_mtime_ns if picture.path.exists() else 0
            html = html.replace(f'src="{escape(picture.url)}"', f'src="{pictures}{number}?v={stamp}"')
        colours = composition.theme.settings["colours"][scheme]
        style = _STYLE.format(accent=colours["accent"], tint=colours["leaf"])
        return _HEAD.sub(lambda head: head[0] + style, html, count=1)

    def _with_stories(self, composition: Composition, personal: Personal, against: Selection | None) -> str:
        """Name the place of each story, found in the order in which the edition was put together."""
        html, position = self.html, 0
        for piece in composition.html.pieces:
            if piece.story not in self.selection or not (carrier := _CARRIER.search(piece.text)):
                continue
            filled = fill_page(piece.text.replace(OUTLOOK_SEAM, ""), personal, composition.marks, html=True)
            at = html.find(filled, position)
            if at < 0:
                continue
            only = " data-only" if against is not None and piece.story not in against else ""
            end = at + carrier.end()
            html = f'{html[:end]} data-story="{piece.story}"{only}{html[end:]}'
            position = end
        return html


def _personal(composition: Composition, reader: Subscriber, tokens: Tokens) -> Personal:
    return composition.personaliser(tokens, inert=True).personal(reader)


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    content: str = body.get_content() if body else ""
    return content.replace("\r\n", "\n")


def _decided(holds: bool) -> str:
    return "(min-width: 0)" if holds else "(min-width: 1000000px)"
