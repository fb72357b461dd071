"""The year of a line whose logger leaves it away: that brings it nearest to what stands beside it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from diag.model.identifiers import classify
from diag.model.instants import NS_PER_S
from diag.normalise.header import Clock


def place_clocks(
    clocks: Mapping[int, Clock], times: Sequence[int | None], ids: Iterable[str]
) -> dict[int, int]:
    """Row -> instant, for the rows of `clocks` whose year can be told.

    `times` of all rows tell it best, the nearest row before all, else the time inside of one of the `ids`.
    Without any of them no year is guessed: the answer must not depend on the day of asking.
    """
    if not clocks:
        return {}
    known = [row for row, time in enumerate(times) if time is not None]
    minted = None if known else next((at for one in ids if (at := classify(one).minted_ns) is not None), None)
    found = {}
    for row, clock in clocks.items():
        near = times[_nearest(known, row)] if known else minted
        instant = None if near is None else _place(clock, near)
        if instant is not None:
            found[row] = instant
    return found


def _nearest(rows: Sequence[int], row: int) -> int:
    at = bisect_left(rows, row)
    return min(rows[max(at - 1, 0) : at + 1], key=lambda other: (abs(other - row), other))


def _place(clock: Clock, near: int) -> int | None:
    month, day, nanos = clock
    year = datetime.fromtimestamp(near // NS_PER_S, UTC).year
    found = [_at(one, month, day) for one in (year - 1, year, year + 1)]
    instants = [second * NS_PER_S + nanos for second in found if second is not None]
    return min(instants, key=lambda instant: abs(instant - near), default=None)


def _at(year: int, month: int, day: int) -> int | None:
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except ValueError:  # the 29th of February, and the ends of the calendar
        return None
