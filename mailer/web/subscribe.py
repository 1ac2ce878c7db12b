"""Subscribe: the form, the same answer for everybody, and the snippet that puts the form on another site."""

from __future__ import annotations

from starlette.responses import Response

from mailer.models import Channel
from mailer.web import abuse, choices, errands
from mailer.web.abuse import Gate, Step
from mailer.web.choices import Choices
from mailer.web.errands import Act, Errand
from mailer.web.evidence import evidence
from mailer.web.visit import Visit, page


def show(visit: Visit) -> Response:
    """The empty form."""
    return _form(visit, Choices(language=visit.texts.language), abuse.shown(visit))


def send(visit: Visit) -> Response:
    """Ask the address. What is answered depends on the form alone, never on whose address it is."""
    wanted = choices.read(visit)
    if wanted.errors:
        return _form(visit, wanted, abuse.shown(visit), status=422)
    gate = abuse.check(visit, wanted.email)
    if gate.step is not Step.GO:
        return _form(visit, wanted, gate)
    shown = evidence(visit, Channel.FORM, shown="\n".join(_wording(visit)), kind="form")
    errands.ask(
        visit,
        Errand(
            Act.SUBSCRIBE, wanted.email, shown,
            name=wanted.name, interests=wanted.interests, language=wanted.language,
        ),
    )  # fmt: skip
    return visit.render("asked.html", email=wanted.email)


def embed(visit: Visit) -> Response:
    """The snippet, for the staff of the newsletter."""
    snippet = visit.site.fill("_snippet.html", visit.texts)
    return visit.render("embed.html", snippet=snippet.strip())


def _form(visit: Visit, wanted: Choices, gate: Gate, status: int = 200) -> Response:
    return visit.render(
        "subscribe.html",
        status=status,
        headers={"X-Robots-Tag": "all", **gate.headers},
        wanted=wanted,
        gate=gate,
        promises=_promises(visit),
    )


def _promises(visit: Visit) -> list[str]:
    """What a reader is told before they consent (GDPR articles 7 and 13)."""
    texts, newsletter = visit.texts, visit.site.room.config.newsletter
    return [
        texts("We send one mail to this address. {newsletter} comes only after you confirm it there.",
              newsletter=newsletter.name),
        texts("We keep your address, what you choose here, and when and from where you chose it, to send you "
              "{newsletter} and to be able to show that you asked for it. Nobody else gets any of it. Each mail has a "
              "link to leave, and you can see or erase your data at any time.", newsletter=newsletter.name),
        texts("Responsible: {controller}.", controller=f"{newsletter.name}, {newsletter.postal_address}"),
    ]  # fmt: skip


def _wording(visit: Visit) -> list[str]:
    """All that the form says, for the consent journal."""
    texts, newsletter = visit.texts, visit.site.room.config.newsletter
    explanations = visit.site.explanations(texts)
    topics = [" – ".join(filter(None, (label, explanations.get(topic)))) for topic, label in
              visit.site.interests(texts).items()]  # fmt: skip
    return [
        texts("Subscribe to {newsletter}", newsletter=newsletter.name),
        texts("Topics"),
        texts("Choose none to get every story."),
        *topics,
        *_promises(visit),
        f"[{texts('Subscribe')}]",
    ]


ROUTES = [page("/subscribe", get=show, post=send), page("/subscribe/embed", get=embed)]
