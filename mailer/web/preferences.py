"""Preferences, behind the signed link in every mail: topics, language, name, address, a pause, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from mailer.audience import addresses, life
from mailer.errors import BadLink, MailerError, StoreError
from mailer.models import Channel, Issue, Story, Subscriber, SubscriberState
from mailer.web import choices, errands
from mailer.web.choices import Choices
from mailer.web.errands import Act, Errand
from mailer.web.evidence import evidence, registry
from mailer.web.library import Sent
from mailer.web.site import bdi, ltr
from mailer.web.visit import Visit, page

PURPOSE = "preferences"


@dataclass(frozen=True, slots=True)
class Taste:
    """The latest issue, as these interests would have brought it."""

    issue: Issue
    stories: tuple[Story, ...]


def show(visit: Visit) -> Response:
    """What is chosen now."""
    person = _bearer(visit)
    visit = visit.speaking(person.language)
    if closed := _closed(visit, person):
        return closed
    return HTMLResponse(_chosen(visit, person))


def at_once(visit: Visit, person: Subscriber) -> bytes | None:
    """The same for one who is subscribed, when the latest issue need not be looked for."""
    if person.state is not SubscriberState.ACTIVE or not visit.site.library.knows_latest:
        return None
    return _chosen(visit, person)


def save(visit: Visit) -> Response:
    """Save everything at once and say what changed; or only show what a choice would bring."""
    person = _bearer(visit)
    visit = visit.speaking(person.language)
    if closed := _closed(visit, person):
        return closed
    wanted, typed = choices.read(visit), str(visit.form.get("paused_until", "")).strip()[:40]
    until = _pause(visit, person, wanted, typed)
    if wanted.errors or "look" in visit.form:
        return _form(visit, person, wanted, typed, status=422 if wanted.errors else 200)
    if not person.id:  # a test mail's link: works, and changes nothing (standards U19)
        return _form(visit, person, wanted, typed, changes=())
    try:
        after, changes = _save(visit, person, wanted, until)
    except StoreError:
        raise
    except MailerError:  # they left in another window since the page was shown
        return _closed(visit, _bearer(visit)) or visit.render("over.html", status=410, expired=False)
    visit = visit.speaking(after.language)
    return _form(visit, after, choices.of(after), after.paused_until, changes=_told(visit, after, changes, wanted))


def _save(visit: Visit, person: Subscriber, wanted: Choices, until: date | None) -> tuple[Subscriber, list[str]]:
    """The person as they now are, and the names of what changed."""
    people = registry(visit)
    with visit.store.audience.transaction():
        how = evidence(visit, Channel.LINK, shown=_wording(visit), kind=PURPOSE, token=visit.parts["token"])
        changed = life.change(people, person.id, how, name=wanted.name, interests=wanted.interests,
                              language=wanted.language)  # fmt: skip
        fields = list(changed.fields)
        if not changed.before.language and "language" in fields and wanted.language == _default(visit):
            fields.remove("language")  # it was never said, and is the same
        after = life.pause(people, person.id, how, until)
        if after.paused_until != changed.before.paused_until:
            fields.append("pause")
        if addresses.key(wanted.email) != addresses.key(person.email):
            errands.ask(visit, Errand(Act.ADDRESS, wanted.email, how, subscriber_id=person.id))
            fields.append("email")
    return after, fields


def _told(visit: Visit, after: Subscriber, changes: list[str], wanted: Choices) -> tuple[str, ...]:
    """A sentence for each change."""
    texts, interests = visit.texts, visit.site.interests(visit.texts)
    topics = Markup(texts(", ")).join(visit.site.named(texts, interests[topic]) for topic in after.interests)
    until = date.fromisoformat(after.paused_until) if after.paused_until else None
    said = {
        "interests": texts.html("Your topics: {topics}.", topics=topics) if topics else texts("You get every story."),
        "language": texts("Your language: {language}.", language=texts.name),
        "name": texts.html("Your name: {name}", name=bdi(after.name))
        if after.name
        else texts("We no longer know your name."),
        "pause": texts("No issue reaches you before {day}.", day=texts.dates.long(until))
        if until
        else texts("Your pause is over."),
        "email": texts.html(
            "We are sending a mail to {address}. Follow the link in it: until then we write to the address you have.",
            address=ltr(wanted.email),
        ),
    }
    return tuple(said[change] for change in changes)


def _pause(visit: Visit, person: Subscriber, wanted: Choices, typed: str) -> date | None:
    """The day a pause ends; one that is over already is none. What is wrong goes to the other errors."""
    if not typed:
        return None
    first, last = _pause_days(visit)
    try:
        until = date.fromisoformat(typed)
    except ValueError:
        until = None
    if until and person.paused_until == until.isoformat() and until < first:
        return None
    if until is None or not first <= until <= last:
        wanted.errors["paused_until"] = visit.texts(
            "Choose a day from {first} to {last}.",
            first=visit.texts.dates.long(first), last=visit.texts.dates.long(last),
        )  # fmt: skip
    return until


def _pause_days(visit: Visit) -> tuple[date, date]:
    return visit.today + timedelta(days=1), visit.today + life.LONGEST_PAUSE


def _chosen(visit: Visit, person: Subscriber) -> bytes:
    """The form as it is asked for by far the most: all that shapes it is named, so that it can be kept."""
    inert, topics, language = not person.id, person.interests, person.language
    sent = visit.site.library.latest(visit.store.archive)
    return visit.kept(
        ("preferences", inert, topics, language, visit.today, sent and sent.issue.slug),
        {"email": person.email, "name": person.name, "until": person.paused_until, "leave": _way_out(visit, person)},
        lambda own: _filled(
            visit, inert, Choices(own["email"], own["name"], topics, language), own["until"], own["leave"], sent
        ),
    )


def _form(
    visit: Visit, person: Subscriber, wanted: Choices, paused_until: str, changes: tuple[str, ...] | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    sent = visit.site.library.latest(visit.store.archive)
    leave = _way_out(visit, person)
    return HTMLResponse(_filled(visit, not person.id, wanted, paused_until, leave, sent, changes), status)


def _filled(
    visit: Visit, inert: bool, wanted: Choices, paused_until: str, leave: str, sent: Sent | None,
    changes: tuple[str, ...] | None = None,
) -> str:  # fmt: skip
    first, last = _pause_days(visit)
    return visit.site.fill(
        "preferences.html",
        visit.texts,
        inert=inert,
        wanted=wanted,
        paused_until=paused_until,
        first=first.isoformat(),
        last=last.isoformat(),
        changes=changes,
        taste=_taste(sent.issue, wanted.interests) if sent else None,
        leave=leave,
    )


def _taste(issue: Issue, interests: tuple[str, ...]) -> Taste:
    return Taste(issue, tuple(story for story in issue.stories if story.suits(interests)))


def _way_out(visit: Visit, person: Subscriber) -> str:
    return f"/u/{visit.site.room.tokens.sign('unsubscribe', person.id)}"


def _bearer(visit: Visit) -> Subscriber:
    """Whose link it is; a test mail's is nobody's. Someone erased is shown as one who left."""
    try:
        number = life.bearer(registry(visit), PURPOSE, visit.parts["token"])
    except BadLink:
        raise HTTPException(404) from None
    if number == 0:
        return Subscriber("", language=visit.texts.language)
    gone = Subscriber("", state=SubscriberState.SUPPRESSED, id=number)
    return life.get(registry(visit), number) or gone


def _closed(visit: Visit, person: Subscriber) -> Response | None:
    """What somebody sees who gets nothing: how to come back."""
    if person.state is SubscriberState.ACTIVE:
        return None
    left = person.state is SubscriberState.UNSUBSCRIBED
    leave = _way_out(visit, person) if left else ""
    return visit.render("closed.html", status=200 if left else 410, leave=leave)


def _default(visit: Visit) -> str:
    return visit.site.room.config.newsletter.language


def _wording(visit: Visit) -> str:
    texts, interests = visit.texts, visit.site.interests(visit.texts)
    head = texts("Your preferences"), texts("Topics"), texts("Choose none to get every story.")
    return "\n".join((*head, *interests.values(), f"[{texts('Save')}]"))


ROUTES = [page("/p/{token}", get=show, post=save)]
AT_ONCE = {"/p/{token}": (PURPOSE, at_once)}
