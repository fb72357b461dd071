"""W3C trace context: one client event keeps its trace through WHIP, WebSocket, Kafka and HTTP.

Format: ``00-<32 hex trace>-<16 hex span>-<2 hex flags>`` (W3C Trace Context, level 1). Bit 0 of the
flags is "sampled"; other bits may be set by newer tracers, so the flags are never compared whole.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

TRACEPARENT = "traceparent"
_FORM = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """One position in one trace."""

    trace_id: str
    span_id: str
    sampled: bool

    def to_header(self) -> str:
        """The ``traceparent`` value for the next hop."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def next_span(self) -> TraceContext:
        """The same trace, one hop further."""
        return TraceContext(self.trace_id, secrets.token_hex(8), self.sampled)


def start_trace() -> TraceContext:
    """A new sampled trace."""
    return TraceContext(secrets.token_hex(16), secrets.token_hex(8), sampled=True)


def parse_traceparent(value: str | None) -> TraceContext | None:
    """The trace that `value` names; None where it names none (a broken header is no error)."""
    match = _FORM.fullmatch(value.strip()) if value else None
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return None
    return TraceContext(match[1], match[2], sampled=bool(int(match[3], 16) & 1))
