"""The links of mails that ask: each opens a page with a button, and the button acts (standards U8)."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from mailer.audience import joining, life
from mailer.errors import BadLink, ExpiredLink, MailerError, NotFound, StoreError
from mailer.models import Channel, LetterKind, Subscriber
from mailer.web import letters
from mailer.web.evidence import evidence, registry
from mailer.web.texts import Texts
from mailer.web.visit import Visit, page


def show(visit: Visit) -> Response:
    """What would be confirmed."""
    try:
        person = joining.asking(registry(visit), visit.parts["token"], visit.now)
    except MailerError as error:
        return refused(visit, error)
    return visit.speaking(person.language).render("confirm.html", person=person)


def act(visit: Visit) -> Response:
    """Subscribe them."""
    people, token = registry(visit), visit.parts["token"]
    try:
        visit = visit.speaking(joining.asking(people, token, visit.now).language)
        shown = evidence(visit, Channel.LINK, shown=_wording(visit), kind="confirmation")
        person = joining.confirm(people, token, shown)
    except MailerError as error:
        return refused(visit, error)
    return visit.render("confirmed.html", person=person, preferences=_preferences(visit, person))


def show_address(visit: Visit) -> Response:
    """The button that writes the new address. Whether the link still holds is seen when it is pressed."""
    try:
        visit = _speaking_to_asker(visit)
    except MailerError as error:
        return refused(visit, error)
    return visit.render("address.html")


def act_address(visit: Visit) -> Response:
    """Write it."""
    try:
        visit = _speaking_to_asker(visit)
        shown = evidence(visit, Channel.LINK)
        person = joining.confirm_address_change(registry(visit), visit.parts["token"], shown)
    except MailerError as error:
        return refused(visit, error)
    return visit.render("moved.html", person=person, preferences=_preferences(visit, person))


def refused(visit: Visit, error: MailerError) -> Response:
    """The page of a link that does nothing any more; one that is not genuine is nobody's."""
    if isinstance(error, StoreError):
        raise error
    if isinstance(error, BadLink):
        raise HTTPException(404)
    if not isinstance(error, ExpiredLink | NotFound):
        return visit.render("taken.html", status=409)
    return visit.render("over.html", status=410, expired=isinstance(error, ExpiredLink))


def _speaking_to_asker(visit: Visit) -> Visit:
    """In the language of the one who asked for another address. Raises BadLink, ExpiredLink."""
    people = registry(visit)
    number = visit.site.room.tokens.read_until(LetterKind.CONFIRM_ADDRESS, visit.parts["token"], visit.now)
    row = people.journal.row(number)
    person = life.get(people, row.subscriber_id) if row else None
    return visit.speaking(person.language) if person else visit


def _preferences(visit: Visit, person: Subscriber) -> str:
    return f"/p/{visit.site.room.tokens.sign('preferences', person.id)}"


def _wording(visit: Visit) -> str:
    """The mail that was sent, without what is one reader's in it, and the button behind its link."""
    texts: Texts = visit.texts
    words = letters.words_of(visit.site, LetterKind.CONFIRM, texts, ("…",), "…")
    return "\n".join(
        (
            words.subject, *words.before, f"[{words.button}]", *words.after,
            texts("Do you want {newsletter}?", newsletter=visit.site.room.config.newsletter.name),
            f"[{texts('Yes, subscribe me')}]",
        )
    )  # fmt: skip


ROUTES = [
    page("/confirm/{token}", get=show, post=act),
    page("/address/{token}", get=show_address, post=act_address),
]
