"""``cast`` and ``regexp_extract``: what is made of a field's values before they are compared.

A value of which a step can make nothing is left out, like a missing field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from diag.lql.convert import to_boolean, to_duration, to_int64, to_number, to_text
from diag.lql.fields import FieldType, find_type
from diag.lql.regex import compile_extraction
from diag.lql.values import Entry, find_or_default
from diag.model.filters import Cast, CastType, Step
from diag.model.instants import NS_PER_S, format_instant, parse_instant

_Make = Callable[[Any], Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def compile_steps(path: tuple[str, ...], steps: tuple[Step, ...]) -> Callable[[Entry], Iterable[Any]]:
    """The values of a field after all steps."""
    makers: list[_Make] = []
    of_time = find_type(path) is FieldType.TIMESTAMP
    for step in steps:
        makers.append(_compile(step, of_time=of_time))
        of_time = isinstance(step, Cast) and step.kind is CastType.TIMESTAMP

    def prepare(entry: Entry) -> Iterator[Any]:
        for value in find_or_default(entry, path):
            made = value
            for make in makers:
                made = None if made is None else make(made)
            if made is not None:
                yield made

    return prepare


def _compile(step: Step, *, of_time: bool) -> _Make:
    """One step; what it makes is in JSON form again, so that times stay texts in RFC 3339."""
    if not isinstance(step, Cast):
        return _on_text(compile_extraction(step.pattern))
    if of_time and step.kind is CastType.STRING:
        return _on_text(partial(_show_instant, zone=step.zone))
    makers: dict[CastType, _Make] = {
        CastType.STRING: to_text,
        CastType.INT64: to_int64,
        CastType.FLOAT64: _to_float,
        CastType.BOOL: to_boolean,
        CastType.TIMESTAMP: _on_text(partial(_read_instant, zone=step.zone)),
        CastType.DURATION: lambda value: None if to_duration(value) is None else value,
    }
    return makers[step.kind]


def _on_text(make: Callable[[str], Any]) -> _Make:
    return lambda value: make(value) if isinstance(value, str) else None


def _to_float(value: Any) -> float | int | None:
    return float(value) if isinstance(value, bool) else to_number(value)


def _show_instant(text: str, zone: str) -> str | None:
    """RFC 3339 in `zone` with as many decimals as JSON has of a timestamp: 0, 3, 6 or 9."""
    ns = parse_instant(text)
    if ns is None:
        return None
    shift = _offset(ns, zone) if zone else timedelta()
    whole = format_instant(ns + int(shift.total_seconds()) * NS_PER_S, 0)[:19]
    return f"{whole}{_fraction(ns % NS_PER_S)}{_show_offset(shift) if shift else 'Z'}"


def _fraction(ns: int) -> str:
    digits = f"{ns:09d}"
    kept = next(most for most in (0, 3, 6, 9) if not digits[most:].strip("0"))
    return f".{digits[:kept]}" if kept else ""


def _show_offset(shift: timedelta) -> str:
    minutes = int(shift.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _read_instant(text: str, zone: str) -> str | None:
    """The time in UTC; without an offset of its own it is one of `zone`."""
    ns = parse_instant(text)
    if ns is None:
        return None
    if zone and not text.strip().endswith(("Z", "z", "UTC")) and parse_instant(f"{text}Z") is not None:
        ns -= int(_offset(ns, zone).total_seconds()) * NS_PER_S
    return format_instant(ns)


def _offset(ns: int, zone: str) -> timedelta:
    """How far `zone` is ahead of UTC then; nothing where its tables end."""
    try:
        moment = _EPOCH + timedelta(seconds=ns // NS_PER_S)
        return moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    except (OverflowError, ValueError):
        return timedelta()
