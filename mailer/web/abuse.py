"""Robots are kept from the forms that send mail: without third parties and without pictures to read.

    ticket      the form carries the signed time at which it was made; what comes back within two seconds, or after a
                day, or without a ticket (a form on another site), is shown once more, to be sent by one more press
    honeypot    a field nobody sees; where it is filled in, the same
    rush        more than so many forms in ten minutes, from whatever networks: from then on a form needs a proof of
                work (web/work.py), which a script of ours finds while it is filled in. One that brings none, because
                scripts are off or it came late, needs a ticket that was made for this address and is twenty seconds
                old, which costs a robot a second visit and its patience

What is suspicious is asked again and never dropped, since a person may be behind it. joining.py limits what is left:
letters to an address, asks from a network. While there is no rush, no page has a script or may run one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.audience import addresses
from mailer.times import shifted
from mailer.web import work
from mailer.web.visit import Visit
from mailer.web.work import Task

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
    """What comes next, and what the form carries if it is shown."""

    step: Step
    ticket: str
    task: Task | None = None  # only in a rush
    patience: int = PATIENCE

    @property
    def headers(self) -> dict[str, str]:
        """What the page with the form may do beyond others."""
        return {"Content-Security-Policy": work.POLICY} if self.task else {}


def shown(visit: Visit) -> Gate:
    """For a form that is shown: with the ticket it came with while that is good, else a new one."""
    return _shown(visit, Step.GO, _ticket(visit))


def check(visit: Visit, address: str) -> Gate:
    """Whether this form, which asks for a mail to this address, may go on. Counts it when it may."""
    given = str(visit.form.get("ticket", ""))
    own = f"form {visit.site.room.tokens.digest('form', addresses.key(address))}"
    waited = _age(visit, own, given)
    if waited is not None:
        if waited >= PATIENCE or work.is_done(visit):
            return Gate(Step.GO, given)
        return _shown(visit, Step.WAIT, given)
    age = _age(visit, "form", given)
    if age is None or age < QUICKEST or visit.form.get(HONEYPOT):
        return _shown(visit, Step.AGAIN, _ticket(visit))
    if visit.store.audience.count_ask([(*_everybody(visit), RUSH)], visit.now) or work.is_done(visit):
        return Gate(Step.GO, given)
    return _shown(visit, Step.WAIT, _sign(visit, own))


def _shown(visit: Visit, step: Step, ticket: str) -> Gate:
    rush = visit.store.audience.asks(*_everybody(visit)) >= RUSH
    return Gate(step, ticket, work.task(visit) if rush else None)


def _everybody(visit: Visit) -> tuple[str, str]:
    """Under which key all forms are counted, and since when."""
    return visit.site.room.tokens.digest("asked", "by everybody"), shifted(visit.now, -RUSH_WITHIN)


def _ticket(visit: Visit) -> str:
    given = str(visit.form.get("ticket", ""))
    return given if _age(visit, "form", given) is not None else _sign(visit, "form")


def _sign(visit: Visit, purpose: str) -> str:
    return visit.site.room.tokens.sign(purpose, int(datetime.fromisoformat(visit.now).timestamp()))


def _age(visit: Visit, purpose: str, given: str) -> float | None:
    """Seconds since a ticket was made; None for one that is not genuine, or stale."""
    made = visit.site.room.tokens.read(purpose, given)
    if made is None:
        return None
    age = datetime.fromisoformat(visit.now).timestamp() - made
    return age if 0 <= age <= STALE else None
