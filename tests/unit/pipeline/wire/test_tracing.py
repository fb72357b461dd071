"""Trace context: one trace through every hop, and no trace rather than a broken one."""

from __future__ import annotations

import pytest

from pipeline.wire.tracing import parse_traceparent, start_trace

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_header_survives_the_way() -> None:
    """What one service sends, the next one reads."""
    trace = start_trace()

    assert parse_traceparent(trace.to_header()) == trace


def test_the_next_hop_is_another_span_of_the_same_trace() -> None:
    """The trace stays, the span does not."""
    trace = start_trace()
    hop = trace.next_span()

    assert (hop.trace_id, hop.sampled) == (trace.trace_id, trace.sampled)
    assert hop.span_id != trace.span_id


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("03", True), ("00", False), ("02", False)])
def test_only_the_first_bit_means_sampled(flags: str, sampled: bool) -> None:
    """Newer tracers set other bits as well."""
    trace = parse_traceparent(f"00-{TRACE}-{SPAN}-{flags}")

    assert trace is not None
    assert trace.sampled is sampled


@pytest.mark.parametrize(
    "header",
    [None, "", "garbage", f"00-{TRACE}-{SPAN}", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01"],
)
def test_a_broken_header_names_no_trace(header: str | None) -> None:
    """A broken header is no error; it is no trace either."""
    assert parse_traceparent(header) is None
