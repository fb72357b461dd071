"""Where records surely were stored: the offsets that lines name, which only a broker can have given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diag.model.events import Event
from diag.model.topics import TopicFacts
from diag.session.passage import PRODUCED

_LONGEST = 18
"""Digits: a number of Kafka's has 64 bits."""


@dataclass(frozen=True, slots=True)
class Stretch:
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


def find_stretches(events: Iterable[Event]) -> frozenset[Stretch]:
    """What the producer's lines name, each once; what the consumer's do where those name nothing."""
    produced: set[Stretch] = set()
    consumed: set[Stretch] = set()
    for event in events:
        stretch = _to_stretch(event)
        if stretch is not None:
            (produced if event.name in PRODUCED else consumed).add(stretch)
    return frozenset(produced or consumed)


def _to_stretch(event: Event) -> Stretch | None:
    field = event.entry.field
    partition, first = to_number(field("partition")), to_number(field("first_offset", "offset"))
    last = to_number(field("last_offset")) if field("last_offset") else first
    if partition is None or first is None or last is None or last < first:
        return None
    ends = 1 if first == last else 2
    records = to_number(field("records")) or ends
    return Stretch(partition, first, last, max(ends, min(records, last - first + 1)))


def to_number(text: str) -> int | None:
    """A number from a log, which may hold anything; None if it is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _LONGEST else None
