"""Reads the whole of one topic, without a group: every process that follows it gets every record.

A group shares records out; this is for what all replicas of a service must know. Nothing is
committed, since the position is the process's own. A new process begins a bounded time ago, so that it
learns what the others have told before it was there; who told it tells it again well within that time.
After a lost connection it goes on where it was: nothing is missed, and nothing is acted upon twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.wire import environment
from pipeline.wire.kafka import UNKNOWN_TOPIC, KafkaPublisher, PublishError, describe
from pipeline.wire.kafka_consumer import ConsumedRecord, stop_consumer, to_consumed
from pipeline.wire.kafka_reading import read_records

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
    """Follows `topic` from `reach_s` before its first connection. `run` is to be a task of the process."""

    def __init__(
        self,
        kafka: environment.Kafka,
        link: KafkaPublisher,
        topic: str,
        events: FollowerEvents,
        *,
        reach_s: float,
    ) -> None:
        self._kafka = kafka
        self._link = link
        self._topic = topic
        self._events = events
        self._reach_s = reach_s
        self._next: dict[TopicPartition, int] = {}
        self._settled = False

    @property
    def settled(self) -> bool:
        """Whether all that stood in the topic when following began has been read, or there is no topic."""
        return self._settled

    async def run(self) -> None:
        """Follow, and connect anew where it fails, until cancelled."""
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
            ends: Mapping[TopicPartition, int] = await consumer.end_offsets(places)
            await self._find_beginnings(consumer, ends)
        for place in places:
            consumer.seek(place, self._next[place])
        # partitions that are added, or a topic that is deleted, ask for a new beginning
        while self._link.connected and self._link.partitions_of(self._topic) == partitions:
            async for record in read_records(consumer, _POLL_MS):
                self._events.take(to_consumed(record))
                self._next[TopicPartition(record.topic, record.partition)] = record.offset + 1
            if not self._settled:
                self._settled = all([await consumer.position(p) >= end for p, end in ends.items()])

    async def _find_beginnings(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        """Where to go on in each partition; one that ends before that place was made anew."""
        since_ms = round((time.time() - self._reach_s) * 1000)
        by_time = await consumer.offsets_for_times(dict.fromkeys(ends, since_ms))
        for place, end in ends.items():
            found = by_time.get(place)
            recent = end if found is None else found.offset
            known = self._next.get(place, recent)
            self._next[place] = known if known <= end else recent
