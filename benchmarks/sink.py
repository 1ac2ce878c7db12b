"""Postfix's smtp-sink to send to, and its load generator smtp-source (Debian's package postfix)."""

from __future__ import annotations

import os
import re
import resource
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from types import TracebackType

HOST = "127.0.0.1"
_PORTS = 5  # to try: between asking for a free one and the sink's taking it, another may
_TRIES = 500  # of 10 ms each, until the sink listens
_BACKLOG = "100"


class NoSink(Exception):
    """Why nothing can be measured here."""


@dataclass(frozen=True, slots=True)
class Used:
    """What sending took: seconds, and seconds of CPU time."""

    seconds: float
    cpu: float


class Sink:
    """A running smtp-sink: takes every message, keeps none, counts them."""

    def __init__(self, scratch: Path) -> None:
        """Start it. Raises NoSink."""
        command = [_program("smtp-sink"), "-c"]
        if os.geteuid() == 0:
            command += ["-u", "nobody"]  # it does not run as root
        self._counters = scratch / "smtp-sink.counters"
        for _ in range(_PORTS):
            with socket.create_server((HOST, 0)) as asked:
                self.port: int = asked.getsockname()[1]
            with self._counters.open("wb") as counters:
                self._process = subprocess.Popen(
                    [*command, f"{HOST}:{self.port}", _BACKLOG], stdout=counters, stderr=subprocess.PIPE
                )
            if self._listens():
                return
        assert self._process.stderr
        said = self._process.stderr.read().decode("utf-8", "replace").strip()
        raise NoSink(f"smtp-sink does not start: {said or 'it says nothing'}")

    @property
    def messages(self) -> int:
        """How many it has taken since it was started."""
        return max((int(count) for count in re.findall(rb"mesg=(\d+)", self._tail())), default=0)

    def source(self, messages: int, sessions: int, size: int) -> Used:
        """Let smtp-source send so many messages of so many bytes over so many sessions."""
        command = [_program("smtp-source"), "-d", "-m", str(messages), "-s", str(sessions), "-l", str(size)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = perf_counter()
        subprocess.run([*command, f"{HOST}:{self.port}"], stdout=subprocess.DEVNULL, check=True)
        took = perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Used(took, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate()

    def _listens(self) -> bool:
        for _ in range(_TRIES):
            if self._process.poll() is not None:
                return False
            try:
                socket.create_connection((HOST, self.port), timeout=5).close()
            except ConnectionRefusedError:
                sleep(0.01)
            else:
                return True
        self._process.terminate()
        return False

    def _tail(self) -> bytes:
        """The last of the counters: it writes all of them again with each message."""
        with self._counters.open("rb") as counters:
            counters.seek(max(0, self._counters.stat().st_size - 200))
            return counters.read()


def postfix() -> str:
    """The version of the two programs. Raises NoSink when they are not here."""
    for name in ("smtp-sink", "smtp-source"):
        _program(name)
    try:
        done = subprocess.run(["/usr/sbin/postconf", "-dh", "mail_version"], capture_output=True, text=True)
    except OSError:
        return "smtp-sink and smtp-source of Postfix"
    return f"smtp-sink and smtp-source of Postfix {done.stdout.strip()}"


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NoSink(f"there is no {name} here; Debian and Ubuntu have it in their package postfix")
    return found
