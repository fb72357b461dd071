"""A dictionary that stays small and does not mind in which order things come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Lowest(Generic[Value]):
    """Of all the keys ever given, those with the `most` lowest hashes, each with all of its values joined.

    The bound on hashes only falls, so a key that is kept at the end was never turned away before.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[str, tuple[int, Value]] = {}
        self._bound: int | None = None

    def put(self, key: str, value: Value, join: Callable[[Value, Value], Value]) -> None:
        """Remember `value` under `key`, joined to what is there."""
        known = self._kept.get(key)
        if known is not None:
            self._kept[key] = (known[0], join(known[1], value))
            return
        hashed = hash_text(key)
        if self._bound is None or hashed < self._bound:
            self._kept[key] = (hashed, value)
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
