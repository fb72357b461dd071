"""Values as the types of the language; None where a value cannot be one ("Values and conversions")."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from diag.lql.fields import SEVERITIES, FieldType
from diag.model.instants import parse_instant

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_SPECIAL = frozenset({"nan", "infinity", "+infinity", "-infinity"})
_DURATION = re.compile(r"([+-]?)([0-9]{1,20})(?:\.([0-9]{1,40}))?(ns|us|ms|s|m|h)")
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LARGEST_INT64 = 2**63 - 1


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """`text` as comparisons see it: normalised, without case (NFKC_Casefold)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def to_text(value: Any) -> str | None:
    """A scalar as the text that JSON would show; None for what is none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{int(value)}" if value.is_integer() and abs(value) < 1e16 else repr(value)
    return str(value) if isinstance(value, int) and abs(value) < 10**40 else None


def to_number(value: Any) -> float | int | None:
    """A number, exact where it is whole: 64-bit integers stand in strings."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    if _INTEGER.fullmatch(value):
        return int(value)
    return float(value) if _NUMBER.fullmatch(value) or value.lower() in _SPECIAL else None


def to_integer(value: Any) -> int | None:
    """A whole number; ``5.0`` is one, ``5.5`` is none."""
    number = to_number(value)
    if isinstance(number, float):
        return int(number) if number.is_integer() else None
    return number


def to_int64(value: Any) -> int | None:
    """What a cast makes of a number: the nearest whole one, halves away from zero."""
    if isinstance(value, bool):
        return int(value)
    number = to_number(value)
    if number is None or number != number or abs(number) > _LARGEST_INT64:  # noqa: PLR0124  NaN
        return None
    if isinstance(number, int):
        return number
    if isinstance(value, str):
        return None
    return int(number + (0.5 if number > 0 else -0.5))


def to_boolean(value: Any) -> bool | None:
    """True or false, in any case."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def to_severity(value: Any) -> int | None:
    """The number of a severity that is given by name, in any case, or by number."""
    number = to_integer(value)
    if number is not None:
        return number
    return SEVERITIES.get(value.upper()) if isinstance(value, str) else None


def to_duration(value: Any) -> int | None:
    """A length of time in nanoseconds: ``1.5s``, ``-20ms``."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    sign, whole, fraction, unit = match.groups()
    digits = fraction or ""
    length: int = int(whole + digits) * _UNIT_NS[unit] // 10 ** len(digits)
    return -length if sign == "-" else length


def to_instant(value: Any) -> int | None:
    """A time in nanoseconds since the epoch."""
    return _parse_instant(value) if isinstance(value, str) else None


_parse_instant = lru_cache(maxsize=4096)(parse_instant)

CONVERTERS: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.TIMESTAMP: to_instant,
    FieldType.SEVERITY: to_severity,
    FieldType.INTEGER: to_integer,
    FieldType.NUMBER: to_number,
    FieldType.BOOLEAN: to_boolean,
    FieldType.DURATION: to_duration,
}
