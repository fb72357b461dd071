"""Reads the whole of one topic, without a group: every process that follows it gets every record.

A group shares records out; this is for what all replicas of a service must know. Nothing is
committed, since the position is the process's own: it begins at the oldest record that is kept, so
that a new replica learns what the others have told before it was there.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.wire import environment
from pipeline.wire.kafka import UNKNOWN_TOPIC, KafkaPublisher, PublishError, describe
from pipeline.wire.kafka_consumer import ConsumedRecord, stop_consumer, to_consumed

_POLL_MS = 200
_PAUSE_S = 1.0
_START_TIMEOUT_S = 15.0


class FollowerEvents(Protocol):
    """What a service does with what it follows."""

    def take(self, record: ConsumedRecord) -> None:
        """Take a record in."""
        ...

    def failed(self, error: str) -> None:
        """Following has failed; it is tried again."""
        ...


class KafkaFollower:
    """Follows `topic`. `run` is to be a task of the process."""

    def __init__(
        self, kafka: environment.Kafka, link: KafkaPublisher, topic: str, events: FollowerEvents
    ) -> None:
        self._kafka = kafka
        self._link = link
        self._topic = topic
        self._events = events
        self._settled = False

    @property
    def settled(self) -> bool:
        """Whether all that stood in the topic when following began has been read, or there is no topic."""
        return self._settled

    async def run(self) -> None:
        """Follow, and begin anew where it fails, until cancelled."""
        while True:
            await self._link.wait_connected()
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._kafka.bootstrap,
                client_id=self._kafka.client_id,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
            try:
                await self._follow(consumer)
            except (KafkaError, PublishError, TimeoutError, OSError) as error:
                self._events.failed(str(error) if isinstance(error, PublishError) else describe(error))
            finally:
                await stop_consumer(consumer)
            await asyncio.sleep(_PAUSE_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        partitions = await self._link.find_partitions(self._topic)
        if not partitions:
            self._settled = True
            raise PublishError(UNKNOWN_TOPIC)
        places = [TopicPartition(self._topic, partition) for partition in sorted(partitions)]
        async with asyncio.timeout(_START_TIMEOUT_S):
            await consumer.start()
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
        while self._link.connected:
            batches = await consumer.getmany(timeout_ms=_POLL_MS)
            for records in batches.values():
                for record in records:
                    self._events.take(to_consumed(record))
            if not self._settled:
                self._settled = all([await consumer.position(p) >= end for p, end in ends.items()])
