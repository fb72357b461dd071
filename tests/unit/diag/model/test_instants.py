"""Time as nanoseconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.model.instants import format_clock, format_day, format_instant, parse_instant

BASE = 1_753_615_601_000_000_000


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2025-07-27T11:26:41Z", BASE),
        ("2025-07-27T11:26:41.123456789Z", BASE + 123_456_789),
        ("2025-07-27T11:26:41.1234567891Z", BASE + 123_456_789),
        ("2025-07-27T13:26:41+02:00", BASE),
        ("2025-07-27T13:26:41+0200", BASE),
        ("2025-07-27 11:26:41", BASE),
        ("2025-07-27", 1_753_574_400_000_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ("11:26:41", None),
        ("2025-13-27T11:26:41Z", None),
        ("", None),
    ],
)
def test_times_are_read_to_the_nanosecond_or_not_at_all(text: str, ns: int | None) -> None:
    """What is no time is None, never a guess."""
    assert parse_instant(text) == ns


@given(st.integers(min_value=-62_135_596_800_000_000_000, max_value=253_402_300_799_999_999_999))
def test_writing_and_reading_gives_the_same_instant(ns: int) -> None:
    """From the year 1 to 9999, digit for digit."""
    assert parse_instant(format_instant(ns)) == ns


def test_parts_of_a_time_are_what_people_expect() -> None:
    """Clock and day of the same instant; digits are cut, not rounded."""
    assert format_clock(BASE + 999_999_999) == "11:26:41.999"
    assert format_day(BASE) == "27 Jul 2025"
    assert format_instant(BASE, 0) == "2025-07-27T11:26:41Z"
