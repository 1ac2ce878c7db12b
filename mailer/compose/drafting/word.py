"""A .docx -> HTML and the pictures in it (mammoth)."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError

from mailer.errors import InputError
from mailer.models import Problem

LARGEST = 100 * 1024 * 1024  # bytes, unpacked: a small file may hold any number of them
_LARGEST_TEXT = 10 * 1024 * 1024  # bytes of a part of XML; reading one takes some 50 times as much memory
_STYLES = """
p[style-name='Title'] => h1.title:fresh
p[style-name='title'] => h1.title:fresh
p[style-name='Subtitle'] => p:fresh
"""


# What mammoth passes over in silence, by what opens it (ECMA-376 part 1, sections 17.13.4 and 17.13.5): one, several.
_PASSED_OVER = (
    (r"<w:comment\s", "1 comment was left out", "{} comments were left out"),
    (r"<w:(?:ins|moveTo)\s", "1 tracked insertion was taken in", "{} tracked insertions were taken in"),
    (r"<w:(?:del|moveFrom)\s", "1 tracked deletion was left out", "{} tracked deletions were left out"),
)


def html(path: Path, shown: str) -> tuple[str, dict[str, bytes], list[str]]:
    """The document as HTML, its pictures by the names its `src` attributes give them, and what was passed over.

    Raises InputError.
    """
    import mammoth  # 60 ms to import

    pictures: dict[str, bytes] = {}

    def keep(image: Any) -> dict[str, str]:
        name = f"picture-{len(pictures) + 1}"
        with image.open() as file:
            pictures[name] = file.read()
        return {"src": name}

    try:
        with path.open("rb") as file:
            _check_sizes(file, shown)
            passed_over = _passed_over(file)
            result = mammoth.convert_to_html(file, style_map=_STYLES, convert_image=mammoth.images.img_element(keep))
    except (zipfile.BadZipFile, zlib.error, ExpatError, OSError, KeyError, ValueError, AttributeError, TypeError,
            IndexError, NotImplementedError, EOFError):  # fmt: skip
        what = "is no Word document; open it in the word processor and save it as .docx"
        raise InputError([Problem(shown, 0, what)]) from None
    # A block a line, so that a note can say which paragraph it is about.
    return re.sub(r"(?=<(?:p|h[1-6]|li|table)\b)", "\n", result.value).lstrip("\n"), pictures, passed_over


def _passed_over(file: BinaryIO) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        names = {"word/document.xml", "word/comments.xml"}.intersection(archive.namelist())
        text = "".join(archive.read(name).decode("utf-8", "replace") for name in sorted(names))
    counted = ((len(re.findall(opening, text)), one, several) for opening, one, several in _PASSED_OVER)
    return [one if count == 1 else several.format(count) for count, one, several in counted if count]


def _check_sizes(file: BinaryIO, shown: str) -> None:
    """Refuses what would not fit into memory; of a part no more is read than the archive's directory says."""
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise InputError([Problem(shown, 0, "is kept by a password; save it without one")])
    if sum(part.file_size for part in parts) > LARGEST:
        raise InputError([Problem(shown, 0, "unpacks to more than 100 MB; save its pictures smaller")])
    if any(part.file_size > _LARGEST_TEXT for part in parts if part.filename.endswith((".xml", ".rels"))):
        raise InputError([Problem(shown, 0, "holds more than 10 MB of text; save it in several documents")])
