"""What every site has: its style sheet, robots.txt, and a sign of life."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from mailer.web.security import PUBLIC
from mailer.web.visit import Visit, page


def style(visit: Visit) -> Response:
    """The style sheet, in the colours and type of the mail's theme."""
    return Response(visit.site.fill("style.css", visit.texts), media_type="text/css", headers=PUBLIC)


def robots(visit: Visit) -> Response:
    """Everything public may be indexed; pages of one reader say noindex themselves, so they need not be named here."""
    return PlainTextResponse(
        f"User-agent: *\nAllow: /\nSitemap: {visit.site.address('/sitemap.xml')}\n", headers=PUBLIC
    )


def healthz(visit: Visit) -> Response:
    """200 when the site answers and its store can be read."""
    visit.store.sendlog.plan("")
    return PlainTextResponse("ok\n")


ROUTES = [page("/style.css", get=style), page("/robots.txt", get=robots), page("/healthz", get=healthz)]
