"""Values that are made for every line that is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """A dataclass with slots whose fields nobody sets anew: the type checker holds it, not each assignment.

    A frozen dataclass looks each field's setter up as it is made, which costs seven times as much. That is
    of no matter for one value, and a tenth of all the time that a million lines take.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
