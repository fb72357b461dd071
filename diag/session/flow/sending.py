"""The order in which a session's records were sent, as against the order in which they lie.

When a record was sent is told by its producer: a header ``timestamp`` (nanoseconds, other units by
their digits, or RFC 3339), or, where no record has one, a header with a sequence number. Times of
different producers are not comparable, so records are compared key by key (a session's records of one
topic have one producer) and not at all where lines show two writers. Within a partition offsets say how
records lie; over partitions nothing does but the records' own times, and consumers see those as they
come. Equal times are no inversion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from diag.model.flow import Inversion, RecordOrder
from diag.model.identifiers import UNIT_BY_DIGITS, is_lost
from diag.model.instants import parse_instant
from diag.model.numbers import to_number
from diag.model.records import KafkaRecord

_TIME_HEADERS = frozenset({"timestamp", "event_timestamp", "event-timestamp"})
_NUMBER_HEADERS = frozenset({"seq", "sequence", "sequence-number", "sequence_number"})
_MOST_EXAMPLES = 3
_COUNTS_FROM = 1


def sent_ns(record: KafkaRecord) -> int | None:
    """When its producer says that it was sent; None where no header says."""
    text = _header(record, _TIME_HEADERS)
    if text.isdecimal() and text.isascii():
        unit = UNIT_BY_DIGITS.get(len(text))
        return None if unit is None else int(text) * unit[1]
    return parse_instant(text)


def _number(record: KafkaRecord) -> int | None:
    return to_number(_header(record, _NUMBER_HEADERS))


def _header(record: KafkaRecord, names: frozenset[str]) -> str:
    return next((text.strip() for name, text in record.headers if name.lower() in names), "")


def find_order(records: Iterable[KafkaRecord], *, one_writer: bool = True) -> RecordOrder:
    """How the records of one topic lie; `one_writer` False: their times can not be compared."""
    by_key: defaultdict[str, list[KafkaRecord]] = defaultdict(list)
    for record in records:
        if record.key and not is_lost(record.key):  # a lost key is many sessions'
            by_key[record.key].append(record)
    told = [(own, sent) for _, own in sorted(by_key.items()) if one_writer and (sent := _find_clock(own))]
    within = [one for own, sent in told for one in _find_within(own, sent)]
    across = [one for own, sent in told for one in _find_across(own, sent)]
    return RecordOrder(
        inversions=len(within) if told else None,
        across=len(across) if told else None,
        examples=(*within[:_MOST_EXAMPLES], *across[:_MOST_EXAMPLES])[:_MOST_EXAMPLES],
        spread={
            key: partitions
            for key, own in sorted(by_key.items())
            if len(partitions := tuple(sorted({one.partition for one in own}))) > 1
        },
    )


Sent = Callable[[KafkaRecord], int]


def _find_clock(records: Sequence[KafkaRecord]) -> Sent | None:
    """What tells when each of `records` was sent; None where they do not all have it.

    Numbers that come twice, or begin anew in the middle, count something smaller, and tell nothing.
    """
    times = {record.ref: time for record in records if (time := sent_ns(record)) is not None}
    if len(times) == len(records):
        return lambda record: times[record.ref]
    numbers = {record.ref: number for record in records if (number := _number(record)) is not None}
    if times or len(numbers) < len(records) or len(set(numbers.values())) < len(numbers):
        return None
    first = min(records, key=_written)
    if numbers[first.ref] > _COUNTS_FROM >= min(numbers.values()):
        return None
    return lambda record: numbers[record.ref]


def _find_within(records: Sequence[KafkaRecord], sent: Sent) -> Iterator[Inversion]:
    lying = sorted(records, key=lambda record: (record.partition, record.offset))
    for _, own in groupby(lying, key=lambda record: record.partition):
        yield from _find_behind(own, sent)


def _find_across(records: Sequence[KafkaRecord], sent: Sent) -> Iterator[Inversion]:
    """Records written later, by their own time, than one of another partition that was sent later."""
    latest = _LatestSent(sent)
    for _, at_once in groupby(sorted(records, key=_written), key=lambda one: one.time_ns):
        together = tuple(at_once)
        for record in together:
            before = latest.outside(record.partition)
            if before is not None and sent(before) > sent(record):
                yield Inversion(record, before)
        for record in together:
            latest.add(record)


def _written(record: KafkaRecord) -> tuple[int, int, int]:
    return record.time_ns, record.partition, record.offset


class _LatestSent:
    """The record that was sent last, and the last one of any other partition."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._two: list[KafkaRecord] = []

    def add(self, record: KafkaRecord) -> None:
        both = sorted((record, *self._two), key=lambda one: (self._sent(one), one.ref), reverse=True)
        by_partition: dict[int, KafkaRecord] = {}
        for one in both:
            by_partition.setdefault(one.partition, one)
        self._two = list(by_partition.values())[:2]

    def outside(self, partition: int) -> KafkaRecord | None:
        """The one that was sent last of another partition than this."""
        return next((one for one in self._two if one.partition != partition), None)


def _find_behind(records: Iterable[KafkaRecord], sent: Sent) -> Iterator[Inversion]:
    latest: KafkaRecord | None = None
    for record in records:
        if latest is not None and sent(latest) > sent(record):
            yield Inversion(record, latest)
        else:
            latest = record
