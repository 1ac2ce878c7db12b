"""My data: everything held about a reader, to download or to erase; by a link that is mailed and good for an hour."""

from __future__ import annotations

import json

from starlette.responses import Response

from mailer.audience import joining, life, mydata, wishes
from mailer.errors import ExpiredLink, MailerError
from mailer.models import Channel
from mailer.web import abuse, choices, errands
from mailer.web.abuse import Gate, Step
from mailer.web.confirm import refused
from mailer.web.errands import Act, Errand
from mailer.web.evidence import evidence, registry
from mailer.web.visit import Visit, page


def show(visit: Visit) -> Response:
    """The form that asks for the mail."""
    return _form(visit, "", abuse.shown(visit))


def ask(visit: Visit) -> Response:
    """Ask for it. The answer is the same for an address that nobody has."""
    typed = choices.address(visit)
    try:
        address = wishes.address(typed)
    except MailerError:
        return _form(visit, typed, abuse.shown(visit), error=choices.wrong_address(visit), status=422)
    gate = abuse.check(visit, address)
    if gate.step is not Step.GO:
        return _form(visit, address, gate)
    errands.ask(visit, Errand(Act.MY_DATA, address, evidence(visit, Channel.FORM)))
    return visit.render("data-asked.html", email=address)


def show_buttons(visit: Visit) -> Response:
    """Two buttons; opening the page shows and changes nothing."""
    try:
        number = joining.my_data_bearer(registry(visit), visit.parts["token"], visit.now)
    except MailerError as error:
        return _refused(visit, error)
    person = life.get(registry(visit), number)
    if person is None:
        return visit.render("erased.html", status=410)
    return visit.speaking(person.language).render("mydata.html", error="")


def act(visit: Visit) -> Response:
    """Download, or erase, which has to be ticked first (WCAG 2.2, 3.3.4)."""
    people, token = registry(visit), visit.parts["token"]
    try:
        number = joining.my_data_bearer(people, token, visit.now)
    except MailerError as error:
        return _refused(visit, error)
    person = life.get(people, number)
    if person is None:
        return visit.render("erased.html", status=410)
    visit = visit.speaking(person.language)
    if visit.form.get("act") == "download":
        held = json.dumps(mydata.of(people, number), ensure_ascii=False, indent=2)
        attached = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(f"{held}\n", media_type="application/json", headers=attached)
    if visit.form.get("act") != "erase":
        return visit.render("mydata.html", status=400, error="")
    if "sure" not in visit.form:
        wrong = visit.texts("Tick this box if everything is to be erased.")
        return visit.render("mydata.html", status=422, error=wrong)
    life.erase(people, number, evidence(visit, Channel.LINK, token=token))
    return visit.render("erased.html")


def _form(visit: Visit, email: str, gate: Gate, error: str = "", status: int = 200) -> Response:
    return visit.render(
        "data.html",
        status=status,
        headers=gate.headers,
        wanted=choices.Choices(email, errors={"email": error} if error else {}),
        gate=gate,
    )


def _refused(visit: Visit, error: MailerError) -> Response:
    if isinstance(error, ExpiredLink):
        return visit.render("data-over.html", status=410)
    return refused(visit, error)


ROUTES = [page("/data", get=show, post=ask), page("/data/{token}", get=show_buttons, post=act)]
