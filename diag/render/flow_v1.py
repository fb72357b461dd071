"""What passed through Kafka, as version 1 of the machine's output has it."""

from __future__ import annotations

from typing import Any

from diag.model.flow import GroupFlow, PartitionFlow, RecordOrder, TopicFlow

Json = dict[str, Any]


def to_flow(flow: TopicFlow) -> Json:
    """One row of ``kafka``; a null is not known."""
    return {
        "topic": flow.topic,
        "produced": flow.produced,
        "stored": flow.stored,
        "consumed": flow.consumed,
        "consumed_by_other": flow.consumed_by_other,
        "lag": flow.lag,
        "lagging": flow.lagging,
        "expired": flow.expired,
        "complete": flow.complete,
        "partitions": list(flow.partitions),
        "groups": [_group(group) for group in flow.groups],
        "order": _order(flow.order),
        "notes": list(flow.notes),
    }


def _group(group: GroupFlow) -> Json:
    return {
        "group": group.group,
        "service": group.service,
        "owner": group.owner,
        "consumed": group.consumed,
        "lagging": group.lagging,
        "lag": group.lag,
        "partitions": [_partition(one) for one in group.partitions],
    }


def _partition(one: PartitionFlow) -> Json:
    return {
        "partition": one.partition,
        "records": one.records,
        "committed": one.committed,
        "consumed": one.consumed,
        "lagging": one.lagging,
        "lag": one.lag,
    }


def _order(order: RecordOrder) -> Json:
    return {
        "inversions": order.inversions,
        "across": order.across,
        "examples": [{"ref": one.record.ref, "behind": one.behind.ref} for one in order.examples],
        "spread": [{"key": key, "partitions": list(order.spread[key])} for key in sorted(order.spread)],
    }
