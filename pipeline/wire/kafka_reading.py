"""Reads what has come in Kafka, and past what the client library cannot read.

A broker takes headers whose names are not UTF-8. aiokafka 0.14 raises at such a record whenever its batch is
read, and forgets what it has read for other partitions in the same call. So records are taken from it one by
one, and the record that it cannot read is passed over, with what stands behind it in its batch. A batch is of
one producer, so nothing of ours is lost by it: what is lost is of who wrote the bad record.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from pipeline.wire.records import RecordError

_MOST_RECORDS = 500


class UnreadableHeaders:
    """In place of the headers of a record that cannot be read; whoever reads them is told so."""

    def __iter__(self) -> Iterator[tuple[str, bytes | None]]:
        raise RecordError("the name of a header is not UTF-8, here or before it in its batch")


async def read_records(consumer: AIOKafkaConsumer, timeout_ms: int) -> AsyncIterator[ConsumerRecord]:
    """What has come, a few hundred records at most; one that cannot be read has `UnreadableHeaders`.

    Each is handed on before the next is taken: none is in hand while partitions go to another member.
    """
    wait_ms = timeout_ms
    try:
        for _ in range(_MOST_RECORDS):
            news = await _take_one(consumer, wait_ms)
            if not news:
                return
            wait_ms = 0
            for record in news:
                yield record
    except UnicodeDecodeError:  # it is the next one of some partition
        for place in sorted(consumer.assignment()):
            async for record in _read_past(consumer, place, timeout_ms):
                yield record


async def _read_past(
    consumer: AIOKafkaConsumer, place: TopicPartition, timeout_ms: int
) -> AsyncIterator[ConsumerRecord]:
    """The records that cannot be read now in one partition, and the first one behind them."""
    for _ in range(_MOST_RECORDS):
        try:
            news = await _take_one(consumer, timeout_ms, place)
        except UnicodeDecodeError:
            offset = await consumer.position(place)
            consumer.seek(place, offset + 1)
            yield _unreadable(place, offset)
        else:
            for record in news:
                yield record
            return


async def _take_one(
    consumer: AIOKafkaConsumer, timeout_ms: int, *places: TopicPartition
) -> list[ConsumerRecord]:
    batches = await consumer.getmany(*places, timeout_ms=timeout_ms, max_records=1)
    return [record for records in batches.values() for record in records]


def _unreadable(place: TopicPartition, offset: int) -> ConsumerRecord:
    return ConsumerRecord(
        topic=place.topic,
        partition=place.partition,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=None,
        value=None,
        checksum=None,
        serialized_key_size=-1,
        serialized_value_size=-1,
        headers=UnreadableHeaders(),
    )
