"""How far a consumer's work has come, partition by partition: what may be committed. Pure.

An offset is committed only when all work that began at or before it is done. So a process that is
killed loses nothing: its successor reads on at the oldest record whose work was not finished.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a record stands in its topic."""

    partition: int
    offset: int


class Progress:
    """The open work of one consumer on one topic."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}
        self._held: dict[int, set[int]] = {}

    def take(self, place: Place) -> None:
        """The record at `place` was taken in."""
        self._next[place.partition] = place.offset + 1
        self._held.setdefault(place.partition, set())

    def hold(self, place: Place) -> None:
        """Work has begun that needs the records from `place` on, until `release`."""
        self._held.setdefault(place.partition, set()).add(place.offset)

    def release(self, place: Place) -> None:
        """The work that began at `place` is done; work of a partition that was given up is no error."""
        self._held.get(place.partition, set()).discard(place.offset)

    def forget(self, partitions: Iterable[int]) -> None:
        """These partitions are somebody else's from now on, or will be read anew."""
        for partition in partitions:
            self._next.pop(partition, None)
            self._held.pop(partition, None)

    def committable(self) -> dict[int, int]:
        """Partition -> the offset to read on at."""
        return {
            partition: min(self._held[partition], default=next_offset)
            for partition, next_offset in self._next.items()
        }
