"""Records of the logging topics: understood, or refused with a reason; a session's put together."""

from __future__ import annotations

import json

import pytest

from pipeline.results.core import Place, StoredStage, describe_session, read_stage_record
from pipeline.wire.records import RecordError, StageLog
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"
GIVEN = {
    "session_id": SESSION,
    "turn_id": "turn_0a1b2c3d",
    "stage": "stt",
    "event_timestamp": "2025-07-27T11:26:41.500Z",
    "latency_ms": 250.0,
    "data": {"chars": 12},
}


def read(value: object, *, topic: str = "stt-results", key: bytes | None = SESSION.encode(), headers=()):
    raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return read_stage_record(topic, key, raw, headers)


def test_what_the_orchestrator_publishes_is_read_back() -> None:
    """With its trace."""
    trace = start_trace()
    sent = StageLog(SESSION, "turn_0a1b2c3d", "tts", 89.04, {"bytes": 3200}, trace)
    record = read_stage_record("tts-results", SESSION.encode(), sent.to_value(), sent.to_headers())

    assert (record.session_id, record.turn_id, record.stage) == (SESSION, "turn_0a1b2c3d", "tts")
    assert (record.latency_ms, record.data, record.trace) == (89.0, {"bytes": 3200}, trace)


def test_a_record_of_the_reference_system_is_read_too() -> None:
    """It has no turn, other offsets from UTC, fields of its own, and another kind of header."""
    given = {name: value for name, value in GIVEN.items() if name != "turn_id"}
    record = read(
        {**given, "event_timestamp": "2025-07-27T16:56:41.5+05:30", "metadata": {"version": "phase3"}},
        headers=[("timestamp", None), ("traceparent", None)],
    )

    assert record.turn_id == ""
    assert record.finished.isoformat() == "2025-07-27T11:26:41.500000+00:00"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "without a value"),
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b'{"latency_ms": NaN}', "not JSON"),
        (b'{"latency_ms": 1' + b"0" * 5_000 + b"}", "not JSON"),
        (b"{" + b" " * 65_536 + b"}", "more than"),
        ([], "not a JSON object"),
        ({}, "session_id"),
        ({**GIVEN, "session_id": 7}, "session_id"),
        ({**GIVEN, "session_id": "session_\ud800"}, "session_id"),
        ({**GIVEN, "session_id": "a\nb"}, "session_id"),
        ({**GIVEN, "session_id": "session_another"}, "key"),
        ({**GIVEN, "turn_id": None}, "turn_id"),
        ({**GIVEN, "turn_id": "x" * 201}, "turn_id"),
        ({**GIVEN, "stage": "tts"}, "stage"),
        ({**GIVEN, "stage": {}}, "stage"),
        ({**GIVEN, "latency_ms": "250"}, "latency_ms"),
        ({**GIVEN, "latency_ms": True}, "latency_ms"),
        ({**GIVEN, "latency_ms": -1}, "latency_ms"),
        ({**GIVEN, "latency_ms": 10**400}, "latency_ms"),
        ({**GIVEN, "data": "text"}, "data"),
        ({**GIVEN, "event_timestamp": "yesterday"}, "event_timestamp"),
        ({**GIVEN, "event_timestamp": "2025-07-27T11:26:41"}, "event_timestamp"),
        ({**GIVEN, "event_timestamp": "0001-01-01T00:00:00+14:00"}, "event_timestamp"),
        ({**GIVEN, "event_timestamp": 1753615601372}, "event_timestamp"),
    ],
)
def test_what_no_stage_wrote_is_refused_with_its_reason(value: object, reason: str) -> None:
    """Whatever stands in the topic: the reason is one short line, without what was sent."""
    with pytest.raises(RecordError, match=reason) as refused:
        read(value)
    assert len(str(refused.value)) < 120


def stored(offset: int, **fields: object) -> StoredStage:
    record = {**GIVEN, **fields}
    topic = {"stt": "stt-results", "llm": "llm-requests", "tts": "tts-results"}[str(record["stage"])]
    return StoredStage(Place(topic, 1, offset, 0), read(record, topic=topic))


def test_a_session_is_its_turns_in_order_with_their_stages() -> None:
    """Whatever order the records came in; the time of a turn includes what lies between its stages."""
    answer = describe_session(
        SESSION,
        [
            stored(3, turn_id="turn_b", event_timestamp="2025-07-27T11:26:51.000Z"),
            stored(8, stage="tts", event_timestamp="2025-07-27T11:26:42.000Z", latency_ms=100),
            stored(2),
        ],
    )

    assert (answer["first"], answer["last"]) == ("2025-07-27T11:26:41.250Z", "2025-07-27T11:26:51.000Z")
    first, second = answer["turns"]
    assert [stage["stage"] for stage in first["stages"]] == ["stt", "tts"]
    assert (first["turn_id"], first["total_ms"]) == ("turn_0a1b2c3d", 750.0)
    assert first["stages"][1]["started"] == "2025-07-27T11:26:41.900Z"
    assert first["stages"][1]["record"] == "tts-results/1@8"
    assert (second["turn_id"], len(second["stages"])) == ("turn_b", 1)
