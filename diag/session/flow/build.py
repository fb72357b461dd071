"""What passed through Kafka for one session: lines on one side, stored records on the other.

Lines that speak of success or failure prove neither: only records and offsets decide. What the
producer's lines count stands beside what is stored; a record is consumed if the group that should
read its topic has committed an offset behind it (what that proves: ``consumption``), expired if it
surely was stored and is gone (``expiry``). A consumer's lines may speak of whole utterances, so they
are a note and no number. Whatever is not known says so in a note.
"""

from __future__ import annotations

from collections.abc import Iterable

from diag.model.events import Event
from diag.model.flow import RecordOrder, TopicFlow
from diag.model.instants import NS_PER_S
from diag.model.numbers import to_number
from diag.model.topics import BrokerFacts
from diag.session.flow.consumption import count_by_other, count_consumed
from diag.session.flow.expiry import Expiry, find_expired
from diag.session.flow.passage import PRODUCED, FlowSources, Passage, find_passages
from diag.session.flow.readers import find_reader_end
from diag.session.flow.remarks import describe_passage
from diag.session.flow.sending import find_order


def build_flows(sources: FlowSources) -> tuple[TopicFlow, ...]:
    """One row per topic that the session touched or should have."""
    return tuple(_build_flow(topic, sources) for topic in find_passages(sources))


def _build_flow(topic: Passage, sources: FlowSources) -> TopicFlow:
    stored, order = topic.stored, _find_order(topic)
    lines = [event for event in topic.events if event.name in PRODUCED]
    produced = count_records(lines) if lines else None
    consumed = None if stored is None else count_consumed(topic.judged, topic.owners or ())
    expiry = _find_expiry(topic, produced, sources)
    return TopicFlow(
        topic=topic.name,
        produced=produced,
        stored=None if stored is None else len(stored),
        consumed=consumed,
        consumed_by_other=_count_by_other(topic, sources.broker),
        lagging=None if consumed is None else len(topic.judged) - consumed,
        expired=expiry.records,
        lag=_lag(topic, sources.broker),
        partitions=tuple(sorted({record.partition for record in stored or ()})),
        notes=tuple(filter(None, (*describe_passage(topic, order, sources), expiry.note))),
        records=tuple(stored or ()),
        groups=tuple(topic.groups),
        order=order,
        complete=not topic.gap and stored is not None,
    )


def _find_expiry(topic: Passage, produced: int | None, sources: FlowSources) -> Expiry:
    """What is gone; not asked where nobody looked at what is there."""
    if topic.stored is None:
        return Expiry()
    missing = None if produced is None or topic.gap else produced - len(topic.stored)
    return find_expired(topic.name, sources.broker, topic.events, sources.span, missing)


def _find_order(topic: Passage) -> RecordOrder:
    """Two pods that write to one topic for one session have two clocks."""
    writers = {event.entry.pod for event in topic.events if event.name in PRODUCED and event.entry.pod}
    return find_order(topic.stored or (), one_writer=len(writers) < 2)


def _count_by_other(topic: Passage, broker: BrokerFacts | None) -> int | None:
    """None where records or the topic's own readers are not known, or a group kept its commits to itself."""
    if topic.stored is None or broker is None or not topic.readers:
        return None
    if not all(group.commits_known for group in broker.groups.values()):
        return None
    return count_by_other(topic.judged, topic.groups, find_reader_end(topic.events))


def _lag(topic: Passage, broker: BrokerFacts | None) -> int | None:
    """How far the slowest of the groups that should read the topic is behind, where the session is."""
    owners = topic.owners
    if broker is None or owners is None:
        return None
    if topic.judged:
        lags = [group.lag for group in owners]
    else:
        lags = [broker.groups[group.group].lag(topic.facts) if topic.facts else None for group in owners]
    known = [lag for lag in lags if lag is not None]
    return max(known) if known and len(known) == len(lags) else None


def count_records(lines: Iterable[Event]) -> int:
    """Records that lines speak of: one where a line gives no number, none where it came once before.

    Of two lines that are alike in whole seconds nobody knows whether they are one.
    """
    once = {_told_by(line, place): line for place, line in enumerate(lines)}
    numbers = (to_number(line.entry.field("records")) for line in once.values())
    return sum(1 if number is None else number for number in numbers)


def _told_by(line: Event, place: int) -> tuple[object, ...]:
    """What a second copy of the line has as well."""
    entry = line.entry
    if line.time_ns % NS_PER_S == 0:
        return (place,)
    fields = tuple((name, str(value)) for name, value in entry.fields.items())
    return line.time_ns, entry.pod, entry.message, entry.ids, fields
