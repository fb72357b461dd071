"""Times as people type them -> instants."""

from __future__ import annotations

import re

from diag.errors import UsageError
from diag.model.instants import NS_PER_S, format_instant, parse_instant

_AGO = re.compile(r"(\d{1,6}) ?(s|m|h|d)")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CLOCK = re.compile(r"(?:(today|yesterday) ?)?(?:(\d{1,2}):(\d\d))?")
_DAY_NS = 86_400 * NS_PER_S
_LAST_NS = 2**63 - 1  # in 2262

Bounds = tuple[int | None, int | None]


def parse_bounds(since: str | None, until: str | None, now_ns: int) -> Bounds:
    """``--since`` and ``--until`` as instants; raises `UsageError` where nothing can lie between them."""
    start, end = parse_when(since, now_ns, "--since"), parse_when(until, now_ns, "--until")
    if start is not None and start >= now_ns:
        raise UsageError(
            f"--since {format_instant(start, 0)} is not in the past; it is {format_instant(now_ns, 0)} now",
            hint="times are UTC",
        )
    if start is not None and end is not None and end <= start:
        raise UsageError(
            f"--until {format_instant(end, 0)} is not after --since {format_instant(start, 0)}",
            hint="2h means two hours ago, and times are UTC",
        )
    return start, end


def parse_when(text: str | None, now_ns: int, option: str) -> int | None:
    """The instant that `text` means at `now_ns`, UTC; raises `UsageError`. None stays None."""
    if text is None:
        return None
    typed = text.strip()
    ago = _AGO.fullmatch(typed)
    if ago is not None:
        instant: int | None = now_ns - int(ago[1]) * _UNIT_S[ago[2]] * NS_PER_S
    else:
        instant = _from_clock(typed.lower(), now_ns) if typed else None
        instant = parse_instant(typed) if instant is None else instant
    if instant is None:
        raise UsageError(
            f"{option}: {text[:40]!r} is no time", hint="2h, 14:05, 'yesterday 14:00' or 2026-11-24T13:20:00Z"
        )
    if not 0 <= instant <= _LAST_NS:
        raise UsageError(f"{option}: {text[:40]!r} is before 1970 or after 2262", hint="check the time")
    return instant


def _from_clock(typed: str, now_ns: int) -> int | None:
    clock = _CLOCK.fullmatch(typed)
    if clock is None:
        return None
    day, hour, minute = clock.groups()
    midnight = parse_instant(format_instant(now_ns, 0)[:10]) or 0
    seconds = int(hour or 0) * 3600 + int(minute or 0) * 60
    if seconds >= 86_400 or int(minute or 0) >= 60:
        return None
    return midnight - (_DAY_NS if day == "yesterday" else 0) + seconds * NS_PER_S
