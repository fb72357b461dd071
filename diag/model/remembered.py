"""Answers for texts that come again and again, kept in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST = 16_384
LONGEST = 512
"""Characters of a key that is kept: longer ones seldom come again, and a million of them fill a machine."""


class Remembered(dict[K, V]):
    """``remembered[key]`` is ``ask(key)``, and for a key that comes again it is not asked again.

    A dictionary's own subscript is the cheapest look-up there is: a call of a function costs three of them.
    Input may be hostile, so past `most` answers all are forgotten, and no long text is kept. Threads may
    share one: at worst both of them ask.
    """

    __slots__ = ("_ask", "_most")

    def __init__(self, ask: Callable[[K], V], most: int = MOST) -> None:
        super().__init__()
        self._ask = ask
        self._most = most

    def __missing__(self, key: K) -> V:
        answer = self._ask(key)
        if _size_of(key) <= LONGEST:
            if len(self) >= self._most:
                self.clear()
            self[key] = answer
        return answer


def _size_of(key: object) -> int:
    """Characters of a text, bytes, or what a tuple holds of them."""
    if isinstance(key, str | bytes):
        return len(key)
    return sum(1 + _size_of_part(part) for part in key) if isinstance(key, tuple) else 0


def _size_of_part(part: object) -> int:
    """A tuple with other things than texts is not kept: to a dictionary 1, 1.0 and True are the same."""
    return _size_of(part) if isinstance(part, str | bytes | tuple) else LONGEST
