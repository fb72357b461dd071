"""The IDs that one service hands to the next over HTTP: session, turn, trace.

A service that is asked on behalf of a session believes the ID in ``X-Session-ID`` only if it is
valid, and answers with the one that it worked under. It never mints one: a session begins where the
caller's media does. What it refuses is logged, so that a lost ID is found at the hop that lost it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from pipeline.wire.identifiers import check_session_id, escape_for_log, is_turn_id
from pipeline.wire.log_lines import BoundLog, Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.tracing import TRACEPARENT, TraceContext, parse_traceparent

SESSION_HEADER = "X-Session-ID"
TURN_HEADER = "X-Turn-ID"


@dataclass(frozen=True, slots=True)
class Correlation:
    """Whose request this is, as far as the caller said so."""

    session_id: str | None = None
    turn_id: str | None = None
    trace: TraceContext | None = None

    def to_headers(self) -> dict[str, str]:
        """The headers of a request to the next service: the same trace, one hop further."""
        named = {
            SESSION_HEADER: self.session_id,
            TURN_HEADER: self.turn_id,
            TRACEPARENT: self.trace.next_span().to_header() if self.trace else None,
        }
        return {name: value for name, value in named.items() if value is not None}

    def bind(self, log: Log) -> BoundLog:
        """`log` with these IDs on each line."""
        return log.bind(self.trace, session_id=self.session_id, turn_id=self.turn_id)


def read_header(headers: Mapping[str, str], name: str) -> str | None:
    """What a request says in this header. One that stands there twice is one with a comma (RFC 9110, 5.3).

    So two IDs are none that is believed, rather than the one that happened to come first.
    """
    values = [value for its_name, value in headers.items() if its_name.lower() == name.lower()]
    return ", ".join(values) if values else None


def read_correlation(headers: Mapping[str, str]) -> Correlation:
    """The IDs that a request carries; what is not well-formed counts as absent."""
    session_id = read_header(headers, SESSION_HEADER)
    turn_id = read_header(headers, TURN_HEADER)
    return Correlation(
        session_id if session_id and check_session_id(session_id) is None else None,
        turn_id if turn_id and is_turn_id(turn_id) else None,
        parse_traceparent(headers.get(TRACEPARENT)),
    )


_CORRELATION = web.RequestKey("correlation", Correlation)


def correlate(app: web.Application, log: Log, metrics: SessionMetrics) -> None:
    """Have every request of `app` read once by the rule above; see `correlation_of`."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[_CORRELATION] = _admit(request.headers, log, metrics)
        return await handler(request)

    async def answer(request: web.Request, response: web.StreamResponse) -> None:
        session_id = correlation_of(request).session_id
        if session_id is not None:
            response.headers.setdefault(SESSION_HEADER, session_id)

    app.middlewares.append(middleware)
    app.on_response_prepare.append(answer)


def correlation_of(request: web.Request) -> Correlation:
    """The IDs of a request that `correlate` has read."""
    return request[_CORRELATION] if _CORRELATION in request else Correlation()


def _admit(headers: Mapping[str, str], log: Log, metrics: SessionMetrics) -> Correlation:
    correlation = read_correlation(headers)
    brought = read_header(headers, SESSION_HEADER)
    refusal = None if brought is None else check_session_id(brought)
    if brought is not None and refusal is not None:
        metrics.headers_invalid.inc()
        log.bind(correlation.trace).write(
            "session-header-refused", refused=escape_for_log(brought), reason=refusal.reason
        )
    elif brought is not None:
        metrics.from_header.inc()
    return correlation
