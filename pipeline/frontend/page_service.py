"""The server of the page: a handful of files from memory, and where the services are.

The page may load and run nothing that does not come from here, and connect to the two services alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pipeline.frontend.page_settings import PageSettings, to_origin
from pipeline.wire.log_lines import Log
from pipeline.wire.refusals import RequestRefusedError, refuse_in_one_shape
from pipeline.wire.serving import Probes, add_probes

_INDEX = "index.html"
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page, with the type and the tag that it is served with."""

    body: bytes
    content_type: str
    tag: str


def load_page() -> dict[str, PageFile]:
    """The page's files by name."""
    files = resources.files("pipeline.frontend").joinpath("page").iterdir()
    return {file.name: _to_page_file(file.name, file.read_bytes()) for file in files}


def _to_page_file(name: str, body: bytes) -> PageFile:
    return PageFile(body, _TYPES[name.rpartition(".")[2]], hashlib.sha256(body).hexdigest()[:16])


def build_policy(settings: PageSettings) -> Mapping[str, str]:
    """The headers that bound what the page may do."""
    services = f"{to_origin(settings.whip_url)} {to_origin(settings.ws_url)}"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' {services}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }


def build_page_service(settings: PageSettings, log: Log) -> web.Application:
    """The whole server."""
    files = load_page()
    addresses = {"whip_url": settings.whip_url, "ws_url": settings.ws_url}

    async def index(request: web.Request) -> web.Response:
        return _serve(request, files[_INDEX])

    async def part(request: web.Request) -> web.Response:
        file = files.get(request.match_info["name"])
        if file is None:
            raise RequestRefusedError(404, "the page has no such file")
        return _serve(request, file)

    async def config(_request: web.Request) -> web.Response:
        return web.json_response(addresses)

    app = web.Application(middlewares=[_bound(build_policy(settings)), refuse_in_one_shape(log)])
    app.router.add_get("/", index)
    app.router.add_get("/page/{name}", part)
    app.router.add_get("/config.json", config)
    add_probes(app, Probes())
    return app


def _serve(request: web.Request, file: PageFile) -> web.Response:
    asked = {tag.value for tag in request.if_none_match or ()}
    response = web.Response(status=304) if file.tag in asked else web.Response(body=file.body)
    response.content_type = file.content_type
    response.charset = "utf-8"
    response.etag = file.tag
    return response


def _bound(headers: Mapping[str, str]) -> Middleware:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        response.headers.update(headers)
        return response

    return middleware
