"""Time as one number: nanoseconds since the epoch, UTC.

Python's datetime ends at microseconds, and the order of two log lines is often decided below that,
so instants are integers everywhere and become text only at the edges.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from diag.model.remembered import Remembered

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?"
    r"\s?(Z|z|UTC|[+-]\d\d:?\d\d)?)?"
)
_WHOLE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)")
_LENGTH = len("2025-07-27T11:26:41.372000000Z")
"""Of a time to the nanosecond, as the log service and container runtimes write every one."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_instant(text: str) -> int | None:
    """The instant that `text` names, in RFC 3339 or an ISO date; None if it names none.

    A text without an offset counts as UTC; digits beyond the nanosecond are cut.
    """
    if len(text) == _LENGTH and text[19] == "." and text[29] == "Z" and (fraction := text[20:29]).isdecimal():
        seconds = _WHOLE_SECONDS[text[:19]]
        if seconds is not None:
            return seconds * NS_PER_S + int(fraction)
    return _parse_any(text)


def _parse_any(text: str) -> int | None:
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        return None
    *whole, fraction, offset = match.groups()
    seconds = _to_seconds(tuple(whole), offset)
    return None if seconds is None else seconds * NS_PER_S + int((fraction or "0")[:9].ljust(9, "0"))


@lru_cache(maxsize=4096)
def _to_seconds(parts: tuple[str | None, ...], offset: str | None) -> int | None:
    """Whole seconds since the epoch. Neighbouring lines share them, so the last ones are kept."""
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    leap = second == 60
    try:
        moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=_to_zone(offset))
    except ValueError:
        return None
    # total_seconds() goes through a float; the parts are exact
    gap = moment - _EPOCH
    return gap.days * 86_400 + gap.seconds + (1 if leap else 0)


def _read_whole(text: str) -> int | None:
    match = _WHOLE.fullmatch(text)
    return None if match is None else _to_seconds(match.groups(), None)


_WHOLE_SECONDS = Remembered(_read_whole, most=4096)
"""``2025-07-27T11:26:41`` as seconds: nearly every time that is read begins with one, and many share it."""


def _to_zone(offset: str | None) -> timezone:
    if offset is None or offset in ("Z", "z", "UTC"):
        return UTC
    sign = -1 if offset[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:])))


def format_instant(ns: int, digits: int = 9) -> str:
    """RFC 3339 in UTC with `digits` decimals (0 to 9), cut, never rounded up."""
    seconds, rest = divmod(ns, NS_PER_S)
    base = _SECONDS_AS_TEXT[seconds]
    if base is None:
        return f"{ns} ns since 1970"
    if digits == 9:
        return f"{base}.{rest:09d}Z"
    return f"{base}.{rest:09d}"[: 20 + digits if digits else 19] + "Z"


def _format_seconds(seconds: int) -> str | None:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    except OverflowError:
        return None


_SECONDS_AS_TEXT = Remembered(_format_seconds, most=4096)


def format_clock(ns: int, digits: int = 3) -> str:
    """The time of day alone, UTC: ``13:20:01.372``."""
    return format_instant(ns, digits)[11:-1]


def format_day(ns: int) -> str:
    """The date alone, as a person writes it: ``24 Nov 2026``."""
    moment = _EPOCH + timedelta(seconds=ns // NS_PER_S)
    return f"{moment.day} {moment:%b %Y}"
