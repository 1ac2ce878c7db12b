"""What keeps readers safe around every page: headers, the size of a body, the path prefix of a proxy."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WHOLE = "mailer.whole"  # an extension of the ASGI scope: how server.py sends a page in one piece
PATIENCE = 10.0  # seconds for the head of a request, and again for its body
BODY_LIMIT = 64 * 1024  # bytes: the longest form of ours has less than 4 KiB
# No script anywhere, and forms that go nowhere but here (CSP level 3).
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail carries its rules in style attributes, which no nonce or hash of level 2 covers.
MAIL_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
FILE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"  # an SVG or HTML file runs nothing
)
_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "no-referrer",  # the address of a page holds a token (standards P9)
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not read frame-ancestors
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ENCODED = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_PAGE = b"".join(b"%b: %b\r\n" % field for field in [(b"content-type", b"text/html; charset=utf-8"), *_ENCODED])
_PAGE_OVER_TLS = _PAGE + b"%b: %b\r\n" % _HSTS
PUBLIC = {"Cache-Control": "public, max-age=300", "X-Robots-Tag": "all"}  # for pages that are everybody's


def head_of_page(scheme: str, length: int) -> bytes:
    """The header fields of one reader's page with a body of so many bytes, as `Headers` would complete them."""
    return b"content-length: %d\r\n%b" % (length, _PAGE_OVER_TLS if scheme == "https" else _PAGE)


class Headers:
    """Writes what a response does not say itself. Over TLS, a year of HSTS (RFC 6797), for this host alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                said = {name for name, _ in headers}
                headers += [header for header in _ENCODED if header[0] not in said]
                if scope["scheme"] == "https":
                    headers.append(_HSTS)
            await send(message)

        await self._app(scope, receive, guarded)


class Prefix:
    """Takes the path of public_url off, so that a proxy may hand it on or not."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and self._prefix and f"{scope['path']}/".startswith(f"{self._prefix}/"):
            scope = {**scope, "path": scope["path"].removeprefix(self._prefix) or "/"}
        await self._app(scope, receive, send)


async def body(request: Request) -> bytes:
    """The body of a request. Raises HTTPException 413 when it is too long, as soon as that is known."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > BODY_LIMIT:
        raise HTTPException(413, headers={"Connection": "close"})
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > BODY_LIMIT:
            raise HTTPException(413, headers={"Connection": "close"})
    return bytes(chunks)


def prefix_of(public_url: str) -> str:
    """The path that public_url ends in, without a slash at its end."""
    return urlsplit(public_url).path.rstrip("/")
