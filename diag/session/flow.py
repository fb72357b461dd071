"""What passed through Kafka for one session: lines on one side, stored records on the other.

Lines that speak of success or failure prove neither: only records and offsets decide. What the
producer's lines count stands beside what is stored; a record is consumed if the group that should
read its topic has committed an offset behind it. A consumer's lines may speak of whole utterances,
so they are a note and no number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from diag.model.records import KafkaRecord
from diag.model.session import Event, TopicFlow
from diag.model.topics import BrokerFacts, GroupFacts, Reader, WantedTopic

_PRODUCED = {"media.publish": "audio-in", "reply.published": "audio-out", "log.published": ""}
_FAILED = {"media.publish_failed": "audio-in", "reply.publish_failed": "audio-out", "log.publish_failed": ""}
_CONSUMED = {"kafka.consume": "audio-in", "reply.played": "audio-out"}


def topic_of(event: Event) -> str:
    """The topic that a line about Kafka speaks of: by its field, else by what it means."""
    implied = _PRODUCED.get(event.name) or _FAILED.get(event.name) or _CONSUMED.get(event.name) or ""
    return event.entry.field("topic") or event.value("topic") or implied


def build_flows(
    events: Sequence[Event],
    records: Sequence[KafkaRecord] | None,
    wanted: Iterable[WantedTopic],
    broker: BrokerFacts | None,
) -> tuple[TopicFlow, ...]:
    """One row per topic that the session touched or should have; `records` None: not read."""
    readers = {topic.name: topic.readers for topic in wanted}
    names = dict.fromkeys((*readers, *(record.topic for record in records or ())))
    return tuple(_build_flow(name, events, records, readers.get(name, ()), broker) for name in names)


def _build_flow(
    topic: str,
    events: Sequence[Event],
    records: Sequence[KafkaRecord] | None,
    readers: Iterable[Reader],
    broker: BrokerFacts | None,
) -> TopicFlow:
    own = [event for event in events if topic_of(event) == topic]
    stored = None if records is None else tuple(record for record in records if record.topic == topic)
    groups = _find_groups(readers, broker)
    return TopicFlow(
        topic=topic,
        produced=_count(own, _PRODUCED),
        stored=None if stored is None else len(stored),
        consumed=None if stored is None else _count_consumed(topic, stored, groups),
        lag=_lag(topic, groups, broker),
        partitions=tuple(sorted(Counter(record.partition for record in stored or ()))),
        notes=tuple(_describe(topic, own, broker)),
        records=stored or (),
    )


def _describe(topic: str, own: Sequence[Event], broker: BrokerFacts | None) -> Iterator[str]:
    for kinds, what in ((_FAILED, "failed publishing"), (_CONSUMED, "consumption")):
        count = sum(event.name in kinds for event in own)
        if count:
            yield f"{count} line{'s' if count > 1 else ''} of {what}"
    if broker is not None and topic not in broker.topics:
        yield "does not exist on the broker"


def _find_groups(readers: Iterable[Reader], broker: BrokerFacts | None) -> tuple[GroupFacts, ...] | None:
    """The groups that should read a topic; None where one of them is not known, or none is named."""
    names = [reader.group for reader in readers]
    if broker is None or not names or any(name not in broker.groups for name in names):
        return None
    return tuple(broker.groups[name] for name in names)


def _count_consumed(
    topic: str, stored: Sequence[KafkaRecord], groups: Sequence[GroupFacts] | None
) -> int | None:
    """The records below the committed offset of every group; None where one never committed there."""
    commits = [group.committed.get(topic, {}) for group in groups or ()]
    partitions = {record.partition for record in stored}
    if not commits or any(not commit or partitions - commit.keys() for commit in commits):
        return None
    return sum(all(r.offset < commit[r.partition] for commit in commits) for r in stored)


def _count(events: Iterable[Event], kinds: Iterable[str]) -> int | None:
    """Records that the lines speak of; a line that gives no number speaks of one."""
    lines = [event for event in events if event.name in kinds]
    return sum(_number(event.entry.field("records")) for event in lines) if lines else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 1


def _lag(topic: str, groups: Sequence[GroupFacts] | None, broker: BrokerFacts | None) -> int | None:
    """How far the slowest of the groups that should read the topic is behind."""
    facts = broker.topics.get(topic) if broker else None
    lags = [None if facts is None else group.lag(facts) for group in groups or ()]
    known = [lag for lag in lags if lag is not None]
    return max(known) if known and len(known) == len(lags) else None
