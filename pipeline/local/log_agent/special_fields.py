"""The payload fields that the agent promotes to fields of the entry, and takes out of the payload.

Sources: Cloud Logging, "Structured logging", section "Special fields"; conversions as in
fluent-plugin-google-cloud. A special field whose value has not the right type stays in the payload,
so that nothing is lost; a time is taken out in any case, as there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.local.log_agent.severity import parse_severity

_PREFIX = "logging.googleapis.com/"
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII
)
_LATENCY = re.compile(r"\s*(\d{1,9})(?:\.(\d{1,9})\d*)?\s*s\s*", re.ASCII)
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799  # years 1 to 9999 (google.protobuf.Timestamp)


def promote(payload: dict[str, Any]) -> dict[str, Any]:
    """Take the special fields out of `payload`; the entry's fields that they become, in REST form."""
    return dict(_promote_each(payload))


def _promote_each(payload: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "severity" in payload:
        yield "severity", parse_severity(payload.pop("severity"))
    timestamp = _take_time(payload)
    if timestamp is not None:
        yield "timestamp", timestamp
    for key, (field, convert) in _SIMPLE.items():
        value = convert(payload.get(key))
        if value is not None:
            del payload[key]
            yield field, value
    yield from _take_labels(payload)
    for key, (field, conversions) in _GROUPS.items():
        group = _take_group(payload, key, conversions)
        if group:
            yield field, group


def _take_time(payload: dict[str, Any]) -> str | None:
    """The line's own time, by the first of its three forms that is there."""
    seconds, nanos = _find_seconds(payload)
    if seconds is not None:
        return _format_time(_to_int(seconds), _to_int(nanos))
    return parse_time(payload.pop("time", None))


def _find_seconds(payload: dict[str, Any]) -> tuple[Any, Any]:
    timestamp = payload.get("timestamp")
    if isinstance(timestamp, dict) and {"seconds", "nanos"} <= timestamp.keys():
        del payload["timestamp"]
        return timestamp["seconds"], timestamp["nanos"]
    if {"timestampSeconds", "timestampNanos"} <= payload.keys():
        return payload.pop("timestampSeconds"), payload.pop("timestampNanos")
    return None, None


def parse_time(value: object) -> str | None:
    """An RFC 3339 time as UTC with nine digits; None where `value` is none."""
    match = _RFC3339.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        instant = datetime.fromisoformat(match[1].upper() + match[3].upper())
        return _format_time(int(instant.timestamp()), int((match[2] or "0").ljust(9, "0")))
    except (ValueError, OverflowError):
        return None


def _format_time(seconds: int | None, nanos: int | None) -> str | None:
    if seconds is None or nanos is None or not 0 <= nanos < 1_000_000_000:
        return None
    if not _EARLIEST <= seconds <= _LATEST:
        return None
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def _take_labels(payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Labels must all be strings, else none of them counts."""
    labels = payload.get(f"{_PREFIX}labels")
    if isinstance(labels, dict):
        del payload[f"{_PREFIX}labels"]
        if all(isinstance(value, str) for value in labels.values()):
            yield "labels", labels


def _take_group(
    payload: dict[str, Any], key: str, conversions: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    """The known fields of the object at `key`; what is not known stays where it was."""
    group = payload.get(key)
    if not isinstance(group, dict):
        return {}
    taken = {name: conversions[name](value) for name, value in group.items() if name in conversions}
    taken = {name: value for name, value in taken.items() if value is not None}
    rest = {name: value for name, value in group.items() if name not in taken}
    if rest:
        payload[key] = rest
    else:
        del payload[key]
    return taken


def _to_str(value: object) -> str | None:
    """A text; an empty one says as little as none."""
    return value if isinstance(value, str) and value else None


def _to_bool(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _to_int(value: object) -> int | None:
    """An integer of at most 64 bits, also as a string of digits."""
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        return None
    return value


def _to_int64(value: object) -> str | None:
    """In REST form a 64-bit integer is a string."""
    number = _to_int(value)
    return None if number is None else str(number)


def _to_int32(value: object) -> int | None:
    number = _to_int(value)
    return number if number is not None and -(2**31) <= number < 2**31 else None


def _to_latency(value: object) -> str | None:
    match = _LATENCY.fullmatch(value) if isinstance(value, str) else None
    return f"{match[1]}.{(match[2] or '').ljust(9, '0')}s" if match else None


_SIMPLE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    f"{_PREFIX}trace": ("trace", _to_str),
    f"{_PREFIX}spanId": ("spanId", _to_str),
    f"{_PREFIX}trace_sampled": ("traceSampled", _to_bool),
    f"{_PREFIX}insertId": ("insertId", _to_str),
}
_GROUPS: dict[str, tuple[str, dict[str, Callable[[Any], Any]]]] = {
    f"{_PREFIX}sourceLocation": (
        "sourceLocation",
        {"file": _to_str, "line": _to_int64, "function": _to_str},
    ),
    f"{_PREFIX}operation": (
        "operation",
        {"id": _to_str, "producer": _to_str, "first": _to_bool, "last": _to_bool},
    ),
    "httpRequest": (
        "httpRequest",
        {
            "requestMethod": _to_str,
            "requestUrl": _to_str,
            "requestSize": _to_int64,
            "status": _to_int32,
            "responseSize": _to_int64,
            "userAgent": _to_str,
            "remoteIp": _to_str,
            "serverIp": _to_str,
            "referer": _to_str,
            "latency": _to_latency,
            "cacheLookup": _to_bool,
            "cacheHit": _to_bool,
            "cacheValidatedWithOriginServer": _to_bool,
            "cacheFillBytes": _to_int64,
            "protocol": _to_str,
        },
    ),
}
