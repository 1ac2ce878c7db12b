"""npm mjml 5 + juice, installed under build/ and kept warm in one Node process; and how npm packages get there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

PACKAGES = ("mjml@5", "juice@12")
FOLDER = Path(__file__).parent.parent / "build" / "peer"  # build/ is ignored by git
_SCRIPT = Path(__file__).parent / "peer.cjs"


class NoPeer(Exception):
    """Why the npm side cannot be measured here."""


class Peer:
    """The running Node process."""

    def __init__(self, documents: Sequence[str], css: str, scratch: Path) -> None:
        """Start it, installing the packages at first. Raises NoPeer."""
        install(*PACKAGES)
        ready = scratch / "documents.json"
        ready.write_text(json.dumps({"documents": list(documents), "css": css}), "utf-8")
        self._node = subprocess.Popen(
            ["node", str(_SCRIPT), str(FOLDER), str(ready)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            self.render([0])  # an older Node cannot load juice 12: said now, not in the middle of a run
        except NoPeer:
            self.__exit__(None, None, None)
            raise

    def render(self, indexes: Sequence[int], pages: bool = False, author_only: bool = False) -> dict[str, Any]:
        """Render and inline these documents; `seconds` is measured inside Node. Raises NoPeer when Node has ended."""
        assert self._node.stdin
        assert self._node.stdout
        try:
            self._node.stdin.write(json.dumps({"indexes": indexes, "pages": pages, "authorOnly": author_only}) + "\n")
            self._node.stdin.flush()
            answer = self._node.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise NoPeer(f"Node ended with code {self._node.wait()}; its message stands above")
        result: dict[str, Any] = json.loads(answer)
        return result

    def versions(self) -> str:
        """Of Node and of the two packages."""
        return versions("mjml", "juice")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._node.stdin
        assert self._node.stdout
        with suppress(BrokenPipeError):
            self._node.stdin.close()
        self._node.wait()
        self._node.stdout.close()


def install(*packages: str) -> None:
    """Have `NAME@MAJOR` of npm's packages in FOLDER, without a lock file. Raises NoPeer."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NoPeer(f"there is no {program} here")
    if all((FOLDER / "node_modules" / package.partition("@")[0]).is_dir() for package in packages):
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--prefix", str(FOLDER), *packages]
    command += ["--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=1", "--loglevel=error"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[0]
        raise NoPeer(f"npm could not install {' and '.join(packages)}: {said}")


def versions(*packages: str) -> str:
    """Of Node and of installed packages."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return ", ".join([f"Node {node.lstrip('v')}", *(f"{name} {_version(name)}" for name in packages)])


def _version(package: str) -> str:
    found = json.loads((FOLDER / "node_modules" / package / "package.json").read_text("utf-8"))
    return str(found["version"])
