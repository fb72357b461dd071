"""The records of one session, over all topics, bounded by offsets for the window's times."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.structs import TopicPartition

from diag.model.progress import Progress, ignore
from diag.model.records import KafkaRecord
from diag.model.settings import KafkaSettings
from diag.model.window import Window
from diag.sources.kafka.by_hand import fetch_by_hand
from diag.sources.kafka.connection import FETCH_BYTES, open_consumer, to_source_error, within
from diag.sources.kafka.matching import RecordMatcher
from diag.sources.kafka.offsets import Offsets, find_offsets, share_out
from diag.sources.kafka.probe import FAILURES

_POLL_MS = 500
_MOST_AT_ONCE = 20_000
"""Records of one step: between two, progress is told and Ctrl-C is heard."""
_IDLE_ANSWERS = 1.0
"""Reading ends when nothing has come for so many times the time of one answer."""


@dataclass(frozen=True, slots=True)
class TopicCut:
    """A topic of which not all was looked at."""

    topic: str
    looked_at: int
    in_window: int


@dataclass(frozen=True, slots=True)
class RecordsRead:
    """A session's records and what was looked at to find them.

    Attributes:
        looked_at: records read in all.
        cut: topics that were not read to their end.
        problem: why the reading stopped, with what to do; empty where only the bound on records cut it.
        denied: topics that may not be read.
        misnamed: records with a header whose name is not UTF-8, as evidence names them. They were read; many
            a client can not, nor what stands behind them in their batch.
    """

    records: tuple[KafkaRecord, ...] = ()
    looked_at: int = 0
    cut: tuple[TopicCut, ...] = ()
    problem: str = ""
    denied: tuple[str, ...] = ()
    misnamed: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every record of the window was looked at."""
        return not self.cut


async def read_records(
    settings: KafkaSettings,
    window: Window,
    ids: frozenset[str],
    id_keys: frozenset[str],
    progress: Progress = ignore,
) -> RecordsRead:
    """The window's records that name one of `ids`, and those that lost their ID and name nobody.

    A broker that fails once the reading has begun costs the rest, never what was read. Raises
    `SourceError` before that.

    Args:
        settings: where the broker is, and how many records may be looked at.
        window: by the records' own timestamps.
        ids: session IDs.
        id_keys: names of headers and JSON fields that hold session IDs.
        progress: told how many records were looked at, of how many.
    """
    async with open_consumer(settings) as consumer:
        offsets = await within(find_offsets(consumer, window), settings)
        if not offsets:
            return RecordsRead()
        reading = _Reading(share_out(offsets, settings.max_records), RecordMatcher(ids, id_keys))
        problem = await _read_to_the_end(reading, consumer, settings, progress)
    return RecordsRead(
        records=tuple(
            sorted(reading.found, key=lambda one: (one.time_ns, one.topic, one.partition, one.offset))
        ),
        looked_at=reading.looked_at,
        cut=_find_cuts(offsets, reading.positions),
        problem=problem,
        denied=tuple(sorted(reading.denied)),
        misnamed=tuple(f"{one.topic}/{one.partition}@{offset}" for one, offset in sorted(reading.misnamed)),
    )


@dataclass(slots=True)
class _Reading:
    """How far it is: the next offset of each partition."""

    limits: Offsets
    matcher: RecordMatcher
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    found: list[KafkaRecord] = field(default_factory=list)
    looked_at: int = 0
    denied: set[str] = field(default_factory=set)
    misnamed: list[tuple[TopicPartition, int]] = field(default_factory=list)
    by_hand: bool = False
    """Whether the library has met a record that it can not read."""

    def __post_init__(self) -> None:
        self.positions = {one: start for one, (start, _) in self.limits.items()}

    def unread(self) -> list[TopicPartition]:
        """The partitions that have more."""
        return [
            one
            for one, position in self.positions.items()
            if position < self.limits[one][1] and one.topic not in self.denied
        ]

    def take(self, one: TopicPartition, messages: Sequence[Any]) -> None:
        """Look at what came of a partition."""
        limit = self.limits[one][1]
        wanted = [message for message in messages if message.offset < limit]
        self.looked_at += len(wanted)
        self.found += (record for message in wanted if (record := self.matcher.match(message)))


async def _read_to_the_end(
    reading: _Reading, consumer: AIOKafkaConsumer, settings: KafkaSettings, progress: Progress
) -> str:
    """Read each partition to its limit; why that was not possible, in words, or empty."""
    total = sum(end - start for start, end in reading.limits.values())
    try:
        consumer.assign(reading.unread())
        for one in reading.unread():
            consumer.seek(one, reading.positions[one])
        idle_s = settings.timeout_s * _IDLE_ANSWERS
        idle_until = asyncio.get_running_loop().time() + idle_s
        while unread := reading.unread():
            progress(f"reading Kafka: {reading.looked_at:,} of {total:,} records")
            moved = await _read_step(reading, consumer, unread, settings.timeout_s)
            now = asyncio.get_running_loop().time()
            if moved:
                idle_until = now + idle_s
            elif now > idle_until:
                return f"Kafka at {settings.bootstrap} stopped sending records; try again"
    except FAILURES as error:
        failure = to_source_error(error, settings)
        return f"{failure}; {failure.hint}"
    return ""


async def _read_step(
    reading: _Reading, consumer: AIOKafkaConsumer, unread: list[TopicPartition], timeout_s: float
) -> bool:
    """Some records; whether any partition came further (what is no record has an offset, too)."""
    before = dict(reading.positions)
    try:
        if reading.by_hand:
            await _read_by_hand(reading, consumer, unread, timeout_s)
        else:
            await _read_batches(reading, consumer, unread)
    except TopicAuthorizationFailedError as error:
        # One topic that may not be read costs no other one.
        reading.denied.update(map(str, error.args))
        consumer.pause(*(one for one in unread if one.topic in reading.denied))
        return bool(error.args)
    except UnicodeDecodeError:
        # A header's name. Whose is not said, and what else came in the same call is forgotten.
        reading.by_hand = True
        consumer.pause(*unread)
        return True
    return reading.positions != before


async def _read_batches(reading: _Reading, consumer: AIOKafkaConsumer, unread: list[TopicPartition]) -> None:
    batches: Mapping[TopicPartition, list[Any]] = await consumer.getmany(
        timeout_ms=_POLL_MS, max_records=_MOST_AT_ONCE
    )
    for one, messages in batches.items():
        reading.take(one, messages)
    for one in unread:
        reading.positions[one] = min(await consumer.position(one), reading.limits[one][1])
        if reading.positions[one] == reading.limits[one][1]:
            consumer.pause(one)


async def _read_by_hand(
    reading: _Reading, consumer: AIOKafkaConsumer, unread: list[TopicPartition], timeout_s: float
) -> None:
    for one in unread:
        records, position = await fetch_by_hand(
            consumer, one, reading.positions[one], most_bytes=FETCH_BYTES, timeout_s=timeout_s
        )
        limit = reading.limits[one][1]
        reading.take(one, records)
        reading.misnamed += [
            (one, record.offset) for record in records if record.misnamed and record.offset < limit
        ]
        reading.positions[one] = min(position, limit)


def _find_cuts(offsets: Offsets, positions: Mapping[TopicPartition, int]) -> tuple[TopicCut, ...]:
    """The topics that were not read to their end, by name."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one, (start, end) in offsets.items():
        sums[one.topic][0] += positions[one] - start
        sums[one.topic][1] += end - start
    return tuple(TopicCut(topic, read, of) for topic, (read, of) in sorted(sums.items()) if read < of)
