"""Records that the client library cannot read are passed over, and nothing else is lost by them."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from pipeline.results.core import read_stage_record
from pipeline.wire.kafka_reading import read_records
from pipeline.wire.records import RecordError, read_audio_in, read_reply_audio, read_session_event

ONE, TWO = TopicPartition("audio-in", 0), TopicPartition("audio-in", 1)
BAD = "a record in a batch that cannot be read from here on"


class FakeConsumer:
    """Two partitions; at `BAD` it raises, as aiokafka does."""

    def __init__(self, **logs: list[str]) -> None:
        self.logs = {ONE: logs["one"], TWO: logs["two"]}
        self.positions = {ONE: 0, TWO: 0}

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self.logs)

    async def position(self, place: TopicPartition) -> int:
        return self.positions[place]

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.positions[place] = offset

    async def getmany(self, *places: TopicPartition, timeout_ms: int, max_records: int) -> dict:
        assert max_records == 1
        for place in places or self.logs:
            offset, log = self.positions[place], self.logs[place]
            if offset < len(log):
                if log[offset] == BAD:
                    raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
                self.positions[place] = offset + 1
                about = {"topic": place.topic, "partition": place.partition, "offset": offset}
                return {place: [SimpleNamespace(**about, value=log[offset])]}
        return {}


async def _read_all(consumer: FakeConsumer) -> list[ConsumerRecord]:
    found: list[ConsumerRecord] = []
    while news := [record async for record in read_records(consumer, 0)]:
        found += news
    return found


async def test_a_record_that_cannot_be_read_is_passed_over() -> None:
    """In each partition all others come, in their order, and its own place is told."""
    consumer = FakeConsumer(one=["a", BAD, BAD, "b", BAD], two=["c", BAD, "d", "e"])
    found = await _read_all(consumer)

    for place, log in consumer.logs.items():
        its = [record for record in found if record.partition == place.partition]
        assert [record.offset for record in its] == list(range(len(log)))
        assert [record.value or BAD for record in its] == log


@pytest.mark.parametrize(
    "read", [read_audio_in, read_reply_audio, read_session_event, partial(read_stage_record, "llm-requests")]
)
async def test_whoever_reads_it_is_told_why_it_cannot(read) -> None:
    """It is refused as every other foreign record, and for its own reason."""
    (record,) = await _read_all(FakeConsumer(one=[BAD], two=[]))

    with pytest.raises(RecordError, match="header is not UTF-8"):
        read(record.key, record.value, record.headers)


async def test_many_are_taken_in_pieces() -> None:
    """What is done is committed in between."""
    consumer = FakeConsumer(one=["a"] * 800, two=["b"] * 300)

    assert len([record async for record in read_records(consumer, 0)]) == 500
    assert len(await _read_all(consumer)) == 600
