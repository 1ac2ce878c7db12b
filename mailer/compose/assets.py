"""What an issue points to: links checked, pictures found beside it. Never looks outside the issue's folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from mailer.models import Picture
from mailer.settings import Config

_SCHEMES = ("https", "http", "mailto", "tel")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)  # an absolute address (RFC 3986 section 4.2)
# What is meant as a host: www., or an ending that few files have, such as ilo.org and europa.eu/jobs.
_DRIVE = re.compile(r"[a-z]:[\\/]", re.IGNORECASE)
_MAILBOX = re.compile(r"[^\s@/?#:]+@[\w-]+(\.[\w-]+)+")
_HOST = re.compile(
    r"www\.\w|[a-z0-9-]+(\.[a-z0-9-]+)*\.(org|com|net|int|edu|gov|info|(?!md|gz|py|js|ps|7z)[a-z]{2})(?![^/?#])",
    re.IGNORECASE,
)


@dataclass(slots=True)
class IssueAssets:
    """Resolves against one issue's folder; mistakes go to `report`."""

    folder: Path
    config: Config
    report: Callable[[int, str], None]
    home: Path = field(init=False)

    def __post_init__(self) -> None:
        self.home = self.folder.resolve()

    def link(self, href: str, line: int) -> str | None:
        """An absolute address: https, http, mailto and tel as they are, a file beside the issue as published."""
        href = href.strip()
        if href in ("", "#"):
            self.report(line, "this link is empty; write the address between the round brackets")
            return None
        if href.startswith("#"):
            self.report(line, f"“{href}” leads inside the mail, which several mail programs ignore; link to a page")
            return None
        try:
            parts = urlsplit(href)
        except ValueError:  # brackets that hold no IPv6 address
            self.report(line, f"“{href}” is no address; write https://example.org/page")
            return None
        if parts.scheme in ("https", "http") and not parts.hostname:
            self.report(line, f"“{href}” names no host; write https://example.org/page")
            return None
        if parts.scheme in ("mailto", "tel") and not parts.path:
            self.report(line, f"“{href}” names nobody; write {parts.scheme}: and the address or number behind it")
            return None
        if parts.scheme in _SCHEMES:
            return href
        if _MAILBOX.fullmatch(href):
            self.report(line, f"“{href}” has no mailto: before it; write mailto:{href}")
            return None
        if parts.scheme or href.startswith("//"):
            self.report(line, f"“{href}” cannot be a link in a mail; use https:, http:, mailto: or tel:")
            return None
        if _HOST.match(href) and not _is_file(self.folder / unquote(parts.path)):
            self.report(line, f"“{href}” has no https:// before it; write https://{href}")
            return None
        path = self._inside(unquote(parts.path), "file", line)
        return self._published(path.relative_to(self.home).as_posix()) if path else None

    def picture(self, source: str, alt: str, line: int) -> Picture | None:
        """The picture, with the size of its file, and where its bytes will be found by a mail program."""
        source = unquote(source.strip())
        if not source:
            self.report(line, "this picture names no file; write ![what it shows](images/name.png)")
            return None
        if not alt.strip():
            self.report(line, f"the picture {source} has no alt text; say between the square brackets what it shows")
        if _DRIVE.match(source):
            name = re.split(r"[\\/]", source)[-1]
            what = f"“{source}” is on your computer only; copy the picture into images/ and write images/{name}"
            self.report(line, what)
            return None
        if _ELSEWHERE.match(source):
            self.report(line, f"“{source}” is on another host; put the picture into the issue's folder")
            return None
        path = self._inside(source, "picture", line)
        if path is None:
            return None
        from mailer.compose import pictures  # Pillow takes 60 ms to import, and many issues have no picture

        try:
            made = pictures.read(path)
        except pictures.PictureError as error:
            self.report(line, f"{source} {error}")
            return None
        original = path.relative_to(self.home).as_posix()
        name = made.name(original)
        if self.config.newsletter.images == "embed":
            url = embedded(original, self.folder.name)
        else:
            url = self._published(name)
        alt = re.sub(r"[ \t\n]+", " ", alt).strip(" ")
        return Picture(path, url, alt, made.width, made.height, name, made.animated)

    def _inside(self, name: str, what: str, line: int) -> Path | None:
        folder = self.home
        try:
            path = (folder / name).resolve()
        except (OSError, ValueError, RuntimeError):  # the last for symbolic links that lead in a circle
            path = Path("/")
        if not path.is_relative_to(folder):
            self.report(line, f"the {what} “{name}” lies outside the issue's folder; copy it into {self.folder.name}/")
            return None
        if not _is_file(path):
            near = _similar(folder, path.name)
            self.report(line, f"there is no {what} “{name}” in the issue's folder{near}")
            return None
        return path

    def _published(self, name: str) -> str:
        return f"{self.config.newsletter.public_url}/{self.folder.name}/{quote(name)}"


def _is_file(path: Path) -> bool:
    """Also of a name that is too long to be any file's, which Path.is_file raises."""
    try:
        return path.is_file()
    except OSError:
        return False


def embedded(original: str, issue: str) -> str:
    """The address of a picture inside the mail (RFC 2392), from its name in the issue's folder and the issue's slug."""
    # The hash tells “a b.png” from “a-b.png”.
    unique = hashlib.sha256(original.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"cid:{re.sub(r'[^A-Za-z0-9.]+', '-', original)}.{unique}@{issue}"


def _similar(folder: Path, name: str) -> str:
    from difflib import get_close_matches

    names = {path.name: path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f". Did you mean “{names[close[0]]}”?" if close else "; put it there, or mend the name"
