"""The journal played again: what each subscription must be, compared with what the table says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mailer.models import Event, JournalRow, Standing, Subscriber, SubscriberState
from mailer.store.base import Audience, Journal

_NOTES = (Event.SAID_WHY, Event.ADDRESS_ASKED, Event.ADDRESS_CHANGED)  # they change nothing that is played again
_ENDS = (Event.ERASED, Event.EXPIRED)
NOBODY = Standing(None)


def replay(rows: Iterable[JournalRow]) -> Standing:
    """One subscription's standing after its rows, in order; NOBODY for one that ended or never began."""
    standing = NOBODY
    for row in rows:
        if row.event in _ENDS:
            standing = NOBODY
        elif row.event not in _NOTES and row.details is not None and not row.details.get("only_asked"):
            standing = _standing(row.details)
    return standing


def differences(audience: Audience, journal: Journal) -> Iterator[str]:
    """A sentence for each subscription that is not what its journal says. Both are read once, side by side."""
    people = audience.all()
    person = next(people, None)
    for subscriber_id, rows in journal.people():
        while person and person.id < subscriber_id:
            yield f"subscriber {person.id} has no row in the journal"
            person = next(people, None)
        found = person if person and person.id == subscriber_id else None
        yield from _compared(subscriber_id, rows, found)
        if found:
            person = next(people, None)
    while person:
        yield f"subscriber {person.id} has no row in the journal"
        person = next(people, None)


def _compared(subscriber_id: int, rows: list[JournalRow], person: Subscriber | None) -> Iterator[str]:
    told = replay(rows)
    if person is None:
        if told.state:
            yield f"subscriber {subscriber_id} is {told.state} by the journal, and not in the table"
        return
    for row in rows:
        if row.details is None:
            yield f"row {row.number} lost its details, though subscriber {subscriber_id} was not erased"
    held = Standing(person.state, person.interests, person.language, person.paused_until)
    for field in ("state", "interests", "language", "paused_until"):
        ours, theirs = getattr(held, field), getattr(told, field)
        if ours != theirs:
            yield (
                f"subscriber {subscriber_id}: {field.replace('_', ' ')} is {_shown(ours)} in the table "
                f"and {_shown(theirs)} by the journal"
            )


def _standing(details: Mapping[str, object]) -> Standing:
    interests = details.get("interests", [])
    return Standing(
        SubscriberState(str(details.get("state", SubscriberState.ACTIVE))),
        tuple(map(str, interests)) if isinstance(interests, list) else (),
        str(details.get("language", "")),
        str(details.get("paused_until", "")),
    )


def _shown(value: object) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value or "")
    return f"“{text}”" if text else "nothing"
