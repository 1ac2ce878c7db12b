"""One line a request, and counts for /metrics. Pages are named by their route: no address, no token (standards P9)."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT".split())  # RFC 9110 section 9, RFC 5789
log = logging.getLogger("mailer.access")


@dataclass(slots=True)
class Requests:
    """What was asked since the site started."""

    counts: Counter[tuple[str, str, int]] = field(default_factory=Counter)  # method, page, status
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # by page

    def note(self, method: str, page: str, status: int, seconds: float) -> None:
        """Count and log one. For the event loop's thread alone."""
        self.counts[method, page, status] += 1
        self.seconds[page] += seconds
        if log.isEnabledFor(logging.INFO):
            milliseconds = round(seconds * 1000, 1)
            request = {"method": method, "page": page, "status": status, "ms": milliseconds}
            log.info("%s %s %d %.1f ms", method, page, status, milliseconds, extra={"request": request})


class RequestLog:
    """Notes every request, also one that failed."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 0, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            page = scope.get("page", "-")  # no route of ours
            self._requests.note(method, page, status, time.perf_counter() - started)
