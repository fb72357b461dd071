"""The time of a line, from the keys that mean it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from diag.model.instants import NS_PER_MS, NS_PER_S, NS_PER_US, parse_instant

TIME_KEYS = ("time", "ts", "@timestamp", "asctime", "timestamp", "datetime", "@t", "Timestamp")
"""Best first. ``timestamp`` is late: some lines carry it as a value of their own, even as HH:MM:SS."""

_LATEST_NS = 2**63 - 1
_EPOCH_UNITS = ((10**17, 1), (10**14, NS_PER_US), (10**11, NS_PER_MS), (0, NS_PER_S))


def to_instant(value: object) -> int | None:
    """A time in any of the forms that loggers write: RFC 3339, or the epoch in s, ms, us or ns."""
    if isinstance(value, str):
        instant = parse_instant(value)
    elif isinstance(value, bool) or value is None:
        return None
    elif isinstance(value, dict):
        return _from_parts(value.get("seconds"), value.get("nanos", 0))
    else:
        instant = _from_epoch(value) if isinstance(value, int | float) else parse_instant(str(value))
    return instant if instant is not None and abs(instant) <= _LATEST_NS else None


def _from_parts(seconds: object, nanos: object) -> int | None:
    """As protobuf writes a timestamp."""
    if not isinstance(seconds, int) or not isinstance(nanos, int) or not 0 < seconds < _LATEST_NS // NS_PER_S:
        return None
    return seconds * NS_PER_S + nanos


def _from_epoch(value: float) -> int | None:
    if not 0 < value < 10**19:
        return None
    factor = next(factor for least, factor in _EPOCH_UNITS if value >= least)
    return int(value) * factor + (int((value % 1) * factor) if isinstance(value, float) else 0)


def take_time(fields: dict[str, Any], keys: Iterable[str]) -> int | None:
    """When a line says under its `keys` that it was written, None if it does not; `fields` lose what says so.

    A "timestamp" that is no time (HH:MM:SS) is a field like any other.
    """
    time_ns = None
    for key in keys:
        if (found := to_instant(fields[key])) is not None:
            del fields[key]
            time_ns = found if time_ns is None else time_ns
    return time_ns
