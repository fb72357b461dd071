"""The IDs that one service hands to the next over HTTP: session, turn, trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.wire.identifiers import check_session_id, is_turn_id
from pipeline.wire.log_lines import BoundLog, Log
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


def read_correlation(headers: Mapping[str, str]) -> Correlation:
    """The IDs that a request carries; what is not well-formed counts as absent."""
    session_id = headers.get(SESSION_HEADER)
    turn_id = headers.get(TURN_HEADER)
    return Correlation(
        session_id if session_id and check_session_id(session_id) is None else None,
        turn_id if turn_id and is_turn_id(turn_id) else None,
        parse_traceparent(headers.get(TRACEPARENT)),
    )
