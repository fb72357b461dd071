"""What a logger writes before the words of a line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}

Clock = tuple[int, int, int]
"""Month, day, and nanosecond of the day."""


class Header(NamedTuple):
    """What stands before a line's words, and those.

    Attributes:
        name: of the program, where syslog names it.
        clock: the time where the logger leaves the year away.
        has_pairs: behind the words stand fields, as ``key=value``.
        fields: what the header itself says of the call.
    """

    message: str
    time_ns: int | None = None
    level: str = ""
    name: str = ""
    clock: Clock | None = None
    has_pairs: bool = False
    fields: Mapping[str, str] = MappingProxyType({})
