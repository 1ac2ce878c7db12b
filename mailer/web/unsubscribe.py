"""Leaving: one button for a reader, one click for their mail program (RFC 8058). A GET shows, a POST acts.

Scanners follow every link of a mail; none of them sends the form. What is posted says which of the buttons it was, all
on the one address that stands in the mail, so that a link to another language of a result page leads somewhere too.
"""

from __future__ import annotations

from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from mailer.audience import life
from mailer.errors import BadLink, MailerError, StoreError
from mailer.models import Channel, Event, Reason, Subscriber, SubscriberState
from mailer.times import shifted
from mailer.web.evidence import evidence, registry
from mailer.web.visit import Visit, page


def show(visit: Visit) -> Response:
    """The button; for one who has left, what the button led to."""
    number, person, visit = _bearer(visit)
    if number and not _is(person, SubscriberState.ACTIVE, SubscriberState.PENDING):
        return _left(visit, number)
    return HTMLResponse(_button(visit, person))


def at_once(visit: Visit, person: Subscriber) -> bytes | None:
    """The button, for all but those who have left."""
    return _button(visit, person) if _is(person, SubscriberState.ACTIVE, SubscriberState.PENDING) else None


def act(visit: Visit) -> Response:
    """A mail program's one click, in either encoding, or a button of these pages; anything else is refused."""
    number, person, visit = _bearer(visit)
    if visit.form.get("List-Unsubscribe") == "One-Click":
        _leave(visit, number, Channel.ONE_CLICK)
        return PlainTextResponse(visit.texts("You are unsubscribed."))
    match visit.form.get("do"):
        case "leave":
            _leave(visit, number, Channel.LINK)
            return _left(visit, number)
        case "undo":
            return _undo(visit, number)
        case "why":
            return _why(visit, number, person)
    raise HTTPException(400)


def _button(visit: Visit, person: Subscriber | None) -> bytes:
    return visit.kept(
        ("unsubscribe", person is None),
        {"email": person.email} if person else {},
        lambda values: visit.site.fill("unsubscribe.html", visit.texts, email=values.get("email")),
    )


def _leave(visit: Visit, number: int, channel: Channel) -> None:
    life.leave(registry(visit), number, evidence(visit, channel, token=visit.parts["token"]))


def _undo(visit: Visit, number: int) -> Response:
    """Subscribed again. The form holds a token for it: the link in the mail is for leaving alone."""
    if visit.site.room.tokens.read("undo", str(visit.form.get("undo"))) != number:
        raise HTTPException(400)
    proof = evidence(visit, Channel.LINK, visit.texts("Subscribe me again"), "undo", visit.parts["token"])
    try:
        person = life.undo_leave(registry(visit), number, proof)
    except StoreError:
        raise
    except MailerError:  # too late, or erased meanwhile
        return _left(visit, number, status=410, late=True)
    return visit.render("returned.html", person=person)


def _why(visit: Visit, number: int, person: Subscriber | None) -> Response:
    given = visit.form.get("why")
    if given is None:  # the button without an answer
        return show(visit)
    if given not in list(Reason):
        raise HTTPException(400)
    life.reason(registry(visit), number, evidence(visit, Channel.LINK, token=visit.parts["token"]), Reason(str(given)))
    return _left(visit, number, thanked=True) if _is(person, SubscriberState.UNSUBSCRIBED) else show(visit)


def _left(visit: Visit, number: int, status: int = 200, late: bool = False, thanked: bool = False) -> Response:
    register = registry(visit)
    person = life.get(register, number)
    left = register.journal.last(number, Event.LEFT)
    said = register.journal.last(number, Event.SAID_WHY)
    undo = left if left and life.may_undo(register, number, visit.now) else None
    return visit.render(
        "left.html",
        status,
        person=person,
        inert=not number,
        undo=visit.site.room.tokens.sign("undo", number) if undo else "",
        undo_until=datetime.fromisoformat(shifted(undo.at, life.UNDO)).date() if undo else None,
        ask=_is(person, SubscriberState.UNSUBSCRIBED) and left and (said is None or said.number < left.number),
        late=late,
        thanked=thanked,
    )


def _bearer(visit: Visit) -> tuple[int, Subscriber | None, Visit]:
    """The number in the link, 0 in a test mail's; the person, if there is one; the visit in their language."""
    register = registry(visit)
    try:
        number = life.bearer(register, "unsubscribe", visit.parts["token"])
    except BadLink:
        raise HTTPException(404) from None
    person = life.get(register, number)
    return number, person, visit.speaking(person.language if person else "")


def _is(person: Subscriber | None, *states: SubscriberState) -> bool:
    return person is not None and person.state in states


ROUTES = [page("/u/{token}", get=show, post=act)]
AT_ONCE = {"/u/{token}": ("unsubscribe", at_once)}
