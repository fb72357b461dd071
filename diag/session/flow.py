"""What passed through Kafka for one session: lines on one side, stored records on the other.

Lines that speak of success or failure prove neither: only records and offsets decide. Both are
shown side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from diag.model.records import KafkaRecord
from diag.model.session import Event, TopicFlow
from diag.model.topics import BrokerFacts, WantedTopic

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
    names = dict.fromkeys(topic.name for topic in wanted)
    names |= dict.fromkeys(record.topic for record in records or ())
    return tuple(_build_flow(name, events, records, broker) for name in names)


def _build_flow(
    topic: str, events: Sequence[Event], records: Sequence[KafkaRecord] | None, broker: BrokerFacts | None
) -> TopicFlow:
    own = [event for event in events if topic_of(event) == topic]
    stored = None if records is None else tuple(record for record in records if record.topic == topic)
    failed = sum(event.name in _FAILED for event in own)
    notes = [f"{failed} lines of failed publishing"] if failed else []
    if broker is not None and topic not in broker.topics:
        notes.append("does not exist on the broker")
    return TopicFlow(
        topic=topic,
        produced=_count(own, _PRODUCED),
        stored=None if stored is None else len(stored),
        consumed=_count(own, _CONSUMED),
        lag=_lag(topic, broker),
        partitions=tuple(sorted(Counter(record.partition for record in stored or ()))),
        notes=tuple(notes),
        records=stored or (),
    )


def _count(events: Iterable[Event], kinds: Iterable[str]) -> int | None:
    """Records that the lines speak of; a line that gives no number speaks of one."""
    lines = [event for event in events if event.name in kinds]
    return sum(_number(event.entry.field("records")) for event in lines) if lines else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 1


def _lag(topic: str, broker: BrokerFacts | None) -> int | None:
    facts = broker.topics.get(topic) if broker else None
    if broker is None or facts is None:
        return None
    lags = [lag for group in broker.groups.values() if (lag := group.lag(facts)) is not None]
    return max(lags, default=None)
