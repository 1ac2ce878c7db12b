"""One message to one person, outside any send log: test mails, and the letters of the reader's pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mailer.audience import addresses
from mailer.compose import headers
from mailer.compose.composition import Composition
from mailer.compose.editions import select
from mailer.config import Relay
from mailer.deliver.session import Unreachable
from mailer.deliver.smtp import Connection, Parcel
from mailer.errors import MailerError, RelayError
from mailer.models import Claim, Outcome, Selection, Subscriber
from mailer.store.base import Audience
from mailer.tokens import Tokens

if TYPE_CHECKING:
    from mailer.deliver.dkim import Signer


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of a test mail."""

    reader: Subscriber
    selection: Selection
    outcome: Outcome


async def send_test(
    composition: Composition,
    audience: Audience,
    tokens: Tokens,
    relay: Relay,
    to: str,
    date: str,
    signer: Signer | None,
    selection: Selection = (),
) -> Tested:
    """Send a mail that is marked as a test and whose links change nothing. `date` is an RFC 5322 date-time.

    Without a selection, the stories that the address would get, or all. Raises MailerError when it is no address,
    RelayError when the relay cannot be used.
    """
    try:
        address = addresses.normalise(to)
    except addresses.AddressError as error:
        raise MailerError(f"“{to}” is no address: {error}") from None
    reader = audience.find(addresses.key(address)) or Subscriber(address)
    selection = selection or select(composition.issue, reader.interests) or composition.everything
    personal = composition.personaliser(tokens, inert=True).personal(reader)
    recipient = headers.ascii_address(reader.email)
    template = composition.template(selection, f"[Test] {composition.issue.subject}")
    message = template.fill(personal, date, not recipient.isascii())
    newsletter, smtp = composition.config.newsletter, composition.config.smtp
    sender = headers.parts_of(newsletter.sender)[1]
    parcel = Parcel(sender, recipient, message, Claim(reader, "", 0), utf8=not recipient.isascii())
    return Tested(reader, selection, await send(relay, parcel, smtp.timeout.total_seconds(), signer))


async def send(relay: Relay, parcel: Parcel, timeout: float, signer: Signer | None) -> Outcome:
    """Sign it where there is a signer, connect, send, say goodbye. Raises RelayError when the relay cannot be used."""
    if signer:
        parcel = replace(parcel, content=signer.sign(parcel.content))
    try:
        connection = await Connection.open(relay, timeout)
    except Unreachable as error:
        raise RelayError(str(error)) from None
    one = _One(parcel)
    try:
        await connection.pump(one)
        await connection.close()
    finally:
        connection.abort()  # also when the site that sends it is stopped
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
