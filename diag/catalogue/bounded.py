"""A dictionary that stays small and does not mind in which order things come."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

Value = TypeVar("Value")


Rank = tuple[int, int]

_CELLS = 1 << 20


class Weights:
    """How often each key came, about: keys share cells, so a count may be too high, never too low."""

    def __init__(self) -> None:
        self._cells = array("L", bytes(array("L").itemsize * _CELLS))

    def add(self, key: str) -> None:
        """The key came once more."""
        self._cells[hash_text(key) % _CELLS] += 1

    def of(self, hashed: int) -> int:
        """The count of the key with this hash."""
        return self._cells[hashed % _CELLS]


class Lowest(Generic[Value]):
    """Of all the keys ever given, the `most` of best rank, each with all of its values joined.

    The rank is the key's weight, if weights are known, then its hash. It does not change, so the bound
    only falls, and a key that is kept at the end was never turned away before.
    """

    def __init__(self, most: int, weights: Weights | None = None) -> None:
        self._most = most
        self._weights = weights
        self._kept: dict[str, tuple[Rank, Value]] = {}
        self._bound: Rank | None = None

    def put(self, key: str, value: Value, join: Callable[[Value, Value], Value]) -> None:
        """Remember `value` under `key`, joined to what is there."""
        known = self._kept.get(key)
        if known is not None:
            self._kept[key] = (known[0], join(known[1], value))
            return
        hashed = hash_text(key)
        rank = (-self._weights.of(hashed) if self._weights else 0, hashed)
        if self._bound is None or rank < self._bound:
            self._kept[key] = (rank, value)
            if len(self._kept) > 2 * self._most:
                self._prune()

    def get(self, key: str) -> Value | None:
        """What is kept under `key`; None if it is not kept."""
        known = self._kept.get(key)
        return None if known is None else known[1]

    def items(self) -> Iterator[tuple[str, Value]]:
        """What is kept, sorted by key."""
        self._prune()
        return iter([(key, self._kept[key][1]) for key in sorted(self._kept)])

    def _prune(self) -> None:
        if len(self._kept) > self._most:
            best = sorted(self._kept.items(), key=lambda item: item[1][0])[: self._most]
            self._kept, self._bound = dict(best), best[-1][1][0]


def hash_text(text: str) -> int:
    """64 bits that are the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")
