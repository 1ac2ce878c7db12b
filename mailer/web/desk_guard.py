"""Who may talk to the desk: the browser that was given its address, and nobody's page in between.

- Every address begins with a random token. Without it there is nothing here: 404.
- The Host header must name this computer: a page elsewhere whose name was pointed at 127.0.0.1 (DNS rebinding) sends
  its own name (RFC 9110 section 7.2), and is turned away with 421 (section 15.5.20).
- The content security policy lets the page ask nobody but the desk.
"""

from __future__ import annotations

from secrets import compare_digest

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail runs no script; a link in it opens outside of the frame. The desk may look into it, to keep its place.
FRAME_SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
_FRAME_POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; img-src {{images}}; base-uri 'none'; frame-ancestors 'self'; "
    f"sandbox {FRAME_SANDBOX}"
)
_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "no-referrer",  # the token is in the address
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def frame_policy(images: bool) -> str:
    """For a mail; without images it is as in a program that blocks them."""
    return _FRAME_POLICY.format(images="'self'" if images else "'none'")


class Guard:
    """ASGI middleware around the desk."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode("ascii")
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refusal(scope) or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if Headers(scope=scope).get("host") not in self._hosts:
            return PlainTextResponse("This address is not the desk's.", 421)
        given = scope["path"].removeprefix("/").partition("/")[0].encode("utf-8", "replace")
        if not compare_digest(given, self._token):
            return PlainTextResponse("There is nothing here.", 404)
        return None
