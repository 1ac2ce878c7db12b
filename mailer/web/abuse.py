"""Robots are kept from the forms that send mail: without third parties, pictures to read or scripts.

    ticket      the form carries the signed time at which it was made; what comes back within two seconds, or after a
                day, or without a ticket (a form on another site), is shown once more, to be sent by one more press
    honeypot    a field nobody sees; where it is filled in, the same
    rush        more than so many forms in ten minutes, from whatever networks: from then on a form needs a ticket that
                was made for this address and is twenty seconds old, which costs a robot a second visit and its patience

What is suspicious is asked again and never dropped, since a person may be behind it. joining.py limits what is left:
letters to an address, asks from a network.

The rush asks for time, not for a proof of work: without scripts nobody can do one, so there must be a way around it,
and a robot would take that way. Twenty seconds are also less than an old phone computes at what would cost a botnet
as much; and the pages keep a policy of no script at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.audience import addresses
from mailer.audience.registry import shifted
from mailer.web.site import Visit

QUICKEST = 2  # seconds in which nobody fills in a form
STALE = 24 * 3600  # seconds
RUSH = 60  # forms in ten minutes: more than a newsletter of a million gets on the day it is announced
RUSH_WITHIN = timedelta(minutes=10)
PATIENCE = 20  # seconds
HONEYPOT = "website"


class Step(StrEnum):
    """What comes next."""

    GO = "go"
    AGAIN = "again"  # look at the form once more
    WAIT = "wait"  # and send it a little later


@dataclass(frozen=True, slots=True)
class Gate:
    """What comes next, and the ticket of the form if it is shown again."""

    step: Step
    ticket: str


def ticket(visit: Visit) -> str:
    """For a form that is shown: the one it came with while that is good, else a new one."""
    given = str(visit.form.get("ticket", ""))
    return given if _age(visit, "form", given) is not None else _sign(visit, "form")


def check(visit: Visit, address: str) -> Gate:
    """Whether this form, which asks for a mail to this address, may go on. Counts it when it may."""
    given = str(visit.form.get("ticket", ""))
    own = f"form {visit.site.room.tokens.digest('form', addresses.key(address))}"
    waited = _age(visit, own, given)
    if waited is not None:
        return Gate(Step.GO if waited >= PATIENCE else Step.WAIT, given)
    age = _age(visit, "form", given)
    if age is None or age < QUICKEST or visit.form.get(HONEYPOT):
        return Gate(Step.AGAIN, ticket(visit))
    if _is_calm(visit):
        return Gate(Step.GO, given)
    return Gate(Step.WAIT, _sign(visit, own))


def _is_calm(visit: Visit) -> bool:
    everybody = visit.site.room.tokens.digest("asked", "by everybody")
    since = shifted(visit.now, -RUSH_WITHIN)
    return visit.store.audience.count_ask([(everybody, since, RUSH)], visit.now)


def _sign(visit: Visit, purpose: str) -> str:
    return visit.site.room.tokens.sign(purpose, int(datetime.fromisoformat(visit.now).timestamp()))


def _age(visit: Visit, purpose: str, given: str) -> float | None:
    """Seconds since a ticket was made; None for one that is not genuine, or stale."""
    made = visit.site.room.tokens.read(purpose, given)
    if made is None:
        return None
    age = datetime.fromisoformat(visit.now).timestamp() - made
    return age if 0 <= age <= STALE else None
