"""The life of a subscription, once there is one: change, pause, leave, come back, be erased.

People are named by their number, as links name them (`bearer`). Each function reads the person anew within one write
transaction, and writes the row of the consent journal in the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from mailer.audience import addresses, subscribers, wishes
from mailer.audience.registry import Registry
from mailer.audience.replay import replay
from mailer.errors import BadLink, MailerError, NotFound
from mailer.models import Event, Evidence, Reason, Subscriber, SubscriberState
from mailer.times import shifted

UNDO = timedelta(days=30)
LONGEST_PAUSE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Changed:
    """A person before and after a change, and the names of the fields that differ."""

    before: Subscriber
    after: Subscriber
    fields: tuple[str, ...]


def bearer(registry: Registry, purpose: str, token: str) -> int:
    """The number in a signed link without a time; 0 for the inert links of test mails. Raises BadLink."""
    number = registry.tokens.read(purpose, token)
    if number is None:
        raise BadLink
    return number


def get(registry: Registry, subscriber_id: int) -> Subscriber | None:
    """The person; None when they were erased."""
    return registry.audience.get(subscriber_id)


def change(
    registry: Registry,
    subscriber_id: int,
    evidence: Evidence,
    *,
    name: str | None = None,
    interests: Sequence[str] | None = None,
    language: str | None = None,
) -> Changed:
    """Change what is given; interests by id or label. What is the same already is no event.

    Raises MailerError for what is wrong with any of it, and for one who is not active.
    """
    with registry.audience.transaction():
        before = expect_active(registry, subscriber_id)
        after = replace(
            before,
            name=before.name if name is None else wishes.name(before.email, name),
            interests=before.interests if interests is None else wishes.interests(registry.config, interests),
            language=before.language if language is None else wishes.language(registry.config, language),
        )
        fields = tuple(
            each for each in ("name", "interests", "language") if getattr(before, each) != getattr(after, each)
        )
        if fields:
            after = replace(after, changed_at=evidence.at)
            registry.audience.update(after, evidence.at, Event.CHANGED, evidence, fields)
    return Changed(before, after, fields)


def pause(registry: Registry, subscriber_id: int, evidence: Evidence, until: date | None) -> Subscriber:
    """No issue before this day; None ends a pause. Raises MailerError for a day that is past, or too far ahead."""
    if until:
        today = date.fromisoformat(evidence.at[:10])
        if not today < until <= today + LONGEST_PAUSE:
            raise MailerError("a pause may last from one day to a year: choose a later or an earlier day")
    with registry.audience.transaction():
        person = expect_active(registry, subscriber_id)
        after = replace(person, paused_until=until.isoformat() if until else "")
        if after != person:
            after = replace(after, changed_at=evidence.at)
            registry.audience.update(after, evidence.at, Event.PAUSED, evidence)
    return after


def leave(registry: Registry, subscriber_id: int, evidence: Evidence) -> Subscriber | None:
    """Take somebody off the list, at once and also out of a running send; an import never brings them back.

    Doing so again changes nothing. None for one who was erased.
    """
    with registry.audience.transaction():
        person = registry.audience.get(subscriber_id)
        if person is None or person.state in (SubscriberState.UNSUBSCRIBED, SubscriberState.SUPPRESSED):
            return person
        registry.audience.set_state(subscriber_id, SubscriberState.UNSUBSCRIBED, evidence.at, Event.LEFT, evidence)
        return registry.audience.get(subscriber_id)


def may_undo(registry: Registry, subscriber_id: int, now: str) -> bool:
    """Whether a leaving can be taken back: within 30 days, by one who was active before."""
    person = registry.audience.get(subscriber_id)
    if person is None or person.state is not SubscriberState.UNSUBSCRIBED:
        return False
    left = registry.journal.last(subscriber_id, Event.LEFT)
    if left is None or now > shifted(left.at, UNDO):
        return False
    before = replay(row for row in registry.journal.rows(subscriber_id) if row.number < left.number)
    return before.state is SubscriberState.ACTIVE


def undo_leave(registry: Registry, subscriber_id: int, evidence: Evidence) -> Subscriber:
    """Subscribed again, as before. Raises MailerError when it is too late, NotFound when they were erased."""
    with registry.audience.transaction():
        person = registry.audience.get(subscriber_id)
        if person is None:
            raise NotFound("this subscription was erased. Subscribe anew")
        if person.state is SubscriberState.ACTIVE:
            return person
        if not may_undo(registry, subscriber_id, evidence.at):
            raise MailerError("this cannot be taken back any more. Subscribe anew")
        registry.audience.set_state(subscriber_id, SubscriberState.ACTIVE, evidence.at, Event.UNDONE, evidence)
        return replace(person, state=SubscriberState.ACTIVE, changed_at=evidence.at)


def reason(registry: Registry, subscriber_id: int, evidence: Evidence, why: Reason) -> None:
    """Keep why somebody left; one answer for each leaving, and nothing from one who did not leave."""
    with registry.audience.transaction():
        person = registry.audience.get(subscriber_id)
        if person is None or person.state is not SubscriberState.UNSUBSCRIBED:
            return
        said = registry.journal.last(subscriber_id, Event.SAID_WHY)
        left = registry.journal.last(subscriber_id, Event.LEFT)
        if left and (said is None or said.number < left.number):
            registry.audience.note(subscriber_id, Event.SAID_WHY, evidence, {"why": str(why)})


def suppress(registry: Registry, subscriber_id: int, evidence: Evidence, why: str) -> None:
    """Never write to this person again, because of `why`: "bounced", "complaint", an operator's word."""
    with registry.audience.transaction():
        person = registry.audience.get(subscriber_id)
        if person is None or person.state is SubscriberState.SUPPRESSED:
            return
        registry.audience.suppress(registry.address_hash(addresses.key(person.email)), why, evidence.at)
        registry.audience.set_state(
            subscriber_id, SubscriberState.SUPPRESSED, evidence.at, Event.SUPPRESSED, evidence, why
        )


def erase(registry: Registry, subscriber_id: int, evidence: Evidence) -> None:
    """Delete everything held about a person but a keyed hash that keeps imports from bringing them back.

    GDPR article 17. The rows of the journal and of the send logs stay, without what is personal in them.
    """
    with registry.audience.transaction():
        if person := registry.audience.get(subscriber_id):
            registry.audience.suppress(registry.address_hash(addresses.key(person.email)), "erased", evidence.at)
            registry.audience.erase(subscriber_id, evidence.at, Event.ERASED, evidence)


def wording(registry: Registry, kind: str, language: str, text: str) -> str:
    """Keep a text that is shown where somebody consents; returns the id that Evidence takes."""
    return registry.journal.keep_wording(kind, language, text)


def expect_active(registry: Registry, subscriber_id: int) -> Subscriber:
    """The person. Raises NotFound when erased, MailerError when they get no mail."""
    person = registry.audience.get(subscriber_id)
    if person is None:
        raise NotFound("this subscription was erased. Subscribe anew")
    subscribers.expect_active(person)
    return person
