from __future__ import annotations

import pytest

from pipeline.local.log_agent.special_fields import parse_time, promote

PREFIX = "logging.googleapis.com/"


@pytest.mark.parametrize(
    ("payload", "fields", "rest"),
    [
        ({"severity": "warn"}, {"severity": "WARNING"}, {}),
        ({"level": "error"}, {}, {"level": "error"}),
        ({"time": "2026-01-02T03:04:05.678Z"}, {"timestamp": "2026-01-02T03:04:05.678000000Z"}, {}),
        ({"time": "yesterday", "a": 1}, {}, {"a": 1}),
        ({"timestamp": {"seconds": 1, "nanos": 5}}, {"timestamp": "1970-01-01T00:00:01.000000005Z"}, {}),
        ({"timestamp": "2026-01-02T03:04:05Z"}, {}, {"timestamp": "2026-01-02T03:04:05Z"}),
        (
            {"timestampSeconds": "1", "timestampNanos": 0, "time": "x"},
            {"timestamp": "1970-01-01T00:00:01.000000000Z"},
            {"time": "x"},
        ),
        ({"timestampSeconds": 1}, {}, {"timestampSeconds": 1}),
        ({PREFIX + "trace": "projects/p/traces/1"}, {"trace": "projects/p/traces/1"}, {}),
        ({PREFIX + "trace": 5}, {}, {PREFIX + "trace": 5}),
        ({PREFIX + "spanId": "ab"}, {"spanId": "ab"}, {}),
        ({PREFIX + "trace_sampled": False}, {"traceSampled": False}, {}),
        ({PREFIX + "trace_sampled": "True"}, {"traceSampled": True}, {}),
        ({PREFIX + "insertId": "x1"}, {"insertId": "x1"}, {}),
        ({PREFIX + "insertId": ""}, {}, {PREFIX + "insertId": ""}),
        ({PREFIX + "labels": {"a": "b"}}, {"labels": {"a": "b"}}, {}),
        ({PREFIX + "labels": {"a": "b", "c": 1}}, {}, {}),
        ({PREFIX + "labels": "text"}, {}, {PREFIX + "labels": "text"}),
        (
            {PREFIX + "sourceLocation": {"file": "a.py", "line": 12, "function": "f"}},
            {"sourceLocation": {"file": "a.py", "line": "12", "function": "f"}},
            {},
        ),
        (
            {PREFIX + "sourceLocation": {"file": "a.py", "line": "many"}},
            {"sourceLocation": {"file": "a.py"}},
            {PREFIX + "sourceLocation": {"line": "many"}},
        ),
        ({PREFIX + "operation": {"id": "1", "first": True}}, {"operation": {"id": "1", "first": True}}, {}),
        (
            {"httpRequest": {"requestMethod": "GET", "status": 200, "latency": "1.5s", "mine": 1}},
            {"httpRequest": {"requestMethod": "GET", "status": 200, "latency": "1.500000000s"}},
            {"httpRequest": {"mine": 1}},
        ),
        ({"httpRequest": {"status": "200", "responseSize": 10**6}},
         {"httpRequest": {"status": 200, "responseSize": "1000000"}}, {}),
        ({"httpRequest": {"status": 10**12}}, {}, {"httpRequest": {"status": 10**12}}),
        ({"httpRequest": "GET /"}, {}, {"httpRequest": "GET /"}),
        ({"message": "m", "session_id": "s"}, {}, {"message": "m", "session_id": "s"}),
    ],
)  # fmt: skip
def test_special_fields_are_taken_out(payload, fields, rest):
    """What is promoted leaves the payload; what has the wrong type, or is not special, stays."""
    assert promote(payload) == fields
    assert payload == rest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"),
        ("2026-01-02T03:04:05.1234567891234Z", "2026-01-02T03:04:05.123456789Z"),
        ("2026-01-02T05:04:05.5+02:00", "2026-01-02T03:04:05.500000000Z"),
        ("2026-01-02T05:04:05+0200", "2026-01-02T03:04:05.000000000Z"),
        ("2026-01-02t03:04:05z", "2026-01-02T03:04:05.000000000Z"),
        ("2026-02-30T03:04:05Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("2026-01-02T03:04:05", None),
        ("2026-01-02", None),
        (1_767_225_600, None),
        (None, None),
    ],
)
def test_time_is_read_in_full(text, expected):
    """RFC 3339 with any offset and precision, as UTC in nanoseconds; anything else is no time."""
    assert parse_time(text) == expected
