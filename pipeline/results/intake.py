"""Consumes the logging topics as one member of a group: store first, commit after.

The member asks for those of the topics that exist, and joins anew when one comes or goes, so that a
topic that was forgotten is read from its first record on, without a restart. A store that holds nothing
of a partition reads it from the beginning, whatever the group committed: after the loss of its volume
the service has again what the topics still have.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter

from pipeline.results.core import TOPICS, Place, StoredStage, read_stage_record
from pipeline.results.store import RefusedRecord, Store, StoreThread
from pipeline.wire import environment
from pipeline.wire.kafka import KafkaPublisher, describe, stop_bounded
from pipeline.wire.kafka_reading import read_records
from pipeline.wire.log_lines import Log
from pipeline.wire.records import RESULTS_GROUP, RecordError

_POLL_MS = 500
_LARGEST_FETCH_BYTES = 1024 * 1024
_JOIN_TIMEOUT_S = 30.0
_PAUSE_S = 1.0


class ResultsIntake:
    """Takes records from Kafka into the store; `run` is to be a task of the process."""

    def __init__(
        self,
        kafka: environment.Kafka,
        link: KafkaPublisher,
        store: StoreThread,
        registry: CollectorRegistry,
        log: Log,
    ) -> None:
        self._kafka = kafka
        self._link = link
        self._store = store
        self._log = log
        self._records = Counter(
            "voice_results_records_total",
            "Records read, by what became of them",
            ["outcome"],
            registry=registry,
        )
        self._reading: frozenset[str] = frozenset()

    @property
    def ready(self) -> bool:
        """Whether every topic that exists is read."""
        return self._link.connected and self._reading == self._existing

    async def run(self) -> None:
        """Join, store, join again, until cancelled."""
        while True:
            await self._link.wait_connected()
            topics = self._existing
            if topics:
                await self._read(topics)
            await asyncio.sleep(_PAUSE_S)

    @property
    def _existing(self) -> frozenset[str]:
        return self._link.topics.intersection(TOPICS)

    async def _read(self, topics: frozenset[str]) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka.bootstrap,
            client_id=self._kafka.client_id,
            group_id=RESULTS_GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_LARGEST_FETCH_BYTES,
        )
        consumer.subscribe(list(topics))
        try:
            async with asyncio.timeout(_JOIN_TIMEOUT_S):
                await consumer.start()
            self._reading = topics
            await self._consume(consumer)
        except (KafkaError, TimeoutError, OSError) as error:
            self._log.write("results-reading-failed", error=describe(error))
        except sqlite3.Error as error:
            self._log.write("results-not-stored", error=str(error))
        finally:
            self._reading = frozenset()
            # aiokafka 0.14 leaves stop() half way where the broker is gone; its client would live on
            await stop_bounded(consumer.stop())
            await stop_bounded(consumer._client.close())  # noqa: SLF001 - nothing public closes it

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        begun: frozenset[TopicPartition] = frozenset()
        while self._link.connected and self._existing == self._reading:
            assigned = consumer.assignment()
            if assigned != begun:
                await self._begin(consumer, assigned - begun)
                begun = assigned
            records = [record async for record in read_records(consumer, _POLL_MS)]
            if records:
                await self._take(records)
                await consumer.commit()

    async def _begin(self, consumer: AIOKafkaConsumer, assigned: frozenset[TopicPartition]) -> None:
        """Before anything of them is taken. Not in a listener: aiokafka waits for that one to seek at all."""
        for place in sorted(assigned):
            if await self._store.ask(Store.is_new, place.topic, place.partition):
                await consumer.seek_to_beginning(place)
        topics = sorted({place.topic for place in assigned})
        self._log.write("results-reading", topics=topics, group=RESULTS_GROUP, partitions=len(assigned))

    async def _take(self, records: Iterable[ConsumerRecord]) -> None:
        stages: list[StoredStage] = []
        refused: list[RefusedRecord] = []
        for record in records:
            place = Place(record.topic, record.partition, record.offset, record.timestamp)
            try:
                meaning = read_stage_record(record.topic, record.key, record.value, record.headers)
            except RecordError as error:
                value = record.value or b""
                refused.append(RefusedRecord(place, str(error), len(value), value))
            else:
                stages.append(StoredStage(place, meaning))
        await self._store.ask(Store.add, stages, refused)
        self._records.labels("stored").inc(len(stages))
        self._records.labels("refused").inc(len(refused))
        self._tell(stages, refused)

    def _tell(self, stages: Iterable[StoredStage], refused: Iterable[RefusedRecord]) -> None:
        for stored in stages:
            record = stored.record
            turn_id = record.turn_id or None
            log = self._log.bind(record.trace, session_id=record.session_id, turn_id=turn_id)
            log.write("result-stored", stage=record.stage, **_to_fields(stored.place))
        for one in refused:
            self._log.write("record-refused", **_to_fields(one.place), error=one.reason)


def _to_fields(place: Place) -> dict[str, str | int]:
    return {"topic": place.topic, "partition": place.partition, "offset": place.offset}
