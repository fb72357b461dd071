"""What is said beside the numbers of a flow: why one is not known, and what it does not show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diag.model.events import Event
from diag.model.flow import GroupFlow, RecordOrder
from diag.model.instants import format_clock
from diag.model.session import Neighbours
from diag.model.topics import BrokerFacts
from diag.session.flow.consumption import count_by_other
from diag.session.flow.passage import CONSUMED, ELSEWHERE, FAILED, FlowSources, Passage
from diag.session.flow.readers import START, STOP, count_readers_at_once, find_reader_end


def describe_passage(topic: Passage, order: RecordOrder, sources: FlowSources) -> Iterator[str]:
    """What stands beside the numbers, and why some are not known."""
    yield from _describe_lines(topic.events)
    if sources.broker is not None and topic.facts is None:
        yield "does not exist on the broker"
    if topic.gap:
        yield f"at least: {topic.gap}" if topic.stored else f"records not known: {topic.gap}"
    if sources.broker is not None and topic.stored:
        yield from _describe_groups(topic, sources.broker)
        yield from _describe_others(topic)
    yield from _describe_readers(topic, sources.neighbours)
    yield from _describe_order(order)


def _describe_lines(events: Sequence[Event]) -> Iterator[str]:
    for kinds, what in ((FAILED, "failed publishing"), (CONSUMED, "consumption")):
        count = sum(event.name in kinds for event in events)
        if count:
            yield f"{_say(count, 'line')} of {what}"


def _describe_groups(topic: Passage, broker: BrokerFacts) -> Iterator[str]:
    """Why consumption is not known, or what of it is still to come."""
    if not topic.readers:
        yield "nobody is known to be its reader"
    for reader in topic.readers:
        if reader.group not in broker.groups:
            yield f"the broker knows no group {reader.group}"
        elif not broker.groups[reader.group].commits_known:
            yield f"the broker does not tell how far group {reader.group} is"
    for group in topic.groups:
        yield from _describe_group(group)
    fresh = len(topic.stored or ()) - len(topic.judged)
    if fresh:
        yield f"{_say(fresh, 'record')} came after the groups were looked at"


def _describe_group(group: GroupFlow) -> Iterator[str]:
    for one in group.partitions:
        if group.owner and one.committed is None:
            yield f"group {group.group} has committed nothing in partition {one.partition}"
        elif one.committed is not None and one.consumed is None:
            yield f"group {group.group} has a commit beyond the end of partition {one.partition}"
        elif group.owner and one.lagging:
            yield (
                f"group {group.group} has {one.lagging} of {one.records} still to read in partition "
                f"{one.partition} (it stands at {one.committed}, {one.lag} behind)"
            )


def _describe_others(topic: Passage) -> Iterator[str]:
    for group in topic.groups:
        passed = sum(one.consumed or 0 for one in group.partitions)
        if not group.owner and passed:
            yield f"also read by group {group.group} ({passed} of {len(topic.judged)})"
    ended_ns = find_reader_end(topic.events)
    late = count_by_other(topic.judged, (group for group in topic.groups if group.owner), ended_ns)
    if late and ended_ns is not None:
        when = format_clock(ended_ns)
        yield f"{_say(late, 'record')} taken by others: the session's own reader had ended at {when}"


def _describe_readers(topic: Passage, neighbours: Neighbours | None) -> Iterator[str]:
    """What only lines say of readers that share the group: no number follows from it."""
    elsewhere = sum(event.name in ELSEWHERE for event in topic.events)
    if elsewhere:
        yield f"{_say(elsewhere, 'line')} of a pod that read a record and did not have the session"
    heard = any(event.name == "reply.played" for event in topic.events)
    if topic.stored and neighbours is not None and not heard and _has_reader(topic):
        at_once = count_readers_at_once(topic.events, neighbours.named(START, STOP))
        if at_once > 1:
            yield f"{at_once} readers ran at once on the session's pod, and no line says that it got its own"


def _has_reader(topic: Passage) -> bool:
    return any(event.name == START for event in topic.events)


def _describe_order(order: RecordOrder) -> Iterator[str]:
    if order.spread:
        most = max(len(partitions) for partitions in order.spread.values())
        yield f"one key lies in {most} partitions, so nothing keeps its records in order"
    for count, where in ((order.inversions, ""), (order.across, " over the partitions")):
        if count:
            yield f"{_say(count, 'record')} sent before what stands in front of it{where}"


def _say(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
