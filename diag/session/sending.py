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

from diag.model.flow import Inversion, RecordOrder
from diag.model.identifiers import is_lost
from diag.model.instants import NS_PER_MS, NS_PER_S, NS_PER_US, parse_instant
from diag.model.numbers import to_number
from diag.model.records import KafkaRecord

_TIME_HEADERS = frozenset({"timestamp", "event_timestamp", "event-timestamp"})
_NUMBER_HEADERS = frozenset({"seq", "sequence", "sequence-number", "sequence_number"})
_NS_PER_UNIT = {10: NS_PER_S, 13: NS_PER_MS, 16: NS_PER_US, 19: 1}
_MOST_EXAMPLES = 3
_COUNTS_FROM = 1


def sent_ns(record: KafkaRecord) -> int | None:
    """When its producer says that it was sent; None where no header says."""
    text = _header(record, _TIME_HEADERS)
    if text.isdecimal() and text.isascii():
        unit = _NS_PER_UNIT.get(len(text))
        return None if unit is None else int(text) * unit
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
    within: list[Inversion] | None = None
    across: list[Inversion] | None = None
    for key in sorted(by_key) if one_writer else ():
        sent = _find_clock(by_key[key])
        if sent is not None:
            within = [*(within or ()), *_find_within(by_key[key], sent)]
            across = [*(across or ()), *_find_across(by_key[key], sent)]
    return RecordOrder(
        inversions=None if within is None else len(within),
        across=None if across is None else len(across),
        examples=(*(within or ())[:_MOST_EXAMPLES], *(across or ())[:_MOST_EXAMPLES])[:_MOST_EXAMPLES],
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
    first = min(records, key=lambda record: (record.time_ns, record.partition, record.offset))
    if numbers[first.ref] > _COUNTS_FROM >= min(numbers.values()):
        return None
    return lambda record: numbers[record.ref]


def _find_within(records: Sequence[KafkaRecord], sent: Sent) -> Iterator[Inversion]:
    for partition in sorted({record.partition for record in records}):
        own = [record for record in records if record.partition == partition]
        yield from _find_behind(sorted(own, key=lambda record: record.offset), sent)


def _find_across(records: Sequence[KafkaRecord], sent: Sent) -> Iterator[Inversion]:
    """Records written later, by their own time, than one of another partition that was sent later."""
    latest: dict[int, KafkaRecord] = {}
    waiting: list[KafkaRecord] = []
    for record in sorted(records, key=lambda one: (one.time_ns, one.partition, one.offset)):
        if waiting and waiting[0].time_ns < record.time_ns:
            _keep_latest(latest, waiting, sent)
            waiting = []
        others = (one for partition, one in latest.items() if partition != record.partition)
        before = max(others, key=lambda one: (sent(one), one.ref), default=None)
        if before is not None and sent(before) > sent(record):
            yield Inversion(record, before)
        waiting.append(record)


def _keep_latest(latest: dict[int, KafkaRecord], records: Iterable[KafkaRecord], sent: Sent) -> None:
    for record in records:
        known = latest.get(record.partition)
        if known is None or sent(record) > sent(known):
            latest[record.partition] = record


def _find_behind(records: Iterable[KafkaRecord], sent: Sent) -> Iterator[Inversion]:
    latest: KafkaRecord | None = None
    for record in records:
        if latest is not None and sent(latest) > sent(record):
            yield Inversion(record, latest)
        else:
            latest = record
