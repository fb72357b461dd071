"""What the frames hold together -> shards: sessions that fit into memory with what is around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from diag.app.many.intake import Digest
from diag.session.census import Census, find_crowded
from diag.session.groups import Group, group_ids
from diag.session.identity.partners import NEARBY_NS
from diag.session.identity.rules import MOST_IDS

_LONG_NS = 10 * NEARBY_NS
"""Groups that last longer: what is around one of them would be around all that it is packed with."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Some groups of sessions, and where their lines are.

    Attributes:
        frames: the numbers of the frames that hold their lines, or what was around them.
        start_ns: where their surroundings begin.
        cut: IDs that have lines outside of the bounds.
    """

    groups: tuple[Group, ...]
    frames: tuple[int, ...]
    start_ns: int
    end_ns: int
    cut: frozenset[str] = frozenset()

    @property
    def ids(self) -> frozenset[str]:
        """The IDs of all groups."""
        return frozenset(text for group in self.groups for text in group.ids)


@dataclass(frozen=True, slots=True)
class Plan:
    """All shards, and the IDs that so many sessions share that they belong to none."""

    shards: tuple[Shard, ...]
    crowded: frozenset[str]


def plan_shards(digests: Sequence[Digest], most_lines: int) -> Plan:
    """Groups that begin near to one another, until their lines are `most_lines`: they share surroundings.

    Long ones are among themselves, and come first: theirs are the shards that take longest.
    """
    census = Census()
    for digest in digests:
        census.add(digest.census)
    crowded = find_crowded(census.uses, census.ties, MOST_IDS)
    groups = group_ids(census, crowded)
    outside = frozenset().union(*(digest.outside for digest in digests))
    long, short = (tuple(g for g in groups if _is_long(g) is told) for told in (True, False))
    packs = (*_pack(long, most_lines), *_pack(short, most_lines))
    return Plan(tuple(_to_shard(few, digests, outside) for few in packs), crowded)


def _is_long(group: Group) -> bool:
    return group.last_ns - group.first_ns > _LONG_NS


def _pack(groups: Iterable[Group], most_lines: int) -> Iterator[tuple[Group, ...]]:
    packed: list[Group] = []
    lines = 0
    for group in groups:
        if packed and lines + group.lines > most_lines:
            yield tuple(packed)
            packed, lines = [], 0
        packed.append(group)
        lines += group.lines
    if packed:
        yield tuple(packed)


def _to_shard(groups: tuple[Group, ...], digests: Iterable[Digest], outside: frozenset[str]) -> Shard:
    start_ns = min(group.first_ns for group in groups) - NEARBY_NS
    end_ns = max(group.last_ns for group in groups) + NEARBY_NS
    shard = Shard(groups, (), start_ns, end_ns)
    ids = shard.ids
    numbers = (one.number for one in digests if one.span and _is_needed(one, ids, start_ns, end_ns))
    return Shard(groups, tuple(numbers), start_ns, end_ns, ids & outside)


def _is_needed(digest: Digest, ids: frozenset[str], start_ns: int, end_ns: int) -> bool:
    first, last = digest.span or (0, 0)
    return (first <= end_ns and start_ns <= last) or not ids.isdisjoint(digest.census.uses)
