"""The reader's site: what every page shares, and how a function of a visit becomes a route.

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
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Message, Scope

from mailer.compose.theme import Theme
from mailer.errors import ConfigError
from mailer.newsroom import Newsroom
from mailer.store import SqliteStore
from mailer.web import security
from mailer.web.bell import Bell
from mailer.web.kept import Kept, Render
from mailer.web.library import Library
from mailer.web.requestlog import Requests
from mailer.web.security import PATIENCE
from mailer.web.stores import Stores
from mailer.web.texts import Texts, catalogues, preferred, problems, texts_in

_FIELDS = 200
_USER_AGENT = 400  # characters kept of one
_ACCEPTED = 200  # characters read of the languages a browser prefers
_NO_QUERY = QueryParams()
_ONE_CLICK = b"List-Unsubscribe=One-Click"  # as almost every mail program posts it: read without a parser
_ONE_CLICK_FORM = FormData([("List-Unsubscribe", "One-Click")])
_log = logging.getLogger("mailer.web")


@dataclass(frozen=True, slots=True)
class Site:
    """One newsroom's pages."""

    room: Newsroom
    clock: Callable[[], datetime]
    texts: Mapping[str, Texts]
    theme: Theme
    environment: Environment
    stores: Stores
    requests: Requests
    library: Library
    patience: float  # seconds for the body of a request
    bell: Bell = field(default_factory=Bell)  # rung when something is put into the outbox
    kept: Kept = field(default_factory=Kept)

    @classmethod
    def of(cls, room: Newsroom, clock: Callable[[], datetime], patience: float = PATIENCE) -> Site:
        """Read everything the pages need. Raises ConfigError, InputError or StoreError."""
        config = room.config
        if wrong := problems(config):
            raise ConfigError(wrong)
        environment = Environment(
            loader=PackageLoader("mailer.web", "pages/public"), autoescape=True, undefined=StrictUndefined,
            auto_reload=False, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        theme = room.theme(config.newsletter.template)
        room.tokens, room.signer  # noqa: B018  # read now, by one thread
        return cls(
            room, clock, catalogues(config), theme, environment, Stores(room.open_store), Requests(),
            Library(),
            patience,
        )  # fmt: skip

    @property
    def prefix(self) -> str:
        """The path that public_url ends in, without a slash at its end: where the site begins."""
        return security.prefix_of(self.room.config.newsletter.public_url)

    def texts_for(self, language: str) -> Texts:
        """The texts in any language, such as an issue's: English where there is no catalogue."""
        return self.texts.get(language) or texts_in(self.room.config, language)

    def link(self, path: str) -> str:
        """A link inside the site: `/feed.atom` as a page must write it."""
        return f"{self.prefix}{path}"

    def address(self, path: str) -> str:
        """The full public address of a path."""
        return f"{self.room.config.newsletter.public_url}{path}"

    def interests(self, texts: Texts) -> dict[str, str]:
        """The names of the interests in a language, in their order."""
        return {topic: texts.named(label) for topic, label in self.room.config.interests.items()}

    def explanations(self, texts: Texts) -> dict[str, str]:
        """What a reader gets with an interest, where that is explained."""
        return {topic: texts.named(words) for topic, words in self.room.config.explanations.items()}

    def fill(self, name: str, texts: Texts, **context: Any) -> str:
        """A template of pages/public/ with what every page may use."""
        return self.environment.get_template(name).render(
            newsletter=self.room.config.newsletter,
            interests=self.interests(texts),
            explanations=self.explanations(texts),
            languages=self.texts,
            theme=self.theme.settings,
            texts=texts,
            _=texts.html,
            ngettext=texts.count,
            link=self.link,
            address=self.address,
            long_date=texts.dates.long,
            when=texts.dates.when,
            mailto=_mailto,
            bdi=bdi,
            **context,
        )

    def error(self, request: Request, error: Exception) -> Response:
        """The page of an error, in the reader's language, saying nothing of how the house is built."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        texts = self.texts[_language(request.query_params, request.scope, self.texts)]
        body = self.fill("error.html", texts, status=status)
        return HTMLResponse(body, status, headers=headers)


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
        return self.site.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

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


def bdi(text: str, language: str = "") -> Markup:
    """A name, an address or a title in a sentence of any direction."""
    return Markup("<bdi{}>{}</bdi>").format(Markup(' lang="{}"').format(language) if language else "", text)


def _mailto(address: str) -> Markup:
    """A link that writes to an address; it reads from left to right in every language."""
    return Markup('<a href="mailto:{0}"><bdi dir="ltr">{0}</bdi></a>').format(address)


def _place(error: Exception) -> str:
    """File and line, and never the message: it may hold an address."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"
