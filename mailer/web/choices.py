"""What a form says of a subscription: as it was typed, what that means, and what is wrong with it, by field."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailer.audience import wishes
from mailer.audience.names import LONGEST
from mailer.errors import MailerError
from mailer.models import Subscriber
from mailer.web.visit import Visit

_LONGEST_ADDRESS = 320  # RFC 3696 erratum 1690 says 254; this much is shown again


@dataclass(slots=True)
class Choices:
    """The fields, normalised where they are right and as typed where not, so that nothing is typed twice."""

    email: str = ""
    name: str = ""
    interests: tuple[str, ...] = ()
    language: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def of(person: Subscriber) -> Choices:
    """What is chosen already."""
    return Choices(person.email, person.name, person.interests, person.language)


def read(visit: Visit) -> Choices:
    """What the form says. Languages and interests that are not ours were typed by nobody: they are left out."""
    config, texts = visit.site.room.config, visit.texts
    wanted = {str(each) for each in visit.form.getlist("interests")}
    language = str(visit.form.get("language", ""))
    made = Choices(
        email=address(visit),
        name=str(visit.form.get("name", "")),
        interests=config.topic_order(wanted),
        language=language if language in visit.site.texts else texts.language,
    )
    try:
        made.name = wishes.name("", made.name)
    except MailerError:
        made.name = made.name[: LONGEST * 2]
        made.errors["name"] = texts("Write the name on one line, with at most {count} characters.", count=LONGEST)
    try:
        made.email = wishes.address(made.email)
    except MailerError:
        made.errors["email"] = wrong_address(visit)
    return made


def address(visit: Visit) -> str:
    """The address as it was typed."""
    return str(visit.form.get("email", "")).strip()[:_LONGEST_ADDRESS]


def wrong_address(visit: Visit) -> str:
    """What to say of one that is none."""
    return visit.texts("Write an e-mail address, such as name@example.org.")
