"""What a record of a logging topic says, and what a session's records make together. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NoReturn

from pipeline.wire.records import STAGE_TOPICS, GivenHeaders, RecordError
from pipeline.wire.tracing import TRACEPARENT, TraceContext, parse_traceparent

TOPICS = tuple(STAGE_TOPICS.values())

_STAGE_OF_TOPIC = {topic: stage for stage, topic in STAGE_TOPICS.items()}
_LARGEST_BYTES = 64 * 1024
_LONGEST_ID = 200
_FIRST_YEAR = 1971


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a record stands. The time tells it from one that stood there in a topic deleted since."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What one stage of one turn did.

    Attributes:
        turn_id: empty where the record names none.
        finished: when the stage was done, UTC.
        latency_ms: how long it took.
        data: sizes and lengths, as the stage gave them: a JSON object.
    """

    session_id: str
    turn_id: str
    stage: str
    finished: datetime
    latency_ms: float
    data: Mapping[str, Any]
    trace: TraceContext | None = None

    @property
    def started(self) -> datetime:
        """When the stage began."""
        return self.finished - timedelta(milliseconds=self.latency_ms)


def read_stage_record(
    topic: str, key: bytes | None, value: bytes | None, headers: GivenHeaders
) -> StageRecord:
    """The record's meaning; raises `RecordError` for one that no stage wrote."""
    headers = list(headers)
    fields = _read_object(value)
    session_id = _read_id(fields, "session_id")
    if key is not None and key.decode("utf-8", "replace") != session_id:
        raise RecordError("the key is not the session of the record")
    if fields.get("stage") != _STAGE_OF_TOPIC[topic]:
        raise RecordError(f"the stage is not {_STAGE_OF_TOPIC[topic]}, which this topic is for")
    data = fields.get("data", {})
    if not isinstance(data, dict):
        raise RecordError("data is not an object")
    traceparent = next((content for name, content in headers if name == TRACEPARENT and content), b"")
    return StageRecord(
        session_id=session_id,
        turn_id=_read_id(fields, "turn_id") if "turn_id" in fields else "",
        stage=_STAGE_OF_TOPIC[topic],
        finished=read_time(fields.get("event_timestamp")),
        latency_ms=_read_latency(fields.get("latency_ms")),
        data=data,
        trace=parse_traceparent(traceparent.decode("utf-8", "replace")),
    )


def _read_object(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise RecordError("record without a value")
    if len(value) > _LARGEST_BYTES:
        raise RecordError(f"{len(value)} bytes are more than the {_LARGEST_BYTES} of a stage's record")
    try:
        fields = json.loads(value, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecordError("the value is not JSON") from error
    if not isinstance(fields, dict):
        raise RecordError("the value is not a JSON object")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read_id(fields: Mapping[str, Any], name: str) -> str:
    text = fields.get(name)
    if not isinstance(text, str) or not is_id(text):
        raise RecordError(f"{name} is not an ID")
    return text


def is_id(text: str) -> bool:
    """Whether `text` can be an ID at all: it is not judged here, so that a wrong one can be looked up."""
    return 0 < len(text) <= _LONGEST_ID and text.isprintable()


def _read_latency(latency_ms: object) -> float:
    if isinstance(latency_ms, bool) or not isinstance(latency_ms, int | float):
        raise RecordError("latency_ms is not a number")
    try:
        value = float(latency_ms)
    except OverflowError:
        value = math.inf
    if not 0 <= value <= timedelta(days=1) / timedelta(milliseconds=1):
        raise RecordError("latency_ms is not a time that a stage may take")
    return value


def read_time(text: object) -> datetime:
    """An RFC 3339 time as UTC; raises `RecordError`."""
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
        if time is not None and time.tzinfo is not None and time.year >= _FIRST_YEAR:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise RecordError("event_timestamp is not a time with its offset from UTC")


@dataclass(frozen=True, slots=True)
class StoredStage:
    """A record that was stored, with its place."""

    place: Place
    record: StageRecord


def describe_session(session_id: str, stages: Iterable[StoredStage]) -> dict[str, Any]:
    """The answer's JSON: turns in the order of their beginning, of each its stages."""
    by_turn = sorted(stages, key=lambda stored: (stored.record.turn_id, stored.record.finished, stored.place))
    turns = [
        _describe_turn(list(group)) for _, group in groupby(by_turn, lambda stored: stored.record.turn_id)
    ]
    turns.sort(key=lambda turn: (turn["started"], turn["turn_id"] or ""))
    return {
        "session_id": session_id,
        "first": turns[0]["started"],
        "last": max(turn["finished"] for turn in turns),
        "turns": turns,
    }


def _describe_turn(stages: list[StoredStage]) -> dict[str, Any]:
    records = [stored.record for stored in stages]
    started, finished = min(r.started for r in records), max(r.finished for r in records)
    return {
        "turn_id": records[0].turn_id or None,
        "trace_id": next((r.trace.trace_id for r in records if r.trace), None),
        "started": to_text(started),
        "finished": to_text(finished),
        "total_ms": round((finished - started) / timedelta(milliseconds=1), 1),
        "stages": [_describe_stage(stored) for stored in stages],
    }


def _describe_stage(stored: StoredStage) -> dict[str, Any]:
    record, place = stored.record, stored.place
    return {
        "stage": record.stage,
        "started": to_text(record.started),
        "finished": to_text(record.finished),
        "latency_ms": record.latency_ms,
        "data": dict(record.data),
        "record": f"{place.topic}/{place.partition}@{place.offset}",
    }


def to_text(time: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
