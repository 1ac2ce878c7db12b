"""A request as a page sees it, and how a function of a visit becomes a route.

    def show(visit: Visit) -> Response:
        return visit.render("unsubscribe.html", name=...)

    ROUTES = [page("/u/{token}", get=show, post=leave)]

Pages are plain functions. They run in a thread, because SQLite waits: one for all that is posted (web/stores.py). The
body is read before, within its limits.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Message, Scope

from mailer.store import SqliteStore
from mailer.times import timestamp
from mailer.web import security
from mailer.web.kept import Render
from mailer.web.site import Site
from mailer.web.texts import Texts, preferred

_FIELDS = 200
_USER_AGENT = 400  # characters kept of one
_ACCEPTED = 200  # characters read of the languages a browser prefers
_NO_QUERY = QueryParams()
_ONE_CLICK = b"List-Unsubscribe=One-Click"  # as almost every mail program posts it: read without a parser
_ONE_CLICK_FORM = FormData([("List-Unsubscribe", "One-Click")])
_log = logging.getLogger("mailer.web")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: who asks for what, and the means to answer."""

    site: Site
    store: SqliteStore  # this visit's alone
    texts: Texts
    parts: Mapping[str, str]  # of the path: {"token": "16.Zk3v..."}
    query: QueryParams
    form: FormData
    client: str  # the network address, as configured proxies tell it; empty when unknown
    user_agent: str

    @property
    def now(self) -> str:
        """The time as the store has it."""
        return timestamp(self.site.clock())

    @property
    def today(self) -> date:
        """The day in UTC."""
        return self.site.clock().astimezone(UTC).date()

    def speaking(self, language: str) -> Visit:
        """The same visit in a language, such as the subscriber's; ?lang= goes before it.

        Unchanged when the newsroom does not speak it.
        """
        texts = self.site.texts.get(language, self.texts)
        if texts is self.texts or self.query.get("lang") in self.site.texts:
            return self
        return replace(self, texts=texts)

    def render(
        self, name: str, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
    ) -> HTMLResponse:
        """A page. Without `headers` it is one reader's: for nobody's cache, and not to be indexed."""
        return HTMLResponse(self.site.fill(name, self.texts, **context), status, headers)

    def kept(self, key: Hashable, values: Mapping[str, str], render: Render) -> bytes:
        """One reader's page, which `render(values)` would write: kept by language and `key`, filled with `values`."""
        return self.site.kept.page((self.texts.language, key), values, render)


Page = Callable[[Visit], Response]


def page(path: str, get: Page | None = None, post: Page | None = None) -> Route:
    """A route to a page: what answers GET (and HEAD), and what answers POST."""
    answers = {method: answer for method, answer in (("GET", get), ("HEAD", get), ("POST", post)) if answer}

    async def endpoint(request: Request) -> Response:
        request.scope["page"] = path  # what the log calls it: the path itself may hold a token
        site: Site = request.app.state.site
        answer = answers[request.method]
        try:
            if request.method == "POST":
                form = await _form(request, site.patience)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(site.stores.writer, _answered, answer, site, request, form)
            return await run_in_threadpool(_answered, answer, site, request, FormData())
        except HTTPException:
            raise
        except Exception as error:
            _log.error("%s failed: %s at %s", path, type(error).__name__, _place(error))
            raise HTTPException(500) from None

    return Route(path, endpoint, methods=list(answers))


async def _form(request: Request, patience: float) -> FormData:
    """The fields of a form, in either encoding (RFC 8058 section 3.2); none when the body is something else."""
    try:
        async with asyncio.timeout(patience):
            body = await security.body(request)
    except TimeoutError:
        raise HTTPException(408, headers={"Connection": "close"}) from None

    if body == _ONE_CLICK and request.headers.get("content-type") == "application/x-www-form-urlencoded":
        return _ONE_CLICK_FORM

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    return await Request(request.scope, receive).form(max_files=0, max_fields=_FIELDS)


def _answered(answer: Page, site: Site, request: Request, form: FormData) -> Response:
    with site.stores.borrow() as store:
        return answer(visited(site, store, request.scope, request.path_params, form))


def visited(
    site: Site, store: SqliteStore, scope: Scope, parts: Mapping[str, str], form: FormData, language: str = ""
) -> Visit:
    """A request as a visit: `speaking` a language, where one is given."""
    query = QueryParams(scope["query_string"]) if scope["query_string"] else _NO_QUERY
    return Visit(
        site,
        store,
        site.texts[_language(query, scope, site.texts, language)],
        parts,
        query,
        form,
        scope["client"][0] if scope["client"] else "",
        _field(scope, b"user-agent", _USER_AGENT),
    )


def error_page(site: Site, request: Request, error: Exception) -> Response:
    """What is answered to an error, in the reader's language, saying nothing of how the house is built."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    texts = site.texts[_language(request.query_params, request.scope, site.texts)]
    return HTMLResponse(site.fill("error.html", texts, status=status), status, headers=headers)


def _field(scope: Scope, name: bytes, most: int) -> str:
    """The first characters of a header field; empty when there is none."""
    value: bytes = dict(scope["headers"]).get(name, b"")
    return value[:most].decode("latin-1")


def _language(query: QueryParams, scope: Scope, languages: Mapping[str, Texts], own: str = "") -> str:
    """?lang= where it is one of ours, else the reader's own, else what the browser prefers."""
    for language in (query.get("lang", ""), own):
        if language in languages:
            return language
    return preferred(_field(scope, b"accept-language", _ACCEPTED), tuple(languages))


def _place(error: Exception) -> str:
    """File and line, and never the message: it may hold an address."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"
