"""How far a clock is off, in words."""

from __future__ import annotations

import pytest

from diag.model.clocks import PodClock
from diag.model.instants import NS_PER_MS, NS_PER_S
from diag.render.clocks import describe_clock


@pytest.mark.parametrize(
    ("least_ns", "most_ns", "shift_ns", "said"),
    [
        (-2_100 * NS_PER_MS, -1_900 * NS_PER_MS, -2 * NS_PER_S, "1.90 to 2.10 s behind"),
        (-4_762 * NS_PER_MS, -4_758 * NS_PER_MS, -4_760 * NS_PER_MS, "4.76 s behind"),
        (12 * NS_PER_MS, 13 * NS_PER_MS, 12 * NS_PER_MS, "12.0 to 13.0 ms ahead"),
        (12 * NS_PER_MS, None, 12 * NS_PER_MS, "at least 12.0 ms ahead"),
        (-3 * NS_PER_MS, 5 * NS_PER_MS, 0, "between 3.0 ms behind and 5.0 ms ahead"),
    ],
)
def test_bounds_are_told_once_where_they_are_the_same(
    least_ns: int, most_ns: int, shift_ns: int, said: str
) -> None:
    """From 4.76 to 4.76 is no range."""
    assert describe_clock(PodClock("p", least_ns, most_ns, shift_ns=shift_ns)) == said
