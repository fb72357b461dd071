"""What a Kafka client's own file gives: settings of ours, and what the person should know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diag.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Found:
    """Settings out of a client's file.

    Attributes:
        values: dotted setting -> value; secrets as `Secret`.
        notes: one line each.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def refuse(place: str, what: str, remedy: str) -> SettingsError:
    """The error for what diag can not do; neither text may hold a value out of the file."""
    return SettingsError(f"{place}: {what}", hint=remedy)
