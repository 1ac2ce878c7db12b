"""Opening a file at a line in the composer's editor.

By a link, when the configuration has a pattern such as `vscode://file/{path}:{line}`; else by $VISUAL or $EDITOR. An
editor that needs the terminal is not started, since the desk holds that: the page shows the command to type instead.
"""

from __future__ import annotations

import shlex
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_TERMINAL = {"ed", "emacs", "helix", "hx", "joe", "kak", "mcedit", "micro", "nano", "ne", "nvim", "pico", "vi", "vim"}
_COLON = {"helix", "hx", "subl", "zed"}  # editor FILE:LINE
_GOTO = {"code", "codium", "cursor", "windsurf"}  # editor --goto FILE:LINE
_PLUS = _TERMINAL - _COLON | {"geany", "gedit", "gvim", "mousepad", "xed", "emacsclient"}  # editor +LINE FILE
_DASH = {"kate", "kwrite"}  # editor --line LINE FILE


@dataclass(frozen=True, slots=True)
class Way:
    """How to get to a line: follow `link`, let the desk start `name`, or type `command`."""

    link: str = ""
    name: str = ""
    command: str = ""


def way(pattern: str, env: Mapping[str, str], path: Path, line: int) -> Way:
    """The way to a line, which is none without a pattern and an editor."""
    if pattern:
        place = quote(path.as_posix())
        pattern = pattern.replace("/{path}", "{path}") if place.startswith("/") else pattern  # one slash is enough
        return Way(link=pattern.format(path=place, line=max(line, 1)))
    words = _words(env)
    if not words:
        return Way()
    if Path(words[0]).name in _TERMINAL:
        return Way(command=shlex.join(_command(words, path, line)))
    return Way(name=Path(words[0]).name)


def start(env: Mapping[str, str], path: Path, line: int) -> None:
    """Start the editor beside the desk, which it outlives. Raises OSError."""
    words = _words(env)
    if not words or Path(words[0]).name in _TERMINAL:
        raise FileNotFoundError("no editor with a window is named in $VISUAL or $EDITOR")
    command = _command(words, path, line)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    threading.Thread(target=process.wait, daemon=True).start()


def _words(env: Mapping[str, str]) -> list[str]:
    try:
        return shlex.split(env.get("VISUAL") or env.get("EDITOR") or "")
    except ValueError:  # a quote is never closed
        return []


def _command(words: Sequence[str], path: Path, line: int) -> list[str]:
    name, number = Path(words[0]).name, max(line, 1)
    if name in _GOTO:
        return [*words, "--goto", f"{path}:{number}"]
    if name in _COLON:
        return [*words, f"{path}:{number}"]
    if name in _DASH:
        return [*words, "--line", str(number), str(path)]
    return [*words, *([f"+{number}"] if name in _PLUS else []), str(path)]
