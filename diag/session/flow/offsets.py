"""Where records surely were stored: the offsets that lines name, which only a broker can have given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from diag.model.events import Event
from diag.model.numbers import to_number
from diag.model.topics import TopicFacts
from diag.session.flow.passage import CONSUMED, ELSEWHERE, PRODUCED

_READ = frozenset({*CONSUMED, *ELSEWHERE})


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """What one line says was stored from `first` to `last`; other sessions' records may lie between."""

    partition: int
    first: int
    last: int
    records: int

    def count_gone(self, topic: TopicFacts) -> int:
        """The records that the topic surely no longer holds.

        What lies beyond its end is gone, too: the topic was made anew, or cut back.
        """
        begin, end = topic.offsets.get(self.partition, (0, 0))
        held = min(self.last + 1, end) - max(self.first, begin)
        if held == self.last - self.first + 1:
            return 0
        return self.records if held <= 0 else max(1, self.records - held)


def find_ranges(events: Iterable[Event]) -> frozenset[OffsetRange]:
    """What the producer's lines name, each once; what the consumer's do where those name nothing.

    Lines of failure name what the client's message held before it was sent, often 0. A client that does
    not wait for the broker logs that of every message: a place that was written twice is nobody's word.
    """
    produced: defaultdict[OffsetRange, set[int]] = defaultdict(set)
    consumed: set[OffsetRange] = set()
    for event in events:
        if event.name in PRODUCED and (named := range_of(event)) is not None:
            produced[named].add(event.time_ns)
        elif event.name in _READ and (named := range_of(event)) is not None:
            consumed.add(named)
    if produced:
        return frozenset(named for named, times in produced.items() if len(times) == 1)
    return frozenset(consumed)


def range_of(event: Event) -> OffsetRange | None:
    """The offsets that a line names; None if it names none."""
    field = event.entry.field
    partition, first = to_number(field("partition")), to_number(field("first_offset", "offset"))
    last = to_number(field("last_offset")) if field("last_offset") else first
    if partition is None or first is None or last is None or last < first:
        return None
    ends = 1 if first == last else 2
    records = to_number(field("records")) or ends
    return OffsetRange(partition, first, last, max(ends, min(records, last - first + 1)))
