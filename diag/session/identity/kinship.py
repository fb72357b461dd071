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

_MOST_ALIKE = 24


def kin_rule(first: str, second: str) -> str:
    """How two different texts are one session ID: the rule's name, empty if they are not."""
    if unquote(first) == unquote(second):
        return "URL-encoded"
    if first.lower() == second.lower():
        return "re-cased"
    short, long = sorted((first, second), key=len)
    if long.startswith(short) and len(random_of(short)) >= _LEAST_RANDOM:
        return "truncated"
    if len(random_of(short)) >= _LEAST_RANDOM and random_of(first) == random_of(second):
        return "unit changed" if _are_one_instant(first, second) else ""
    return ""


def random_of(text: str) -> str:
    """What stands behind the time of an ID, empty if nothing."""
    return text.split("_", 2)[2] if text.count("_") >= 2 else ""


def _are_one_instant(first: str, second: str) -> bool:
    one, other = classify(first), classify(second)
    if one.minted_ns is None or other.minted_ns is None or one.unit == other.unit:
        return False
    factors = dict(UNIT_BY_DIGITS.values())
    coarse = max(factors[one.unit], factors[other.unit])
    return one.minted_ns // coarse == other.minted_ns // coarse


class Kinship:
    """Finds an ID's other writings among many IDs, without comparing each with each.

    Two writings of one ID share the second in which it was minted, and beside it all of their text in one
    case, the beginning of their random part, or the whole of it. Where more than `_MOST_ALIKE` share that,
    it is no accident of writing, and tells nothing.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._alike: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        for text in texts:
            for trait in _traits_of(text):
                self._alike[trait].append(text)

    def of(self, texts: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
        """Pairs of one of `texts` and another writing of it, each with its rule."""
        return tuple(
            (text, other, rule)
            for text in texts
            for other in self._find_alike(text)
            if other != text and (rule := kin_rule(text, other))
        )

    def _find_alike(self, text: str) -> list[str]:
        groups = (self._alike.get(trait, ()) for trait in _traits_of(text))
        return sorted({other for group in groups if len(group) <= _MOST_ALIKE for other in group})


def _traits_of(text: str) -> frozenset[tuple[int, str]]:
    """What another writing of this session ID shares with it; nothing where it has no time in it."""
    plain = unquote(text).lower()
    found = classify(plain)
    if not found.names_session or found.minted_ns is None:
        return frozenset()
    second, random = found.minted_ns // NS_PER_S, random_of(plain)
    traits = {f"text {plain}"}
    if len(random) >= _LEAST_RANDOM:
        start = len(plain) - len(random)
        traits |= {f"begins {plain[: start + _LEAST_RANDOM]}", f"random {random}"}
    return frozenset((second, trait) for trait in traits)
