"""What the broker has: topics with their offsets, groups with members, assignments and commits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from diag.errors import SourceError
from diag.model.instants import NS_PER_MS
from diag.model.settings import KafkaSettings
from diag.model.topics import BrokerFacts, GroupFacts, Member, TopicFacts
from diag.sources.kafka.connection import open_admin, open_consumer, within
from diag.sources.kafka.retention import read_topic_settings

_INTERNAL_PREFIX = "__"
_DEAD = "Dead"
_NO_LEADER = -1
_ELECTION_PAUSES_S = (0.0, 0.5, 1.0, 1.5)
"""Before leaders are looked at: an election is mostly over by then."""
_MOST_NAMED = 3


async def read_broker(
    settings: KafkaSettings, now_ns: int, settings_of_topics: Iterable[str] = ()
) -> BrokerFacts:
    """Everything `diag` asks of a broker at one moment; raises `SourceError`.

    `settings_of_topics` are names of settings that are wanted of topics beside those of their retention.
    """
    async with open_admin(settings) as admin, open_consumer(settings) as consumer:
        # Groups before ends: a consumer that goes on meanwhile is never ahead of the end that was seen.
        groups = await within(_read_groups(admin), settings)
        topics, cluster = await asyncio.gather(
            within(_read_topics(consumer, admin, settings_of_topics), settings),
            within(admin.describe_cluster(), settings),
        )
    return BrokerFacts(str(cluster.get("cluster_id") or ""), now_ns, topics, groups)


async def _read_topics(
    consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient, wanted: Iterable[str]
) -> dict[str, TopicFacts]:
    partitions = await list_partitions(consumer)
    begins, ends, oldest = await asyncio.gather(
        consumer.beginning_offsets(partitions),
        consumer.end_offsets(partitions),
        consumer.offsets_for_times(dict.fromkeys(partitions, 0)) if partitions else _nothing(),
    )
    offsets: defaultdict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
    first_ns: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for one in sorted(partitions):
        offsets[one.topic][one.partition] = (begins[one], ends[one])
        # a producer may write no time: of such a record nobody knows how old it is
        if (first := oldest.get(one)) is not None and (first.timestamp or 0) > 0:
            first_ns[one.topic][one.partition] = first.timestamp * NS_PER_MS
    kept = await read_topic_settings(admin, [name for name in offsets if not _is_internal(name)], wanted)
    replicas = _count_replicas(await admin.describe_topics())
    return {
        name: TopicFacts(
            name, parts, _is_internal(name), first_ns[name], kept.get(name, {}), replicas.get(name)
        )
        for name, parts in sorted(offsets.items())
    }


def _count_replicas(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Rows of Metadata: topic -> the copies of its partition that has fewest."""
    return {
        row["topic"]: min(len(partition["replicas"]) for partition in row["partitions"])
        for row in rows
        if row["partitions"]
    }


async def _nothing() -> dict[TopicPartition, Any]:
    return {}


def _is_internal(topic: str) -> bool:
    return topic.startswith(_INTERNAL_PREFIX)


async def list_partitions(consumer: AIOKafkaConsumer) -> list[TopicPartition]:
    """Every partition of every topic that the broker lists.

    Raises `SourceError` where one has no leader for longer than an election takes: of such a partition no
    offset can be had, and the library would ask for it until its time is over.
    """
    client = consumer._client  # noqa: SLF001  as in connection.py: there is no public way
    without = list[TopicPartition]()
    for pause_s in _ELECTION_PAUSES_S:
        if without:
            await asyncio.sleep(pause_s)
            await client.force_metadata_update()
        names = await consumer.topics()
        found = [TopicPartition(name, p) for name in names for p in consumer.partitions_for_topic(name) or ()]
        without = [one for one in found if client.cluster.leader_for_partition(one) == _NO_LEADER]
        if not without:
            return found
    shown = ", ".join(f"{one.topic}/{one.partition}" for one in sorted(without)[:_MOST_NAMED])
    more = f" and {len(without) - _MOST_NAMED} more" if len(without) > _MOST_NAMED else ""
    raise SourceError(
        f"Kafka: {shown}{more} {'has' if len(without) == 1 else 'have'} no leader, and can not be read",
        hint="is a broker of it down? kafka-topics.sh --describe --unavailable-partitions",
    )


async def _read_groups(admin: AIOKafkaAdminClient) -> dict[str, GroupFacts]:
    names = sorted({name for name, *_ in await admin.list_consumer_groups() if name})
    groups = {}
    for name in names:
        # One by one: the library reads version 3 of the answer with version 2's schema, which leaves four
        # bytes behind each group and is right for the first one only (aiokafka 0.14, protocol/admin.py).
        # What one group keeps to itself costs nothing of the others.
        row, committed = None, None
        with suppress(KafkaError):
            (response,) = await admin.describe_consumer_groups([name])
            row = next(iter(response.groups), None)
        with suppress(KafkaError):
            committed = await admin.list_consumer_group_offsets(name)
        groups[name] = _to_group(name, row, committed)
    return groups


def _to_group(
    name: str, row: tuple[Any, ...] | None, offsets: Mapping[TopicPartition, Any] | None
) -> GroupFacts:
    """A row of DescribeGroups: error, group, state, protocol type, protocol, members."""
    state = str(row[2]) if row and not row[0] else _DEAD
    committed: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for one, commit in (offsets or {}).items():
        if commit.offset >= 0:
            committed[one.topic][one.partition] = commit.offset
    return GroupFacts(
        name=name,
        state=state,
        members=tuple(_to_member(member) for member in (row[5] if row else ())),
        # A live group of the consumer protocol (KIP-848) looks dead and empty to this call.
        members_known=state != _DEAD,
        committed=dict(committed),
        commits_known=offsets is not None,
    )


def _to_member(member: tuple[Any, ...]) -> Member:
    """A member's row: member ID, client ID, host, metadata, assignment (older versions lack no field)."""
    metadata, assignment = member[-2], member[-1]
    return Member(
        client_id=str(member[-4]), subscribed=_subscription(metadata), assigned=_assignment(assignment)
    )


def _subscription(raw: bytes) -> frozenset[str]:
    return frozenset(ConsumerProtocolMemberMetadata.decode(raw).subscription) if raw else frozenset()


def _assignment(raw: bytes) -> dict[str, tuple[int, ...]]:
    if not raw:
        return {}
    pairs: Iterable[tuple[str, list[int]]] = ConsumerProtocolMemberAssignment.decode(raw).assignment
    return {topic: tuple(sorted(partitions)) for topic, partitions in pairs}
