"""A .docx -> HTML and the pictures in it (mammoth)."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from mailer.errors import InputError
from mailer.models import Problem

_STYLES = """
p[style-name='Title'] => h1.title:fresh
p[style-name='title'] => h1.title:fresh
p[style-name='Subtitle'] => p:fresh
"""


def html(path: Path, shown: str) -> tuple[str, dict[str, bytes]]:
    """The document as HTML, its pictures by the names its `src` attributes give them. Raises InputError."""
    import mammoth  # 60 ms to import

    pictures: dict[str, bytes] = {}

    def keep(image: Any) -> dict[str, str]:
        name = f"picture-{len(pictures) + 1}"
        with image.open() as file:
            pictures[name] = file.read()
        return {"src": name}

    try:
        with path.open("rb") as file:
            result = mammoth.convert_to_html(file, style_map=_STYLES, convert_image=mammoth.images.img_element(keep))
    except (zipfile.BadZipFile, ExpatError, KeyError, ValueError, AttributeError, NotImplementedError, EOFError):
        what = "is no Word document; open it in the word processor and save it as .docx"
        raise InputError([Problem(shown, 0, what)]) from None
    # A block a line, so that a note can say which paragraph it is about.
    return re.sub(r"(?=<(?:p|h[1-6]|li|table)\b)", "\n", result.value).lstrip("\n"), pictures
