"""A pool of npm nodemailer's, installed under build/, that sends what a planned issue sends."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peer
from outbox import Desk
from sink import Sink, Used

from mailer.compose.editions import key, select

PACKAGE = "nodemailer@10"
_SCRIPT = Path(__file__).with_suffix(".cjs")


@dataclass(slots=True)
class Pool:
    """Sends the pages of a desk to its readers: the first of them once more before the clock is read."""

    job: Path
    sink: Sink
    warm_up: int
    pages: dict[str, dict[str, str]]  # what each reader is to get, by address
    alike: bool = True  # whether Node's pages were these

    @classmethod
    def make(cls, desk: Desk, sink: Sink, job: Path) -> Pool:
        """Install it, and write down what it needs: pages, links and headers ready-made. Raises peer.NoPeer."""
        peer.install(PACKAGE)
        composition, newsletter = desk.composition, desk.newsroom.config.newsletter
        personaliser = composition.personaliser(desk.newsroom.tokens)
        editions: dict[str, dict[str, str]] = {}
        pages: dict[str, dict[str, str]] = {}
        people = []
        for person in desk.readers():
            selection, personal = select(composition.issue, person.interests), personaliser.personal(person)
            edition = key(selection)
            if edition not in editions:
                editions[edition] = {
                    "text": composition.text.cut(selection),
                    "html": composition.html.cut(selection),
                }
            people.append(
                {
                    "email": person.email,
                    "name": personal.full_name,
                    "edition": edition,
                    "messageId": personal.message_id,
                    "leave": f"<{personal.unsubscribe_url}>, <{personal.unsubscribe_mailto}>",
                    "values": {
                        name: getattr(personal, name)
                        for name in ("name", "email", "interests", "unsubscribe_url", "preferences_url", "web_url")
                    },
                }
            )
            pages[person.email] = {
                "text": composition.text_for(selection, personal),
                "html": composition.html_for(selection, personal),
            }
        content = {
            "from": newsletter.sender,
            "replyTo": newsletter.reply_to,
            "subject": composition.issue.subject,
            "headers": {
                "List-Id": f"{newsletter.name} <{newsletter.list_id}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "List-Help": f"<mailto:{newsletter.reply_to}?subject=help>",
                "List-Post": "NO",
                "Feedback-ID": f"{composition.issue.slug}:issue:newsletter:enterprisesexam",
            },
            "slots": composition.marks.slot_pattern().pattern,
            "editions": editions,
            "people": people,
        }
        job.write_text(json.dumps(content), "utf-8")
        return cls(job, sink, max(1, len(people) // 10), pages)

    def send(self, messages: int, connections: int) -> Used:
        """Send to so many people. Raises peer.NoPeer; ends the run when somebody got nothing."""
        command = ["node", str(_SCRIPT), str(peer.FOLDER), str(self.job)]
        command += map(str, (self.sink.port, connections, self.warm_up, messages))
        before = self.sink.messages
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise peer.NoPeer(f"Node ended with code {done.returncode}; its message stands above")
        answer: dict[str, Any] = json.loads(done.stdout)
        taken = self.sink.messages - before - self.warm_up
        if not answer["accepted"] == taken == messages:
            sys.exit(f"WRONG RESULT: the sink took {taken} of {messages}, and nodemailer counts {answer['accepted']}")
        last = answer["last"]
        self.alike &= self.pages[last.pop("email")] == last
        return Used(answer["seconds"], answer["cpu"])
