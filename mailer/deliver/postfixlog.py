"""What a Postfix mail log proves about messages, found by their Message-ID.

... postfix/cleanup[71]: 4Vx1: message-id=<2018-12.8f2e...@example.org>
... postfix/smtp[72]: 4Vx1: to=<ann@example.org>, relay=..., dsn=2.0.0, status=sent (250 2.0.0 Ok)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_MESSAGE = re.compile(r"postfix\S*\[\d+\]: (?P<queue>\w+): (?:resent-)?message-id=(?P<id><[^>]+>)")
_STATUS = re.compile(
    r"postfix\S*\[\d+\]: (?P<queue>\w+): to=<[^>]*>,.* dsn=(?P<dsn>[\d.]+), "
    r"status=(?P<status>sent|deferred|bounced|expired) \((?P<text>.*)\)\s*$"
)


@dataclass(frozen=True, slots=True)
class Proof:
    """The last a log says of a message."""

    status: str  # sent, deferred, bounced or expired
    enhanced: str  # RFC 3463
    text: str


def proofs(lines: Iterable[str], message_ids: Collection[str]) -> dict[str, Proof]:
    """For each of these Message-IDs that the log tells the fate of, what it says."""
    queues: dict[str, str] = {}
    found: dict[str, Proof] = {}
    for line in lines:
        if message := _MESSAGE.search(line):
            queues.pop(message["queue"], None)  # Postfix gives short queue ids again
            if message["id"] in message_ids:
                queues[message["queue"]] = message["id"]
        elif (status := _STATUS.search(line)) and status["queue"] in queues:
            found[queues[status["queue"]]] = Proof(status["status"], status["dsn"], status["text"])
    return found
