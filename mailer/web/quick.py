"""The two pages that every mail links to, answered where the request arrives: on the event loop, without a thread.

Finding one subscriber by number takes some 6 us and waits for nobody (SQLite in WAL); handing a request to a thread and
back takes 50. So a GET of such a page reads through a connection of the loop's own, which can neither write nor wait.
Whatever is not at hand, a store that is kept busy and every mistake are left to the ordinary way, which starts anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mailer.web.site import Site, Visit, visited

# None when the page takes more than a look at one row, or what it needs is not at hand.
AtOnce = Callable[[Visit], Response | None]

_NO_FORM = FormData()


class Quick:
    """Before the routes: `pages` by their route, each one part and a token, such as /u/{token}."""

    def __init__(self, app: ASGIApp, site: Site, pages: Mapping[str, AtOnce]) -> None:
        self._app = app
        self._site = site
        self._pages = {route.removesuffix("{token}"): (route, answer) for route, answer in pages.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await (self._answer(scope) or self._app)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        path: str = scope["path"]
        begin = path.find("/", 1) + 1
        route, answer = self._pages.get(path[:begin], ("", None))
        store = self._site.stores.reading
        if answer is None or store is None:
            return None
        try:
            response = answer(visited(self._site, store, scope, {"token": path[begin:]}, _NO_FORM))
        except Exception:
            return None
        scope["page"] = route
        return response
