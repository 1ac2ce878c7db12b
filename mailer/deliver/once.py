"""One message to one person, outside any send log: for test mails."""

from __future__ import annotations

from mailer.config import Relay
from mailer.deliver.smtp import Connection, Envelope, Unreachable
from mailer.errors import RelayError
from mailer.models import DeliveryState, Outcome, Reply, Step


async def send(relay: Relay, sender: str, recipient: str, content: bytes, timeout: float) -> Outcome:
    """Connect, send, say goodbye. Raises RelayError when the relay cannot be used."""
    try:
        connection = await Connection.open(relay, timeout)
    except Unreachable as error:
        raise RelayError(str(error)) from None
    envelope = Envelope(sender, recipient, utf8=not recipient.isascii())
    outcome = await connection.send(envelope, content, lambda: True)
    await connection.close()
    return outcome or Outcome(DeliveryState.SKIPPED, Reply(0, "not offered", Step.CONTENT))
