"""Acts that a mail to the address confirms: subscribe (double opt-in), another address, see and erase what is held.

A link of such a mail names the row of the journal that was written when it was asked for, so it confirms exactly what
its mail says, and nothing once the person left, or was erased, after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from mailer.audience import addresses, wishes
from mailer.audience.life import expect_active
from mailer.audience.registry import Registry
from mailer.errors import MailerError, NotFound
from mailer.models import Event, Evidence, JournalRow, Letter, LetterKind, Subscriber, SubscriberState
from mailer.times import shifted

CONFIRM_WITHIN = timedelta(days=7)
MY_DATA_WITHIN = timedelta(hours=1)
LETTERS_A_DAY = 3  # to one address: nobody's mailbox is filled through our form (standards P1)
ASKS_AN_HOUR = 20  # from one network: a class room may subscribe, a robot may not
_OVER = (Event.LEFT, Event.SUPPRESSED, Event.EXPIRED, Event.ERASED)


@dataclass(frozen=True, slots=True)
class Asked:
    """The mail that is due, if any, and whether a limit was hit. The reader is told the same in each case."""

    letter: Letter | None = None
    limited: bool = False


def ask(
    registry: Registry,
    email: str,
    evidence: Evidence,
    *,
    name: str = "",
    interests: Sequence[str] = (),
    language: str = "",
) -> Asked:
    """Ask to subscribe. Raises MailerError for what is wrong with the address or the choices, whoever's they are."""
    config, audience = registry.config, registry.audience
    address = wishes.address(email)
    wanted = Subscriber(
        *(address, wishes.name(address, name), wishes.interests(config, interests), wishes.language(config, language)),
        state=SubscriberState.PENDING,
    )
    key = addresses.key(address)
    with audience.transaction():
        if not _within_limits(registry, key, evidence):
            return Asked(limited=True)
        known = audience.find(key)
        if _is_barred(registry, key) or (known and known.state is SubscriberState.SUPPRESSED):
            return Asked()
        if known and known.state is SubscriberState.ACTIVE:
            return Asked(_letter(registry, LetterKind.ALREADY, known, registry.tokens.sign("preferences", known.id)))
        if known is None:
            number = audience.insert(wanted, key, evidence.at, Event.ASKED, evidence)
        elif known.state is SubscriberState.PENDING:
            number = known.id
            audience.update(replace(wanted, id=number, fields=known.fields), evidence.at, Event.ASKED, evidence)
        else:  # who left stays off the list until they confirm
            number = known.id
            details = {"interests": list(wanted.interests), "language": wanted.language, "name": wanted.name}
            audience.note(number, Event.ASKED, evidence, details | {"only_asked": True})
        row = registry.journal.last(number, Event.ASKED)
        assert row
        return Asked(_dated(registry, LetterKind.CONFIRM, replace(wanted, id=number), row.number, evidence.at))


def asking(registry: Registry, token: str, now: str) -> Subscriber:
    """The person as they would be, for the page with the button. Raises BadLink, ExpiredLink, NotFound."""
    return _asking(registry, token, now)[0]


def confirm(registry: Registry, token: str, evidence: Evidence) -> Subscriber:
    """Subscribe the bearer; again, it changes nothing. Raises BadLink, ExpiredLink, NotFound."""
    evidence = replace(evidence, token=registry.tokens.name(token))
    with registry.audience.transaction():
        person, held = _asking(registry, token, evidence.at)
        if held.state is SubscriberState.ACTIVE:
            return held
        registry.audience.lift(registry.address_hash(addresses.key(person.email)))
        person = replace(person, changed_at=evidence.at)
        registry.audience.update(person, evidence.at, Event.CONFIRMED, evidence)
    return person


def ask_address_change(registry: Registry, subscriber_id: int, email: str, evidence: Evidence) -> Asked:
    """Ask the new address. No mail when it is taken. Raises MailerError for what is no address, NotFound."""
    address = wishes.address(email)
    key = addresses.key(address)
    with registry.audience.transaction():
        person = expect_active(registry, subscriber_id)
        if not _within_limits(registry, key, evidence):
            return Asked(limited=True)
        if _is_barred(registry, key) or not _is_free(registry, key, subscriber_id):
            return Asked()
        registry.audience.note(subscriber_id, Event.ADDRESS_ASKED, evidence, {"address": address})
        row = registry.journal.last(subscriber_id, Event.ADDRESS_ASKED)
        assert row
        at_new = replace(person, email=address)
        return Asked(_dated(registry, LetterKind.CONFIRM_ADDRESS, at_new, row.number, evidence.at))


