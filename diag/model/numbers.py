"""Numbers from logs, headers and settings, which may hold anything."""

from __future__ import annotations

_LONGEST = 18
"""Digits: what has more is no count, offset or size, and Python refuses to read some thousands of them."""


def to_number(text: str) -> int | None:
    """A whole number that is not negative, written in ASCII digits; None for everything else."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _LONGEST else None
