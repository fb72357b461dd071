"""IDs that are one ID in two writings: cut, re-cased, encoded, or with its time in another unit.

Such a pair needs no line that names both. Two callers do not share the instant and the random part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import unquote

from diag.model.identifiers import UNIT_BY_DIGITS, classify
from diag.model.instants import NS_PER_S

_LEAST_RANDOM = 3
"""Characters of the random part that both must have: fewer are shared by chance."""


def kin_rule(first: str, second: str) -> str:
    """How two different texts are one session ID: the rule's name, empty if they are not."""
    if unquote(first) == unquote(second):
        return "URL-encoded"
    if first.lower() == second.lower():
        return "re-cased"
    short, long = sorted((first, second), key=len)
    if long.startswith(short) and len(_random_of(short)) >= _LEAST_RANDOM:
        return "truncated"
    if len(_random_of(short)) >= _LEAST_RANDOM and _random_of(first) == _random_of(second):
        return "unit changed" if _are_one_instant(first, second) else ""
    return ""


def _random_of(text: str) -> str:
    return text.split("_", 2)[2] if text.count("_") >= 2 else ""


def _are_one_instant(first: str, second: str) -> bool:
    one, other = classify(first), classify(second)
    if one.minted_ns is None or other.minted_ns is None or one.unit == other.unit:
        return False
    factors = dict(UNIT_BY_DIGITS.values())
    coarse = max(factors[one.unit], factors[other.unit])
    return one.minted_ns // coarse == other.minted_ns // coarse


class Kinship:
    """Finds an ID's other writings among many IDs."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_second: defaultdict[int, list[str]] = defaultdict(list)
        for text in texts:
            second = _second_of(text)
            if second is not None:
                self._by_second[second].append(text)

    def of(self, texts: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
        """Pairs of one of `texts` and another writing of it, each with its rule."""
        return tuple(
            (text, other, rule)
            for text in texts
            if (second := _second_of(text)) is not None
            for other in self._by_second.get(second, ())
            if other != text and (rule := kin_rule(text, other))
        )


def _second_of(text: str) -> int | None:
    """When a session ID was minted, in seconds, in whatever writing."""
    found = classify(unquote(text).lower())
    if not found.names_session or found.minted_ns is None:
        return None
    return found.minted_ns // NS_PER_S
