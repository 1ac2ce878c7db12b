"""The archive: an index of the issues that went out, each as it was sent, and for each reader the edition they got."""

from __future__ import annotations

from mimetypes import guess_type

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mailer.compose.editions import select
from mailer.compose.personal import Personaliser
from mailer.web import edition
from mailer.web.library import Sent
from mailer.web.security import FILE_POLICY, MAIL_POLICY, PUBLIC
from mailer.web.visit import Visit, page

_FOR_EVER = "public, max-age=31536000, immutable"  # what was sent never changes


def index(visit: Visit) -> Response:
    """Every issue, the newest first, and the feeds."""
    headers = {**PUBLIC, "Vary": "Accept-Language"}  # or a cache hands one reader's language to all
    return visit.render("index.html", headers=headers, issues=visit.site.library.all(visit.store.archive))


def issue(visit: Visit) -> Response:
    """An issue as it was sent, for everybody."""
    sent = _sent(visit)
    pages = visit.site.library.pages(visit.store.archive, sent)
    body = edition.general(visit.site, sent, pages.html, visit.site.texts_for(sent.issue.language))
    return HTMLResponse(body, headers={**PUBLIC, "Content-Security-Policy": MAIL_POLICY})


def issue_without_slash(visit: Visit) -> Response:
    """Leads to the issue, whose pictures and events lie below it."""
    return RedirectResponse(visit.site.link(f"/{_sent(visit).issue.slug}/"), 308, headers=PUBLIC)


def below(visit: Visit) -> Response:
    """What stands below an issue's address: a reader's own edition, where a token names one, or a file."""
    slug, name = visit.parts["slug"], visit.parts["name"]
    number = visit.site.room.tokens.read(f"web {slug}", name)
    return file(visit, name) if number is None else own(visit, _sent(visit), number)


def own(visit: Visit, sent: Sent, number: int) -> Response:
    """The edition one reader got, with their own links: for nobody's index and nobody's cache."""
    room, store, slug = visit.site.room, visit.store, sent.issue.slug
    reader = store.audience.get(number)
    if reader is None:  # erased, or a test mail's, whose links name nobody
        return RedirectResponse(visit.site.link(f"/{slug}/"), 303)
    delivery = store.sendlog.delivery(slug, number)
    editions = store.sendlog.editions(slug)
    selection = editions.get(delivery.edition if delivery else "") or select(sent.issue, ())
    facts = sent.facts
    personal = Personaliser(sent.issue, room.config, room.tokens, facts.reader, facts.everything).personal(reader)
    body = edition.own(visit.site, sent, visit.site.library.pages(store.archive, sent).html, selection, personal)
    return HTMLResponse(body, headers={"Content-Security-Policy": MAIL_POLICY})


def file(visit: Visit, name: str) -> Response:
    """A picture of an issue, or a file it links to."""
    content = visit.store.archive.file(visit.parts["slug"], name)
    if content is None:
        raise HTTPException(404)
    kind = guess_type(name)[0] or "application/octet-stream"
    # Whatever a newsroom published, no browser runs it here.
    headers = {"Content-Security-Policy": FILE_POLICY, "Cache-Control": _FOR_EVER}
    return Response(content, media_type=kind, headers={**PUBLIC, **headers})


def sitemap(visit: Visit) -> Response:
    """Every public page (sitemaps.org 0.9)."""
    issues = visit.site.library.all(visit.store.archive)
    body = visit.site.fill("sitemap.xml", visit.texts, issues=issues)
    return Response(body, media_type="application/xml", headers=PUBLIC)


def _sent(visit: Visit) -> Sent:
    return visit.site.library.find(visit.store.archive, visit.parts["slug"])


FIRST = [page("/", get=index), page("/sitemap.xml", get=sitemap)]
# These take whatever no other route takes.
ROUTES = [
    page("/{slug}", get=issue_without_slash),
    page("/{slug}/", get=issue),
    page("/{slug}/{name:path}", get=below),
]
