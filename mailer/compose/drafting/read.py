"""A file -> a draft. The only place that knows which ending is read how."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mailer.compose.assets import IssueAssets
from mailer.compose.drafting import arrange, proposals
from mailer.compose.drafting.blocks import NO_ADDRESS, Draft
from mailer.compose.drafting.word import LARGEST
from mailer.errors import InputError
from mailer.models import Problem
from mailer.settings import Config

WORD, HTML, TEXT = (".docx",), (".html", ".htm"), (".md", ".markdown", ".txt")
_SHOWN = 100  # characters of an address


def draft(path: Path, folder: Path, config: Config) -> tuple[Draft, list[Problem]]:
    """Read a draft for the issue in `folder`; and what could not be kept, with its place in the draft.

    Raises InputError when the file cannot be read at all, or holds no story.
    """
    reader = _Reader(path, folder, config)
    try:
        made = reader.draft()
    except RecursionError:
        raise InputError([Problem(path.name, 0, "nests lists, quotations or tables too deep; flatten them")]) from None
    if not made.stories:
        what = "holds no story; give each a heading, or a line of its own above its text"
        raise InputError([Problem(path.name, 0, what)])
    proposals.propose(made.stories, config)
    return made, reader.notes


@dataclass(slots=True)
class _Reader:
    path: Path
    folder: Path
    config: Config
    notes: list[Problem] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    without_address: list[int] = field(default_factory=list)

    def draft(self) -> Draft:
        from mailer.compose.drafting import html, text, word  # lxml and mammoth take 60 ms to import

        ending = self.path.suffix.lower()
        if ending not in WORD + HTML + TEXT:
            raise self._wrong(f"cannot be read; known are {', '.join(WORD + HTML + TEXT)}: save it as one of them")
        fetch: Callable[[str, int], str] = self._beside
        content: str | bytes = self._content()
        if ending in WORD:
            content, held, passed_over = word.html(self.path, self.path.name)
            self.notes += [Problem(self.path.name, 0, what) for what in passed_over]
            fetch = lambda source, line: self._keep(source, held[source], line)  # noqa: E731
        elif ending in TEXT:
            content = text.html(self._decoded(), self.note)
        title, blocks = html.blocks(content, fetch, self._address, self.note)
        made = arrange.arrange(title, blocks, self.pictures, self.note)
        if self.without_address:
            self.notes.append(Problem(self.path.name, 0, _without_address(self.without_address)))
        return made

    def note(self, line: int, text: str) -> None:
        """A Word document has paragraphs, not lines."""
        text = " ".join(text.split())
        if self.path.suffix.lower() in WORD:
            self.notes.append(Problem(self.path.name, 0, f"paragraph {line}: {text}"))
        else:
            self.notes.append(Problem(self.path.name, line, text))

    def _content(self) -> bytes:
        try:
            if self.path.stat().st_size > LARGEST:
                raise self._wrong("has more than 100 MB; save its pictures smaller")
            return self.path.read_bytes()
        except OSError as error:
            raise self._wrong(f"cannot be read: {error.strerror}") from None

    def _decoded(self) -> str:
        content = self._content()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise InputError([Problem(self.path.name, line, "is not UTF-8 here; save the file as UTF-8")]) from None

    def _wrong(self, what: str) -> InputError:
        return InputError([Problem(self.path.name, 0, what)])

    def _address(self, href: str, line: int) -> str:
        """Where a link of the draft leads, or a place that `check` asks to be filled."""
        href = href.strip()
        if not href or href.startswith("#"):
            self.without_address.append(line)
            return NO_ADDRESS
        if href.lower().startswith("www."):
            href = f"https://{href}"
        told: list[str] = []
        found = IssueAssets(self.folder, self.config, lambda _line, what: told.append(what)).link(href, line)
        if found != href:
            self.note(line, f"{told[0] if told else f'“{href}” leads to a file'}; it leads to {NO_ADDRESS} now")
            return NO_ADDRESS
        return href

    def _beside(self, source: str, line: int) -> str:
        """A picture of a page: in the page itself, or a file beside it. Nothing is fetched."""
        if source.startswith("data:"):
            head, _, body = source.partition(",")
            try:
                content = base64.b64decode(unquote(body), validate=False) if head.endswith(";base64") else b""
            except ValueError:  # also binascii.Error
                content = b""
            return self._keep("a picture in the page", content, line)
        parts = urlsplit(source.replace("[", "%5B"))
        path = self.path.parent / unquote(parts.path)
        source = source if len(source) <= _SHOWN else f"{source[:_SHOWN]}…"
        if parts.scheme or parts.netloc or not parts.path:
            self.note(line, f"the picture “{source}” was left out; save it, and put it into images/")
            return ""
        try:
            if path.is_file() and path.stat().st_size <= LARGEST:  # a device has no end
                return self._keep(source, path.read_bytes(), line)
        except (OSError, ValueError):
            pass
        self.note(line, f"the picture “{source}” was left out; there is no such file beside the draft")
        return ""

    def _keep(self, source: str, content: bytes, line: int) -> str:
        from mailer.compose import pictures  # Pillow takes 60 ms to import, and many drafts have no picture

        try:
            kept = pictures.taken_in(content)
        except pictures.PictureError as error:
            self.note(line, f"{source} was left out: it {error}")
            return ""
        key = f"{len(self.pictures) + 1}"
        self.pictures[key] = kept
        return key


def _without_address(lines: list[int]) -> str:
    count = len(lines)
    which = "1 link has no address and leads" if count == 1 else f"{count} links have no address and lead"
    return f"{which} to {NO_ADDRESS} now; look for TODO"
