"""What is wanted, what is there, what is between: missing, starved, drifted, orphaned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from diag.model.findings import Severity
from diag.model.topics import (
    BrokerFacts,
    GroupFacts,
    Path,
    Reader,
    SavedPlan,
    Starved,
    TopicFacts,
    TopicPlan,
    TopicRow,
    TopicState,
    WantedTopic,
)

_STABLE = "Stable"


def build_plan(wanted: Sequence[WantedTopic], broker: BrokerFacts) -> TopicPlan:
    """Wanted topics in their order, then the broker's others by name."""
    known = {topic.name for topic in wanted}
    orphans = sorted(
        name for name, facts in broker.topics.items() if name not in known and not facts.internal
    )
    rows = [_build_row(topic, broker) for topic in wanted]
    rows += (_build_orphan(broker.topics[name], broker) for name in orphans)
    return TopicPlan(broker.cluster_id, tuple(rows))


def find_misfits(saved: SavedPlan, broker: BrokerFacts) -> tuple[str, ...]:
    """Why a plan that was kept does not fit any more; empty where it does. What it does not name is free."""
    if saved.cluster_id != broker.cluster_id:
        return (
            f"it was made for cluster {saved.cluster_id}, and this one is {broker.cluster_id or 'unnamed'}",
        )
    return tuple(f"{one.name} is there by now" for one in saved.create if one.name in broker.topics)


def build_kept_plan(saved: SavedPlan, broker: BrokerFacts) -> TopicPlan:
    """That plan's topics alone, as they stand now."""
    return TopicPlan(broker.cluster_id, tuple(_build_row(topic, broker) for topic in saved.create))


def _build_row(topic: WantedTopic, broker: BrokerFacts) -> TopicRow:
    actual = broker.topics.get(topic.name)
    if actual is None:
        waiting = tuple(_waiting_for(topic, broker))
        return TopicRow(topic.name, TopicState.MISSING, topic, None, waiting)
    starved = tuple(_starved_of(topic, actual, broker))
    unread = topic.path is Path.AUDIO and any(_is_unread(topic, reader, broker) for reader in topic.readers)
    drift = tuple(_describe_drift(topic, actual))
    state = TopicState.STARVED if starved or unread else TopicState.DRIFTED if drift else TopicState.OK
    notes = (*drift, *_describe_readers(topic, broker))
    return TopicRow(topic.name, state, topic, actual, starved, _lags(topic.readers, actual, broker), notes)


def _describe_drift(topic: WantedTopic, actual: TopicFacts) -> Iterator[str]:
    """What is otherwise than wanted; what the broker does not tell is not."""
    if len(actual.offsets) != topic.partitions:
        yield f"{_count(len(actual.offsets), 'partition')}, wanted {topic.partitions}"
    if topic.replication is not None and actual.replicas not in (None, topic.replication):
        yield f"{_count(actual.replicas or 0, 'replica')}, wanted {topic.replication}"
    for name, text in topic.settings.items():
        found = actual.settings.get(name)
        if found is not None and _to_parts(found) != _to_parts(text):
            yield f"{name} is {found}, wanted {text}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _to_parts(text: str) -> frozenset[str]:
    """A setting's value as the broker understands it: a list has no order, ``True`` is ``true``."""
    return frozenset(part.strip().casefold() for part in text.split(","))


def _build_orphan(actual: TopicFacts, broker: BrokerFacts) -> TopicRow:
    readers = [Reader(name, "") for name, group in broker.groups.items() if actual.name in group.committed]
    note = "not in the list of wanted topics; diag never deletes"
    return TopicRow(actual.name, TopicState.ORPHAN, None, actual, (), _lags(readers, actual, broker), (note,))


def _lags(readers: Iterable[Reader], actual: TopicFacts, broker: BrokerFacts) -> dict[str, int | None]:
    return {r.group: broker.groups[r.group].lag(actual) for r in readers if r.group in broker.groups}


def _subscribers(group: GroupFacts | None, topic: str) -> tuple[str, ...]:
    """The client IDs of the live members that asked for the topic, sorted."""
    if group is None:
        return ()
    return tuple(sorted(member.client_id for member in group.members if topic in member.subscribed))


def _waiting_for(topic: WantedTopic, broker: BrokerFacts) -> Iterator[Starved]:
    """Readers that joined before the topic was there: its creation alone will not feed them."""
    for reader in topic.readers:
        members = _subscribers(broker.groups.get(reader.group), topic.name)
        if members:
            yield Starved(reader, members, ())


def _starved_of(topic: WantedTopic, actual: TopicFacts, broker: BrokerFacts) -> Iterator[Starved]:
    for reader in topic.readers:
        group = broker.groups.get(reader.group)
        members = _subscribers(group, topic.name)
        if group is None or not members:
            continue
        unread = sorted(set(actual.offsets) - group.assigned_to(topic.name))
        if unread:
            yield Starved(reader, members, tuple(unread))


def _is_unread(topic: WantedTopic, reader: Reader, broker: BrokerFacts) -> bool:
    """Whether it is sure that nobody of the reader's group reads the topic: it has no live consumer.

    Only a stable group tells what its members asked for; while it balances, the broker leaves that out.
    """
    group = broker.groups.get(reader.group)
    if group is None:
        return True
    if not group.members_known or (group.members and group.state != _STABLE):
        return False
    return not _subscribers(group, topic.name)


def _describe_readers(topic: WantedTopic, broker: BrokerFacts) -> Iterator[str]:
    for reader in topic.readers:
        group = broker.groups.get(reader.group)
        if _is_unread(topic, reader, broker):
            yield f"no live consumer in group {reader.group}"
            if topic.path is Path.AUDIO:
                yield f"start or restart {reader.service or 'its service'}, which should read it"
        elif group is not None and not group.members_known:
            yield f"members of group {reader.group} are not known to this call"
        elif group is not None and group.state != _STABLE:
            yield f"group {reader.group} is balancing; ask again"


def find_restarts(plan: TopicPlan, created: Iterable[str]) -> tuple[Starved, ...]:
    """The consumers that must join their group again now that the topics of `created` exist.

    A consumer that joined before a topic existed got no partition of it, and gets none until it
    joins again, so each reader with live members is named.
    """
    names = set(created)
    found: dict[Reader, Starved] = {}
    for row in plan.rows:
        if row.state is TopicState.STARVED or row.name in names:
            for starved in row.starved:
                found.setdefault(starved.reader, starved)
    return tuple(found.values())


def judge_plan(plan: TopicPlan) -> Severity | None:
    """Error if the audio path lacks a topic or a reader, warning if only logging does, else None."""
    worst: Severity | None = None
    for row in plan.rows:
        severity = _judge_row(row)
        if severity is not None and (worst is None or severity > worst):
            worst = severity
    return worst


def _judge_row(row: TopicRow) -> Severity | None:
    match row.state:
        case TopicState.STARVED:
            return Severity.ERROR
        case TopicState.MISSING:
            return Severity.ERROR if row.wanted and row.wanted.path is Path.AUDIO else Severity.WARNING
        case TopicState.DRIFTED:
            return Severity.WARNING
        case _:
            return None
