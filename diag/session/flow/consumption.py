"""How far consumer groups are with a session's records, and what that proves.

A committed offset proves one thing: the group will not be given the records below it again. It does
not prove that anybody worked on them (readers commit before they process, and a commit can be set by
hand), nor which member of the group got them: members share a group, and the broker keeps no record of
who fetched what. So *consumed* means "the group has come past it", of a foreign group as of the owner.

Two things follow for *consumed by somebody else*. A group that is none of the wanted readers and has
come past a record has read it for itself; the owner loses nothing by it. And a record that was written
after the session's own reader had ended, and that the owner's group has come past all the same, was
taken by a reader of another session or pod, or skipped. A reader that runs and drops what is not its
own leaves no trace in offsets; only lines can hint at it. A reader without a group leaves none at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from diag.model.flow import GroupFlow, PartitionFlow
from diag.model.instants import NS_PER_S
from diag.model.records import KafkaRecord
from diag.model.topics import BrokerFacts, GroupFacts, Reader, TopicFacts

_CLOCKS_NS = 5 * NS_PER_S
"""A record's time is another machine's than a line's: so much later is later for sure."""


def follow_groups(
    topic: str, records: Sequence[KafkaRecord], readers: Iterable[Reader], broker: BrokerFacts
) -> tuple[GroupFlow, ...]:
    """The wanted readers that the broker knows, then by name each group that committed where records are."""
    facts, held = broker.topics.get(topic), _offsets_by_partition(records)
    services = {reader.group: reader.service for reader in readers}
    owners = [broker.groups[name] for name in services if name in broker.groups]
    others = [
        group
        for name, group in sorted(broker.groups.items())
        if name not in services and held.keys() & group.committed.get(topic, {}).keys()
    ]
    return tuple(
        GroupFlow(
            group=group.name,
            service=services.get(group.name, ""),
            owner=group.name in services,
            partitions=tuple(_follow(topic, p, held[p], group, facts) for p in sorted(held)),
        )
        for group in (*owners, *others)
    )


def _offsets_by_partition(records: Iterable[KafkaRecord]) -> dict[int, list[int]]:
    held: defaultdict[int, list[int]] = defaultdict(list)
    for record in records:
        held[record.partition].append(record.offset)
    return dict(held)


def _follow(
    topic: str, partition: int, offsets: Sequence[int], group: GroupFacts, facts: TopicFacts | None
) -> PartitionFlow:
    commit = group.committed.get(topic, {}).get(partition)
    end = facts.offsets[partition][1] if facts and partition in facts.offsets else None
    if commit is None or (end is not None and commit > end):
        # beyond the end: a commit of the topic's earlier life, before it was made anew or cut back
        return PartitionFlow(partition, len(offsets), commit)
    consumed = sum(offset < commit for offset in offsets)
    return PartitionFlow(partition, len(offsets), commit, consumed, None if end is None else end - commit)


def keep_judged(records: Iterable[KafkaRecord], facts: TopicFacts | None) -> tuple[KafkaRecord, ...]:
    """The records that were there when the broker was asked how far its groups are."""
    ends = {p: end for p, (_, end) in facts.offsets.items()} if facts else {}
    return tuple(one for one in records if one.offset < ends.get(one.partition, one.offset + 1))


def count_consumed(records: Iterable[KafkaRecord], owners: Sequence[GroupFlow]) -> int | None:
    """The records that every one of `owners` has come past; None where one of them is unknown somewhere."""
    if not owners or any(group.consumed is None for group in owners):
        return None
    passed = [_find_passed(group) for group in owners]
    return sum(all(_is_past(one, record) for one in passed) for record in records)


def count_by_other(
    records: Iterable[KafkaRecord], groups: Iterable[GroupFlow], reader_ended_ns: int | None
) -> int:
    """The records that somebody else than the session's own reader has come past; see above."""
    passed = [(_find_passed(group), group.owner) for group in groups]
    return sum(
        any(
            (not owner or _came_late(record, reader_ended_ns)) and _is_past(one, record)
            for one, owner in passed
        )
        for record in records
    )


def _came_late(record: KafkaRecord, reader_ended_ns: int | None) -> bool:
    """Whether it was written after the session's own reader had ended."""
    return reader_ended_ns is not None and record.time_ns > reader_ended_ns + _CLOCKS_NS


def _find_passed(group: GroupFlow) -> dict[int, int]:
    """Partition -> the offset below which the group has come past everything, where that is known."""
    return {
        one.partition: one.committed
        for one in group.partitions
        if one.consumed is not None and one.committed is not None
    }


def _is_past(passed: Mapping[int, int], record: KafkaRecord) -> bool:
    return record.offset < passed.get(record.partition, record.offset)
