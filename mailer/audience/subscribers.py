"""The life of a subscription: add, leave, erase. Each finds the person by address."""

from __future__ import annotations

from dataclasses import replace

from mailer.audience import addresses, names
from mailer.config import Config
from mailer.errors import MailerError, NotFound, nearest
from mailer.models import Subscriber, SubscriberState
from mailer.store.base import Audience
from mailer.tokens import Tokens


def find(audience: Audience, email: str) -> Subscriber:
    """The subscriber with this address. Raises NotFound."""
    found = audience.find(addresses.key(_address(email)))
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
) -> Subscriber:
    """Subscribe somebody. Raises MailerError for what is wrong with any of it, or for one that left."""
    address = _address(email)
    try:
        tidied = names.tidy(name)
    except ValueError as error:
        raise MailerError(f"“{address}”: {error}") from None
    for interest in interests:
        if interest not in config.interests:
            raise MailerError(f"unknown interest “{interest}”. {nearest(interest, config.interests)}")
    languages = [config.newsletter.language, *config.newsletter.languages]
    if language and language not in languages:
        raise MailerError(f"unknown language “{language}”. {nearest(language, languages)}")
    key = addresses.key(address)
    if audience.is_suppressed(tokens.digest("address", key)):
        raise MailerError(f"{address} was erased or suppressed and must not be written to")
    if known := audience.find(key):
        raise MailerError(f"{known.email} is {known.state} already, since {known.changed_at}")
    person = Subscriber(address, tidied, config.topic_order(set(interests)), language)
    return replace(person, id=audience.insert(person, key, now), changed_at=now)


def remove(audience: Audience, email: str, now: str) -> Subscriber:
    """Take somebody off the list, by their wish. An import never brings them back."""
    person = find(audience, email)
    if person.state is not SubscriberState.ACTIVE:
        return person
    audience.set_state(person.id, SubscriberState.UNSUBSCRIBED, now)
    return replace(person, state=SubscriberState.UNSUBSCRIBED, changed_at=now)


def erase(audience: Audience, tokens: Tokens, email: str, now: str) -> Subscriber:
    """Delete everything held about a person but a keyed hash that keeps them from coming back (GDPR article 17)."""
    person = find(audience, email)
    # In this order: cut short between the two, the person is still found, and erased by the next try.
    audience.suppress(tokens.digest("address", addresses.key(person.email)), "erased", now)
    audience.erase(person.id)
    return person


def _address(email: str) -> str:
    try:
        return addresses.normalise(email.strip())
    except addresses.AddressError as error:
        raise MailerError(f"“{email}” is no address: {error}") from None
