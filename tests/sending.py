"""A newsroom that is ready to send, and the command run in it: in this process, or as one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from conftest import ISSUE, OWN_TEXTS, ROOT, SECRET, copy_newsroom
from smtp_relay import PATIENCE, Mail, Relay

from mailer.audience import subscribers
from mailer.cli.main import main
from mailer.deliver import plan
from mailer.deliver.run import Run
from mailer.models import Delivery
from mailer.newsroom import Newsroom

NOW = "2018-12-14T08:00:00Z"
SLUG = "2019-01"
_SMTP = '\n[tool.mailer.smtp]\nurl = "{url}"\nconnections = {connections}\nretry = {retry}\ntimeout = "{timeout}"\n'


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON value and nothing else."""
        return json.loads(self.out)


class Office:
    """A newsroom with one issue of two stories: `coops` for cooperatives, `all` for everybody."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = copy_newsroom(folder).root
        self._patch = patch
        self._rooms: list[Newsroom] = []
        self._started: list[subprocess.Popen[str]] = []
        patch.setenv("MAILER_SECRET_KEY", SECRET)
        self.write_issue()

    def write_issue(self, text: str = ISSUE) -> None:
        """issues/2019-01/issue.md."""
        path = self.root / "issues" / SLUG / "issue.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def use(
        self,
        relay: Relay | str,
        connections: int = 1,
        retry: str = '["5m", "30m"]',
        timeout: str = "30s",
        more: str = "",
    ) -> None:
        """Configure the relay; `more` are further lines of `[smtp]`, and tables under `[tool.mailer.smtp...]`."""
        text = OWN_TEXTS.sub("", (ROOT / "pyproject.toml").read_text("utf-8"))
        before, _, after = text.partition("\n[tool.mailer.smtp]\n")
        url = relay.url if isinstance(relay, Relay) else relay
        smtp = _SMTP.format(url=url, connections=connections, retry=retry, timeout=timeout) + more + "\n"
        (self.root / "pyproject.toml").write_text(before + smtp + after[after.index("\n[") :], "utf-8")

    def room(self) -> Newsroom:
        """The newsroom, opened anew; closed at the end of the test."""
        self._rooms.append(Newsroom.open(self.root, dict(os.environ)))
        return self._rooms[-1]

    def subscribe(self, *people: str, count: int = 0, **interests: str) -> list[str]:
        """Add people by address; `count` makes r001@example.org and so on; `coops="cooperatives"` gives an interest."""
        addresses = [*people, *(f"r{number:03d}@example.org" for number in range(1, count + 1))]
        room = self.room()
        chosen = {f"{name}@example.org": [interest] for name, interest in interests.items()}
        for address in (*addresses, *chosen):
            subscribers.add(room.store.audience, room.config, room.tokens, address, "", chosen.get(address, []), NOW)
        return sorted((*addresses, *chosen))

    def plan(self) -> Newsroom:
        """Freeze the audience, without sending."""
        room = self.room()
        plan.freeze(room.compose(SLUG), room.store, NOW)
        return room

    def sending(self, clock: Any, limit: int = 0) -> Run:
        """A run over the planned issue."""
        room = self.room()
        return Run(room.job(room.compose(SLUG), limit=limit), room.store.sendlog, clock)

    def log(self) -> dict[str, Delivery]:
        """The send log by address."""
        return {row.email: row for row in self.room().store.sendlog.deliveries(SLUG)}

    def states(self) -> dict[str, str]:
        """Address -> state."""
        return {email: str(row.state) for email, row in self.log().items()}

    def run(self, *arguments: str, typed: str = "") -> Answer:
        """`mailer -C newsroom ...` in this process."""
        out, err = io.StringIO(), io.StringIO()
        self._patch.setattr(sys, "argv", ["mailer", "-C", str(self.root), *arguments])
        self._patch.setattr(sys, "stdin", io.StringIO(typed))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
            main()
        return Answer(end.value.code, out.getvalue(), err.getvalue())  # type: ignore[arg-type]

    def start(self, *arguments: str, env: Mapping[str, str] | None = None, **streams: int) -> subprocess.Popen[str]:
        """`mailer -C newsroom ...` as a process of its own, whose input is at its end."""
        command = [sys.executable, "-m", "mailer", "-C", str(self.root), *arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        self._started.append(subprocess.Popen(command, env=os.environ | (env or {}), text=True, **pipes))
        return self._started[-1]

    def close(self) -> None:
        """Close every newsroom that was opened, end every command that a failed test left behind."""
        for process in self._started:
            process.kill()
            process.communicate()
        for room in self._rooms:
            room.close()


def finish(process: subprocess.Popen[str]) -> Answer:
    """Wait for a started command."""
    out, err = process.communicate(timeout=PATIENCE)
    return Answer(process.returncode, out, err or "")


def parsed(mail: Mail) -> EmailMessage:
    """A received mail, as a reader's program sees it."""
    message = message_from_bytes(mail.content, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message
