"""One topic and all that was read of a session's way through it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from diag.model.events import Event
from diag.model.flow import GroupFlow
from diag.model.records import KafkaRecord
from diag.model.session import Neighbours
from diag.model.topics import BrokerFacts, Reader, TopicFacts, WantedTopic
from diag.model.window import Window
from diag.session.flow.consumption import follow_groups, keep_judged

PRODUCED = {
    "media.publish": "audio-in",
    "media.end_published": "audio-in",
    "reply.published": "audio-out",
    "log.published": "",
}
FAILED = {"media.publish_failed": "audio-in", "reply.publish_failed": "audio-out", "log.publish_failed": ""}
CONSUMED = {"kafka.consume": "audio-in", "reply.played": "audio-out"}
_READERS = {"kafka.reader_start": "audio-out", "kafka.reader_stop": "audio-out"}
ELSEWHERE = {"reply.elsewhere": "audio-out"}
_IMPLIED = {**PRODUCED, **FAILED, **CONSUMED, **_READERS, **ELSEWHERE}


def topic_of(event: Event) -> str:
    """The topic that a line about Kafka speaks of: by its field, else by what it means."""
    return event.entry.field("topic") or event.value("topic") or _IMPLIED.get(event.name, "")


@dataclass(frozen=True, slots=True)
class FlowSources:
    """What the flows of a session are made of.

    Attributes:
        events: its lines.
        neighbours: what was logged around it; None: not read.
        records: those that name it; None: not read.
        gaps: topic -> why not all of its records were looked at.
        broker: None: not asked, or it did not answer.
        span: from the time in the session's ID, or its first line, to its last one.
    """

    events: Sequence[Event]
    neighbours: Neighbours | None = None
    records: Sequence[KafkaRecord] | None = None
    gaps: Mapping[str, str] = field(default_factory=dict)
    wanted: Sequence[WantedTopic] = ()
    broker: BrokerFacts | None = None
    span: Window | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """One topic and what of the session is in it.

    Attributes:
        stored: its records of the session; None: not known.
        judged: those that were there when the broker was asked how far its groups are.
        gap: why not all of its records were looked at; empty if they were.
    """

    name: str
    readers: Sequence[Reader]
    events: Sequence[Event]
    stored: Sequence[KafkaRecord] | None
    judged: Sequence[KafkaRecord]
    groups: Sequence[GroupFlow]
    facts: TopicFacts | None
    gap: str

    @property
    def owners(self) -> tuple[GroupFlow, ...] | None:
        """The groups that should read it; None where one of them is not known, or none is named."""
        known = {group.group: group for group in self.groups if group.owner}
        if not self.readers or any(reader.group not in known for reader in self.readers):
            return None
        return tuple(known.values())


def find_passages(sources: FlowSources) -> Iterator[Passage]:
    """A passage per topic that the session touched or should have."""
    readers = {topic.name: topic.readers for topic in sources.wanted}
    records: defaultdict[str, list[KafkaRecord]] = defaultdict(list)
    for record in sorted(sources.records or (), key=_by_time):
        records[record.topic].append(record)
    lines: defaultdict[str, list[Event]] = defaultdict(list)
    for event in sources.events:
        if event.name in _IMPLIED:
            lines[topic_of(event)].append(event)
    for name in dict.fromkeys((*readers, *records)):
        yield _find_passage(name, readers.get(name, ()), lines[name], records[name], sources)


def _by_time(record: KafkaRecord) -> tuple[int, str, int, int]:
    return record.time_ns, record.topic, record.partition, record.offset


def _find_passage(
    name: str,
    readers: Sequence[Reader],
    events: Sequence[Event],
    records: Sequence[KafkaRecord],
    sources: FlowSources,
) -> Passage:
    facts, gap = sources.broker.topics.get(name) if sources.broker else None, sources.gaps.get(name, "")
    judged = keep_judged(records, facts)
    return Passage(
        name=name,
        readers=readers,
        events=events,
        stored=None if sources.records is None or (gap and not records) else records,
        judged=judged,
        groups=follow_groups(name, judged, readers, sources.broker) if sources.broker else (),
        facts=facts,
        gap=gap,
    )