def confirm_address_change(registry: Registry, token: str, evidence: Evidence) -> Subscriber:
    """Write the new address; again, it changes nothing. Raises BadLink, ExpiredLink, NotFound, MailerError."""
    evidence = replace(evidence, token=registry.tokens.name(token))
    with registry.audience.transaction():
        row = _asked_row(registry, LetterKind.CONFIRM_ADDRESS, token, evidence.at)
        person = expect_active(registry, row.subscriber_id)
        address = str((row.details or {})["address"])
        if person.email == address:
            return person
        last = registry.journal.last(person.id, Event.ADDRESS_ASKED)
        if last and last.number != row.number:
            raise NotFound("another address was asked for after this one. Use the link of the latest mail")
        key = addresses.key(address)
        if _is_barred(registry, key) or not _is_free(registry, key, person.id):
            raise MailerError("this address cannot be used. Choose another one")
        registry.audience.lift(registry.address_hash(key))
        registry.audience.set_address(person.id, address, key, evidence)
        return replace(person, email=address, changed_at=evidence.at)


def ask_my_data(registry: Registry, email: str, evidence: Evidence) -> Asked:
    """A mail with the link to see and erase what is held; none for a stranger. Raises MailerError for no address."""
    key = addresses.key(wishes.address(email))
    with registry.audience.transaction():
        if not _within_limits(registry, key, evidence):
            return Asked(limited=True)
        person = registry.audience.find(key)
        if person is None or person.state is SubscriberState.SUPPRESSED:
            return Asked()
        return Asked(_dated(registry, LetterKind.MY_DATA, person, person.id, evidence.at, MY_DATA_WITHIN))


def my_data_bearer(registry: Registry, token: str, now: str) -> int:
    """Whose data the link opens. Raises BadLink, ExpiredLink."""
    return registry.tokens.read_until(LetterKind.MY_DATA, token, now)


def _asking(registry: Registry, token: str, now: str) -> tuple[Subscriber, Subscriber]:
    """The person as the mail says, active; and as they are."""
    row = _asked_row(registry, LetterKind.CONFIRM, token, now)
    held = registry.audience.get(row.subscriber_id)
    over = [last for event in _OVER if (last := registry.journal.last(row.subscriber_id, event))]
    if held is None or row.details is None or any(last.number > row.number for last in over):
        raise NotFound("this subscription is not open any more. Subscribe anew")
    asked = row.details
    interests, language = asked.get("interests"), str(asked.get("language", ""))
    chosen = tuple(map(str, interests)) if isinstance(interests, list) else ()
    person = replace(
        held, interests=chosen, language=language, state=SubscriberState.ACTIVE, paused_until="",
        name=str(asked.get("name", held.name)),
    )  # fmt: skip
    return person, held


def _asked_row(registry: Registry, kind: LetterKind, token: str, now: str) -> JournalRow:
    row = registry.journal.row(registry.tokens.read_until(kind, token, now))
    if row is None or row.details is None:
        raise NotFound("this subscription was erased. Subscribe anew")
    return row


def _within_limits(registry: Registry, key: str, evidence: Evidence) -> bool:
    digest = registry.tokens.digest
    limits = [(digest("asked for", key), shifted(evidence.at, timedelta(days=-1)), LETTERS_A_DAY)]
    if evidence.network:
        network = digest("asked from", network_of(evidence.network))
        limits.append((network, shifted(evidence.at, timedelta(hours=-1)), ASKS_AN_HOUR))
    return registry.audience.count_ask(limits, evidence.at)


def network_of(address: str) -> str:
    """A household or an office: one IPv4 address, 64 bits of an IPv6 one."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)


def _is_barred(registry: Registry, key: str) -> bool:
    """Suppressed for another reason than their own erasure, which their own wish takes back."""
    return registry.audience.suppressed_for(registry.address_hash(key)) not in ("", "erased")


def _is_free(registry: Registry, key: str, subscriber_id: int) -> bool:
    taken = registry.audience.find(key)
    return taken is None or taken.id == subscriber_id


def _dated(
    registry: Registry, kind: LetterKind, to: Subscriber, number: int, now: str, within: timedelta = CONFIRM_WITHIN
) -> Letter:
    expires_at = shifted(now, within)
    return _letter(registry, kind, to, registry.tokens.sign_until(kind, number, expires_at), expires_at)


def _letter(registry: Registry, kind: LetterKind, to: Subscriber, token: str, expires_at: str = "") -> Letter:
    language = to.language or registry.config.newsletter.language
    return Letter(kind, to.email, to.name, language, token, to.id, expires_at)
