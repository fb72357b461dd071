"""What browsers may do here: pages served from this machine may use the services, others may not.

Listening on loopback does not keep a foreign page out: the browser that shows it runs on this very
machine. It names the page's origin in each cross-origin request and WebSocket handshake. A deployment
names the one origin of its own page (PAGE_ORIGIN).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pipeline.wire.correlation import SESSION_HEADER
from pipeline.wire.environment import is_loopback
from pipeline.wire.refusals import RequestRefusedError
from pipeline.wire.tracing import TRACEPARENT

# What a WHIP client of anybody's may send (RFC 9725); a browser asks for all of it before it sends anything
_WHIP_HEADERS = "Authorization, Content-Type, If-Match"


def is_allowed_origin(origin: str | None, page_origin: str | None = None) -> bool:
    """Whether a request with this ``Origin`` may be served; a program sends none."""
    if origin is None or origin == page_origin:
        return True
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return host == "localhost" or is_loopback(host)


def refuse_foreign_pages(page_origin: str | None = None) -> Middleware:
    """Middleware that serves no page but ours: a WebSocket handshake is not bound by CORS."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_allowed_origin(request.headers.get("Origin"), page_origin):
            raise RequestRefusedError(403, "pages of this origin may not connect")
        return await handler(request)

    return middleware


def allow_pages(
    methods: Iterable[str], expose: Iterable[str] = (), page_origin: str | None = None
) -> Middleware:
    """Middleware with the CORS headers for our pages (Fetch standard, section 3.3).

    Without `expose` a page cannot read a header of its answer, such as the ID of its session.
    """
    allowed = {
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": f"{_WHIP_HEADERS}, {SESSION_HEADER}, {TRACEPARENT}",
        "Access-Control-Expose-Headers": ", ".join(expose),
    }

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        response.headers.update(allowed)
        origin = request.headers.get("Origin")
        if origin is not None and is_allowed_origin(origin, page_origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
        return response

    return middleware
