"""Issue files for tests: written into a folder, read back as an issue, a composition, or the list of their mistakes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT
from PIL import Image

from mailer import config
from mailer.compose import source
from mailer.compose.composition import Composition
from mailer.compose.theme import Theme
from mailer.errors import InputError
from mailer.models import Issue

FRONT = "---\ntitle: T\ndate: 2018-12-14\n---\n"  # four lines: what follows begins on line 5
SHOWN = "issues/2019-01/issue.md"
CONFIG = config.load(ROOT, {})


@cache
def theme() -> Theme:
    """The template of the sample newsroom."""
    return Theme.load(ROOT / "templates/enterprises", "templates/enterprises")


@cache
def png(width: int = 4, height: int = 3) -> bytes:
    """A picture."""
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return file.getvalue()


def read(folder: Path, text: str | bytes, files: Mapping[str, bytes] | None = None) -> Issue:
    """The issue 2019-01 with this text, and these files beside it."""
    home = folder / "2019-01"
    home.mkdir(exist_ok=True)
    for name, content in (files or {}).items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(content)
    (home / "issue.md").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return source.load(home / "issue.md", SHOWN, CONFIG)


def compose(folder: Path, text: str, files: Mapping[str, bytes] | None = None) -> Composition:
    """The same, composed."""
    return Composition.of(read(folder, text, files), theme(), CONFIG)


def mistakes(folder: Path, text: str | bytes, files: Mapping[str, bytes] | None = None) -> list[str]:
    """Every mistake in it, as shown to the author but without the name of the file."""
    with pytest.raises(InputError) as caught:
        read(folder, text, files)
    told = str(caught.value).split("\n")
    assert all(line.startswith(SHOWN + ":") for line in told), told
    return [line.removeprefix(SHOWN + ":").strip() for line in told]
