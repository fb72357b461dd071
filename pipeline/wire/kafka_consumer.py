"""Consumes one topic as a member of a group; offsets are committed after the records were taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.wire import environment
from pipeline.wire.kafka import NOT_CONNECTED, KafkaPublisher, describe, stop_bounded
from pipeline.wire.records import GivenHeaders

_POLL_MS = 500
_JOIN_TIMEOUT_S = 30.0
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class ConsumedRecord:
    """One record as it stands in Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: GivenHeaders


class ConsumerEvents(Protocol):
    """What a service does with its consumer."""

    def take(self, record: ConsumedRecord) -> None:
        """Take a record in; it is committed afterwards."""
        ...

    def assigned(self, partitions: tuple[int, ...]) -> None:
        """The group has given this member `partitions`, maybe none."""
        ...

    def failed(self, error: str) -> None:
        """Consuming has failed; it is tried again."""
        ...


class KafkaConsumer:
    """One member of `group` on `topic`. `run` is to be a task of the process.

    Consuming goes with the connection that `link` keeps: it ends when that is lost and begins anew
    when it is back.
    """

    def __init__(
        self, kafka: environment.Kafka, link: KafkaPublisher, topic: str, group: str, events: ConsumerEvents
    ) -> None:
        self._kafka = kafka
        self._link = link
        self._topic = topic
        self._group = group
        self._events = events
        self._joined = False

    @property
    def joined(self) -> bool:
        """Whether this process is a member of the group."""
        return self._joined

    async def run(self) -> None:
        """Join, consume, join again, until cancelled."""
        while True:
            await self._link.wait_connected()
            consumer = self._build()
            try:
                async with asyncio.timeout(_JOIN_TIMEOUT_S):
                    await consumer.start()
                self._joined = True
                await self._consume(consumer)
            except (KafkaError, TimeoutError, OSError) as error:
                self._events.failed(describe(error))
            finally:
                self._joined = False
                await _stop(consumer)
            await asyncio.sleep(_PAUSE_S)

    def _build(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka.bootstrap,
            client_id=self._kafka.client_id,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="latest",
        )
        # By name and with the library's own refresh, as clients do in the field: a member that has joined
        # before its topic was there gets no partition of it until it joins again.
        consumer.subscribe([self._topic], listener=_Listener(self._topic, self._events.assigned))
        return consumer

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        while self._link.connected:
            batches = await consumer.getmany(timeout_ms=_POLL_MS)
            for records in batches.values():
                for record in records:
                    self._events.take(_to_consumed(record))
            if batches:
                await self._commit(consumer)
        self._events.failed(NOT_CONNECTED)

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        """A commit that a rebalance overtook is no reason to leave the group."""
        try:
            await consumer.commit()
        except KafkaError as error:
            self._events.failed(describe(error))


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    def __init__(self, topic: str, assigned: Callable[[tuple[int, ...]], None]) -> None:
        self._topic = topic
        self._assigned = assigned

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing: records are committed as soon as they are taken in."""

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._assigned(tuple(sorted(place.partition for place in assigned)))


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """With a dead broker aiokafka 0.14 leaves its ``stop()`` half way, by a CancelledError of its own.

    Its client then goes on asking for metadata for ever; to close it twice does no harm.
    """
    await stop_bounded(consumer.stop())
    await stop_bounded(consumer._client.close())  # noqa: SLF001 - nothing public closes it


def _to_consumed(record: ConsumerRecord) -> ConsumedRecord:
    return ConsumedRecord(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers
    )
