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

from collections import Counter
from collections.abc import Iterable, Sequence

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
    facts, held = broker.topics.get(topic), Counter(record.partition for record in records)
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
            partitions=tuple(_follow(topic, p, records, group, facts) for p in sorted(held)),
        )
        for group in (*owners, *others)
    )


def _follow(
    topic: str, partition: int, records: Iterable[KafkaRecord], group: GroupFacts, facts: TopicFacts | None
) -> PartitionFlow:
    offsets = [record.offset for record in records if record.partition == partition]
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
    return sum(all(_is_past(group, record) for group in owners) for record in records)


def count_by_other(
    records: Iterable[KafkaRecord], groups: Iterable[GroupFlow], reader_ended_ns: int | None
) -> int:
    """The records that somebody else than the session's own reader has come past; see above."""
    known = tuple(groups)
    return sum(any(_is_others(group, record, reader_ended_ns) for group in known) for record in records)


def _is_others(group: GroupFlow, record: KafkaRecord, reader_ended_ns: int | None) -> bool:
    late = reader_ended_ns is not None and record.time_ns > reader_ended_ns + _CLOCKS_NS
    return (late or not group.owner) and _is_past(group, record)


def _is_past(group: GroupFlow, record: KafkaRecord) -> bool:
    return any(
        one.partition == record.partition
        and one.consumed is not None
        and one.committed is not None
        and record.offset < one.committed
        for one in group.partitions
    )
