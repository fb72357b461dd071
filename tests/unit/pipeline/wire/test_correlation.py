"""The IDs between services: all of them on the way out, only well-formed ones on the way in."""

from __future__ import annotations

from multidict import CIMultiDict

from pipeline.wire.correlation import Correlation, read_correlation, read_header
from pipeline.wire.identifiers import derive_turn_id, mint_session_id
from pipeline.wire.tracing import start_trace


def test_the_next_service_reads_what_was_sent() -> None:
    """Session and turn as they are, the trace one hop further."""
    sent = Correlation(mint_session_id(), derive_turn_id("session", 0, 0), start_trace())
    read = read_correlation(sent.to_headers())

    assert (read.session_id, read.turn_id) == (sent.session_id, sent.turn_id)
    assert read.trace is not None
    assert sent.trace is not None
    assert read.trace.trace_id == sent.trace.trace_id
    assert read.trace.span_id != sent.trace.span_id


def test_hostile_ids_count_as_absent() -> None:
    """What is not of the form reaches no log line."""
    headers = {"X-Session-ID": "undefined", "X-Turn-ID": "turn_x", "traceparent": "00-zz"}

    assert read_correlation(headers) == Correlation()


def test_two_ids_are_none() -> None:
    """Which of them is meant is not guessed, whatever comes first and however the name is written."""
    headers = CIMultiDict([("X-Session-ID", mint_session_id()), ("x-session-id", mint_session_id())])

    assert read_correlation(headers).session_id is None
    assert read_header(headers, "X-Session-ID") == ", ".join(headers.values())


def test_nothing_known_means_no_headers() -> None:
    """An absent ID is not sent as an empty one."""
    assert Correlation().to_headers() == {}
