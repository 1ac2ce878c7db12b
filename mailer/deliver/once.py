"""One message to one person, outside any send log: for test mails."""

from __future__ import annotations

from mailer.config import Relay
from mailer.deliver.session import Unreachable
from mailer.deliver.smtp import Connection, Parcel
from mailer.errors import RelayError
from mailer.models import Outcome


async def send(relay: Relay, parcel: Parcel, timeout: float) -> Outcome:
    """Connect, send, say goodbye. Raises RelayError when the relay cannot be used."""
    try:
        connection = await Connection.open(relay, timeout)
    except Unreachable as error:
        raise RelayError(str(error)) from None
    one = _One(parcel)
    await connection.pump(one)
    await connection.close()
    if one.outcome is None:
        raise RelayError(f"{relay} did not say what became of the message")
    return one.outcome


class _One:
    """A dispatcher of a single parcel."""

    def __init__(self, parcel: Parcel) -> None:
        self._parcel: Parcel | None = parcel
        self.outcome: Outcome | None = None

    async def take(self, wait: bool) -> Parcel | None:
        parcel, self._parcel = self._parcel, None
        return parcel

    def give_back(self, parcel: Parcel) -> None:
        self._parcel = parcel

    def offer(self, parcel: Parcel) -> bool:
        return True

    def settle(self, parcel: Parcel, outcome: Outcome) -> None:
        self.outcome = outcome
