"""Fixtures: a newsroom of one's own, a store, a clock that moves when told. Everything else stands in its test."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from mailer.compose.composition import Composition
from mailer.newsroom import Newsroom

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from sending import Office

ROOT = Path(__file__).parent.parent
SECRET = "a secret that only tests know"
OWN_TEXTS = re.compile(r"^\[tool\.mailer\.texts\..+\n(?:.+\n)+\n", re.MULTILINE)

# Properties take what they take: no test is judged by its time, and the same examples run everywhere.
settings.register_profile(
    "ours", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("ours")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty HOME, and nothing of the caller's settings."""
    for name in list(os.environ):
        if name.startswith("MAILER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="session")
def real() -> Composition:
    """The December 2018 issue, composed once. Read only."""
    return Newsroom.open(ROOT, {"MAILER_SECRET_KEY": SECRET}).compose("2018-12")


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    """A copy of the repository's newsroom without its issues, with an empty store."""
    return copy_newsroom(tmp_path / "newsroom")


def copy_newsroom(folder: Path, issues: bool = False, **env: str) -> Newsroom:
    """The repository's configuration and templates at `folder`; with `issues`, the December issue too.

    Without its translations of topics: a test that needs some gives its own.
    """
    folder.mkdir()
    written = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(OWN_TEXTS.sub("", written), "utf-8")
    shutil.copytree(ROOT / "templates", folder / "templates")
    if issues:
        shutil.copytree(ROOT / "issues", folder / "issues")
    return Newsroom.open(folder, {"MAILER_SECRET_KEY": SECRET, **env})


ISSUE = """\
---
title: Enterprises Newsletter
date: 2018-12-14
subject: Two stories
preheader: One about cooperatives, one for everybody, and nothing else at all
---

Welcome.

# News {#news}

## Cooperatives grow {#coops topics=cooperatives}

They [grow fast](https://example.org/grow).

[Read the report](https://example.org/report){.button}

## For everybody {#all}

Something for all of us.
"""


@pytest.fixture
def write_issue(newsroom: Newsroom) -> Callable[..., str]:
    """Writes issues/SLUG/issue.md into the newsroom; returns the slug."""

    def write(text: str | bytes = ISSUE, slug: str = "2019-01") -> str:
        path = newsroom.root / "issues" / slug / "issue.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return slug

    return write


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2018, 12, 14, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """08:00 UTC on 14 December 2018."""
    return Clock()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A newsroom ready to send, and the command run in it."""
    from sending import Office

    made = Office(tmp_path / "office", monkeypatch)
    yield made
    made.close()


@pytest.fixture(scope="module")  # no longer: Playwright keeps an event loop running, and others call asyncio.run
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real browser; a test that asks for it is skipped when none is installed."""
    from browsing import chromium

    with chromium(tmp_path_factory.mktemp("home")) as started:
        yield started
