"""What browsers may do here: pages served from this machine may use the services, others may not.

Listening on loopback does not keep a foreign page out: the browser that shows it runs on this very
machine. It names the page's origin in each cross-origin request and WebSocket handshake.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pipeline.wire.correlation import SESSION_HEADER
from pipeline.wire.environment import is_loopback
from pipeline.wire.tracing import TRACEPARENT


def is_allowed_origin(origin: str | None) -> bool:
    """Whether a request with this ``Origin`` may be served; a program sends none."""
    if origin is None:
        return True
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return host == "localhost" or is_loopback(host)


def allow_loopback_pages(methods: Iterable[str], expose: Iterable[str] = ()) -> Middleware:
    """Middleware with the CORS headers for pages of this machine (Fetch standard, section 3.3).

    Without `expose` a page cannot read a header of its answer, such as the ID of its session.
    """
    allowed = {
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": f"Content-Type, {SESSION_HEADER}, {TRACEPARENT}",
        "Access-Control-Expose-Headers": ", ".join(expose),
    }

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        response.headers.update(allowed)
        origin = request.headers.get("Origin")
        if origin is not None and is_allowed_origin(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
        return response

    return middleware
