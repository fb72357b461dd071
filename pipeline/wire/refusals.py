"""How a service refuses a request: one exception, one log line, one answer in the API's own shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pipeline.wire.identifiers import escape_for_log
from pipeline.wire.log_lines import Log
from pipeline.wire.tracing import TRACEPARENT, parse_traceparent

ErrorBody = Callable[[web.Request, int, str], Mapping[str, Any]]

_PATH_CHARS = 120


class RequestRefusedError(Exception):
    """A request that is answered with `status`; `error` is for the client and the log line.

    Nothing of the request's content belongs into `error`. `headers` go into the answer.
    """

    def __init__(
        self,
        status: int,
        error: str,
        session_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.session_id = session_id
        self.headers = headers or {}


def plain_error_body(_request: web.Request, _status: int, error: str) -> Mapping[str, Any]:
    """The shape of most services: ``{"error": ...}``."""
    return {"error": error}


def refuse_in_one_shape(log: Log, error_body: ErrorBody = plain_error_body) -> Middleware:
    """Middleware that answers `RequestRefusedError` and aiohttp's own refusals (404, 405, 413).

    The outcome is a JSON body and the line request-refused, under the trace that the request names.
    """

    def answer(request: web.Request, refused: RequestRefusedError) -> web.Response:
        log.bind(parse_traceparent(request.headers.get(TRACEPARENT))).write(
            "request-refused",
            path=escape_for_log(request.path, _PATH_CHARS),
            status=refused.status,
            error=refused.error,
            session_id=refused.session_id,
        )
        body = error_body(request, refused.status, refused.error)
        return web.json_response(body, status=refused.status, headers=refused.headers)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestRefusedError as refused:
            return answer(request, refused)
        except web.HTTPClientError as error:
            response = answer(request, RequestRefusedError(error.status, error.reason))
            if isinstance(error, web.HTTPMethodNotAllowed):
                response.headers["Allow"] = error.headers["Allow"]
            return response

    return middleware
