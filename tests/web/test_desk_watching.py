"""Every way in which editors save is seen, and a half-written file is not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.web.watching import Watch


def _first_change(folder: Path, save: Callable[[], object]) -> set[str]:
    """The names reported after `save`."""

    async def wait() -> set[Path]:
        watch = Watch(lambda: [folder])
        save()
        async with asyncio.timeout(30):
            return await anext(aiter(watch.changes()))

    return {path.name for path in asyncio.run(wait())}


def _rename_over(path: Path) -> None:
    beside = path.with_name(".issue.md.tmp")
    beside.write_text("new", "utf-8")
    os.utime(beside, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))  # same time, same size
    beside.replace(path)


SAVES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "in place": (lambda path: path.write_text("other words", "utf-8"), {"issue.md"}),
    "by rename, with the old time": (_rename_over, {"issue.md"}),
    "a new picture": (lambda path: (path.parent / "images" / "new.png").write_bytes(b"1"), {"new.png"}),
    "a file is removed": (lambda path: path.unlink(), {"issue.md"}),
    "a folder is moved away": (lambda path: (path.parent / "images").rename(path.parent / "pictures"), {"a.png"}),
    "with a swap file beside": (
        lambda path: [(path.parent / ".issue.md.swp").write_text("x"), path.write_text("longer words")],
        {"issue.md"},
    ),
}


@pytest.mark.parametrize(("save", "names"), SAVES.values(), ids=SAVES)
def test_every_way_of_saving_is_seen(tmp_path: Path, save: Callable[[Path], object], names: set[str]):
    folder = tmp_path / "issue"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(b"1")
    path = folder / "issue.md"
    path.write_text("old", "utf-8")
    assert _first_change(folder, lambda: save(path)) == names


def test_a_file_that_is_emptied_and_then_written_is_reported_once(tmp_path: Path):
    path = tmp_path / "issue.md"
    path.write_text("old", "utf-8")

    async def save_slowly() -> list[str]:
        watch = Watch(lambda: [tmp_path])
        found: list[str] = []

        async def look() -> None:
            async for _ in watch.changes():
                found.append(path.read_text("utf-8"))
                if found[-1] == "the end":
                    return

        looking = asyncio.create_task(look())
        with path.open("w", encoding="utf-8") as file:
            for words in ("the", " ", "end"):
                file.write(words)
                file.flush()
                await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await looking
        return found

    assert asyncio.run(save_slowly()) == ["the end"]
