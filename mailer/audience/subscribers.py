"""The life of a subscription: add, change, leave, erase. Each finds the person by address."""

from __future__ import annotations

from dataclasses import replace

from mailer.audience import addresses, names
from mailer.audience import interests as interests_
from mailer.errors import MailerError, NotFound, nearest
from mailer.models import Subscriber, SubscriberState
from mailer.settings import Config
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
    person = Subscriber(address, _name(address, name), _interests(config, interests), _language(config, language))
    key = addresses.key(address)
    if audience.is_suppressed(tokens.digest("address", key)):
        raise MailerError(f"{address} was erased or suppressed and must not be written to")
    if known := audience.find(key):
        _expect_active(known)
        told = f"change them with: mailer subscribers change {known.email}"
        raise MailerError(f"{known.email} is subscribed already; {told}")
    return replace(person, id=audience.insert(person, key, now), changed_at=now)


def change(
    audience: Audience,
    config: Config,
    email: str,
    now: str,
    *,
    name: str | None = None,
    interests: list[str] | None = None,
    language: str | None = None,
) -> Subscriber:
    """Change what is given. Raises MailerError for what is wrong with any of it, or for one that left."""
    person = find(audience, email)
    _expect_active(person)  # what is written would say that they left today
    person = replace(
        person,
        name=person.name if name is None else _name(person.email, name),
        interests=person.interests if interests is None else _interests(config, interests),
        language=person.language if language is None else _language(config, language),
        changed_at=now,
    )
    audience.update(person, now)
    return person


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


def _expect_active(person: Subscriber) -> None:
    date = person.changed_at[:10]
    if person.state is SubscriberState.UNSUBSCRIBED:
        raise MailerError(f"{person.email} left on {date}; only their own wish brings them back")
    if person.state is not SubscriberState.ACTIVE:
        raise MailerError(f"{person.email} is {person.state} since {date} and must not be written to")


def _name(address: str, name: str) -> str:
    try:
        return names.tidy(name)
    except ValueError as error:
        raise MailerError(f"“{address}”: {error}") from None


def _interests(config: Config, words: list[str]) -> tuple[str, ...]:
    chosen, mistakes = interests_.read(words, config)
    if mistakes:
        raise MailerError(mistakes[0])
    return chosen


def _language(config: Config, language: str) -> str:
    languages = [config.newsletter.language, *config.newsletter.languages]
    if language and language not in languages:
        raise MailerError(f"unknown language “{language}”. {nearest(language, languages)}")
    return language


def _address(email: str) -> str:
    try:
        return addresses.normalise(email.strip())
    except addresses.AddressError as error:
        raise MailerError(f"“{email}” is no address: {error}") from None
