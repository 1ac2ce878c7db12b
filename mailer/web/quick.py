"""The two pages that every mail links to, answered where the request arrives: on the event loop, without a thread.

Finding one subscriber by number takes some 6 us and waits for nobody (SQLite in WAL); handing a request to a thread and
back takes 50. So a GET of such a page reads through a connection of the loop's own, which can neither write nor wait,
and goes past the layers around the other pages, whose work is done here. Whatever is not at hand, a store that is kept
busy and every mistake are left to the ordinary way, which starts anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

from starlette.datastructures import FormData
from starlette.types import ASGIApp, Receive, Scope, Send

from mailer.models import Subscriber
from mailer.web.security import WHOLE, head_of_page
from mailer.web.site import Site
from mailer.web.visit import Visit, visited

# The page of a reader, in UTF-8; None when it takes more than a look at their row, or what it needs is not at hand.
AtOnce = Callable[[Visit, Subscriber], bytes | None]

_NO_FORM = FormData()


class Quick:
    """Around everything else: `pages` by their route, one part and a token as /u/{token} has, and its purpose."""

    def __init__(self, app: ASGIApp, site: Site, pages: Mapping[str, tuple[str, AtOnce]]) -> None:
        self._app = app
        self._site = site
        self._pages = {
            f"{prefix}{route.removesuffix('{token}')}": (route, purpose, answer)
            for route, (purpose, answer) in pages.items()
            for prefix in ("", site.prefix)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if not self._answered(scope):
            await self._app(scope, receive, send)

    def _answered(self, scope: Scope) -> bool:
        began = perf_counter()
        if scope["type"] != "http" or scope["method"] != "GET":
            return False
        path: str = scope["path"]
        begin = path.rfind("/") + 1
        page, whole = self._pages.get(path[:begin]), scope.get("extensions", {}).get(WHOLE)
        if page is None or whole is None:
            return False
        route, purpose, answer = page
        try:
            body = self._body(scope, purpose, path[begin:], answer)
        except Exception:
            return False
        if body is None or not whole(scope, head_of_page(scope["scheme"], len(body)), body):
            return False
        self._site.requests.note("GET", route, 200, perf_counter() - began)
        return True

    def _body(self, scope: Scope, purpose: str, token: str, answer: AtOnce) -> bytes | None:
        site, store = self._site, self._site.stores.reading
        number = site.room.tokens.read(purpose, token)
        person = store.audience.get(number) if store and number else None
        if store is None or person is None:
            return None
        return answer(visited(site, store, scope, {"token": token}, _NO_FORM, person.language), person)
