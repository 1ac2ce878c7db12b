"""The reader's pages as one application: routes, what stands around each of them, errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from mailer.newsroom import Newsroom
from mailer.times import Clock
from mailer.web import (
    archive,
    calendar,
    confirm,
    errands,
    feeds,
    home,
    metrics,
    mydata,
    preferences,
    subscribe,
    unsubscribe,
    work,
)
from mailer.web.quick import AtOnce, Quick
from mailer.web.requestlog import RequestLog
from mailer.web.security import PATIENCE, Headers, Prefix
from mailer.web.site import Site
from mailer.web.visit import error_page

# In this order: what a reader acts on comes before /{slug}/..., which takes whatever is left.
ROUTES: list[BaseRoute] = [
    *home.ROUTES, *metrics.ROUTES,
    *unsubscribe.ROUTES,
    *subscribe.ROUTES, *work.ROUTES, *confirm.ROUTES, *preferences.ROUTES, *mydata.ROUTES,
    *feeds.ROUTES, *archive.FIRST, *calendar.ROUTES,
    *archive.ROUTES,
]  # fmt: skip
AT_ONCE: dict[str, tuple[str, AtOnce]] = {**unsubscribe.AT_ONCE, **preferences.AT_ONCE}


def app(room: Newsroom, clock: Clock, patience: float = PATIENCE) -> ASGIApp:
    """The application. Raises ConfigError, InputError or StoreError when the newsroom is not in order."""
    site = Site.of(room, clock, patience)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        site.stores.open()
        async with errands.running(site):
            yield
        site.stores.close()

    async def failed(request: Request, error: Exception) -> Response:
        return error_page(site, request, error)

    made = Starlette(routes=ROUTES, exception_handlers={HTTPException: failed}, lifespan=lifespan)
    made.state.site = site
    made.router.redirect_slashes = False  # it would not know the prefix
    return Quick(Prefix(RequestLog(Headers(made), site.requests), site.prefix), site, AT_ONCE)
