"""Numbers from logs, which may hold anything."""

from __future__ import annotations

import pytest

from diag.model.numbers import to_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("\uff11\uff12", None),
        ("9" * 5000, None),
    ],
)
def test_only_what_can_be_a_count_an_offset_or_a_size_is_a_number(text: str, number: int | None) -> None:
    """Python refuses to read some thousands of digits: a hostile line must not end the report."""
    assert to_number(text) == number
