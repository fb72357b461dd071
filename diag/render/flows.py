"""What stands out in a session's Kafka flow, in words; nothing where nothing does."""

from __future__ import annotations

from collections.abc import Iterator

from diag.model.flow import TopicFlow


def describe_flow(flow: TopicFlow) -> str:
    """``3 of 56 not yet read by orchestrator-group-v2 (12 behind)``; empty where nothing stands out."""
    return "; ".join(_parts(flow))


def _parts(flow: TopicFlow) -> Iterator[str]:
    for group in flow.groups:
        if group.owner and group.lagging:
            yield f"{group.lagging} of {flow.stored} not yet read by {group.group} ({group.lag} behind)"
    if flow.consumed_by_other:
        others = (group for group in flow.groups if not group.owner)
        strangers = [group.group for group in others if any(one.consumed for one in group.partitions)]
        named = f" ({', '.join(strangers)})" if strangers else ""
        yield f"{flow.consumed_by_other} of {flow.stored} read by others{named}"
    if flow.expired:
        yield f"{flow.expired} stored and gone"
    turned = (flow.order.inversions or 0) + (flow.order.across or 0)
    if turned:
        yield f"{turned} out of order"
    if flow.order.spread:
        yield f"one key in {max(map(len, flow.order.spread.values()))} partitions"
    if not flow.complete and flow.stored is not None:
        yield "not every record was looked at"
