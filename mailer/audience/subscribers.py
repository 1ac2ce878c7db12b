"""What an operator does to a subscription: add, change, take off, erase. Each finds the person by address.

`by` is the operator's login name, for the consent journal. What readers do themselves is in life.py and joining.py.
"""

from __future__ import annotations

from dataclasses import replace

from mailer.audience import addresses, wishes
from mailer.errors import MailerError, NotFound
from mailer.models import Channel, Event, Evidence, Subscriber, SubscriberState
from mailer.settings import Config
from mailer.store.base import Audience
from mailer.tokens import Tokens


def find(audience: Audience, email: str) -> Subscriber:
    """The subscriber with this address. Raises NotFound."""
    found = audience.find(addresses.key(wishes.address(email)))
    if found is None:
        raise NotFound(f"nobody with the address {email} is subscribed. Look with: mailer subscribers list")
    return found


def add(
    audience: Audience,
    config: Config,
    tokens: Tokens,
    email: str,
    name: str,
    interests: list[str],
    now: str,
    language: str = "",
    by: str = "",
) -> Subscriber:
    """Subscribe somebody. Raises MailerError for what is wrong with any of it, or for one that left."""
    address = wishes.address(email)
    person = Subscriber(
        address, wishes.name(address, name), wishes.interests(config, interests), wishes.language(config, language)
    )
    key = addresses.key(address)
    with audience.transaction():
        if audience.is_suppressed(tokens.digest("address", key)):
            raise MailerError(f"{address} was erased or suppressed and must not be written to")
        if known := audience.find(key):
            expect_active(known)
            told = f"change them with: mailer subscribers change {known.email}"
            raise MailerError(f"{known.email} is subscribed already; {told}")
        number = audience.insert(person, key, now, Event.ADDED, _operator(now, by))
    return replace(person, id=number, changed_at=now)


def change(
    audience: Audience,
    config: Config,
    email: str,
    now: str,
    *,
    name: str | None = None,
    interests: list[str] | None = None,
    language: str | None = None,
    by: str = "",
) -> Subscriber:
    """Change what is given. Raises MailerError for what is wrong with any of it, or for one that left."""
    with audience.transaction():
        person = find(audience, email)
        expect_active(person)  # what is written would say that they left today
        given = {"name": name, "interests": interests, "language": language}
        person = replace(
            person,
            name=person.name if name is None else wishes.name(person.email, name),
            interests=person.interests if interests is None else wishes.interests(config, interests),
            language=person.language if language is None else wishes.language(config, language),
            changed_at=now,
        )
        changed = [field for field, value in given.items() if value is not None]
        audience.update(person, now, Event.CHANGED, _operator(now, by), changed)
    return person


def remove(audience: Audience, email: str, now: str, by: str = "") -> Subscriber:
    """Take somebody off the list, by their wish. An import never brings them back."""
    with audience.transaction():
        person = find(audience, email)
        if person.state in (SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED):
            return person
        audience.set_state(person.id, SubscriberState.UNSUBSCRIBED, now, Event.LEFT, _operator(now, by))
    return replace(person, state=SubscriberState.UNSUBSCRIBED, changed_at=now)


def erase(audience: Audience, tokens: Tokens, email: str, now: str, by: str = "") -> Subscriber:
    """Delete everything held about a person but a keyed hash that keeps them from coming back (GDPR article 17)."""
    with audience.transaction():
        person = find(audience, email)
        audience.suppress(tokens.digest("address", addresses.key(person.email)), "erased", now)
        audience.erase(person.id, now, Event.ERASED, _operator(now, by))
    return person


def expect_active(person: Subscriber) -> None:
    """Raises MailerError for one who gets no mail."""
    date = person.changed_at[:10]
    if person.state is SubscriberState.PENDING:
        raise MailerError(f"{person.email} was asked on {date} to confirm the subscription, and has not yet")
    if person.state is SubscriberState.UNSUBSCRIBED:
        raise MailerError(f"{person.email} left on {date}; only their own wish brings them back")
    if person.state is not SubscriberState.ACTIVE:
        raise MailerError(f"{person.email} is {person.state} since {date} and must not be written to")


def _operator(now: str, by: str) -> Evidence:
    return Evidence(now, Channel.OPERATOR, source=by)
