"""Consumes one topic as a member of a group; offsets are committed after the work, never before.

Where taking a record in is all the work, its offset is committed at once. Who works longer says by a
`Progress` how far it has come, and may finish its work when partitions go to another member.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from pipeline.wire import environment
from pipeline.wire.kafka import NOT_CONNECTED, KafkaPublisher, describe, stop_bounded
from pipeline.wire.kafka_reading import read_records
from pipeline.wire.progress import Place, Progress
from pipeline.wire.records import GivenHeaders

_POLL_MS = 200
_REST_S = 0.05
_JOIN_TIMEOUT_S = 30.0
_PAUSE_S = 1.0
# A member that was killed holds its partitions until its session has timed out (the broker's least: 6 s).
_SESSION_TIMEOUT_MS = 6_000
_HEARTBEAT_MS = 1_500
# How long a rebalance waits for members to finish their work
_REBALANCE_TIMEOUT_MS = 15_000


@dataclass(frozen=True, slots=True)
class ConsumedRecord:
    """One record as it stands in Kafka."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: GivenHeaders
    timestamp_ms: int = 0

    @property
    def place(self) -> Place:
        """Where it stands in its topic."""
        return Place(self.partition, self.offset)


class ConsumerEvents(Protocol):
    """What a service does with its consumer."""

    def take(self, record: ConsumedRecord) -> None:
        """Take a record in."""
        ...

    def assigned(self, partitions: tuple[int, ...]) -> None:
        """The group has given this member `partitions`, maybe none."""
        ...

    async def revoked(self, partitions: tuple[int, ...]) -> None:
        """They go to another member when this returns; what is to be finished is to be finished now."""
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
        self,
        kafka: environment.Kafka,
        link: KafkaPublisher,
        topic: str,
        group: str,
        events: ConsumerEvents,
        *,
        progress: Progress | None = None,
    ) -> None:
        self._kafka = kafka
        self._link = link
        self._topic = topic
        self._group = group
        self._events = events
        self._progress = progress or Progress()
        self._committed: dict[int, int] = {}
        self._commit_from = 0.0
        self._owned: frozenset[int] = frozenset()
        self._joined = False
        self._resting = False
        self._assignments = 0

    @property
    def joined(self) -> bool:
        """Whether this process is a member of the group."""
        return self._joined

    @property
    def assignments(self) -> int:
        """How many times the group has given this member partitions, maybe none."""
        return self._assignments

    def rest(self) -> None:
        """Take no more records in, but stay a member and go on to commit what is done."""
        self._resting = True

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
                await self._leave(consumer)
            await asyncio.sleep(_PAUSE_S)

    def _build(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka.bootstrap,
            client_id=self._kafka.client_id,
            group_id=self._group,
            enable_auto_commit=False,
            session_timeout_ms=_SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            rebalance_timeout_ms=_REBALANCE_TIMEOUT_MS,
            auto_offset_reset="latest",
        )
        # By name and with the library's own refresh, as clients do in the field: a member that has joined
        # before its topic was there gets no partition of it until it joins again.
        consumer.subscribe([self._topic], listener=_Listener(self, consumer))
        return consumer

    async def _consume(self, consumer: AIOKafkaConsumer) -> None:
        while self._link.connected:
            if self._resting:
                await asyncio.sleep(_REST_S)
            else:
                await self._poll(consumer)
            await self._commit(consumer)
        self._events.failed(NOT_CONNECTED)

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        async for record in read_records(consumer, _POLL_MS):
            if self._resting:
                return  # what is not committed is read again by the next one
            self._take(to_consumed(record))

    def _take(self, record: ConsumedRecord) -> None:
        if record.partition in self._owned:  # else it was fetched before its partition went
            self._progress.take(record.place)
            self._events.take(record)

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        """Commit what is done and was not committed yet.

        A commit that a rebalance overtook is no reason to leave the group.
        """
        done = self._progress.committable()
        news = {
            TopicPartition(self._topic, partition): offset
            for partition, offset in done.items()
            if self._committed.get(partition) != offset
        }
        now = asyncio.get_running_loop().time()
        if not news or now < self._commit_from:
            return
        try:
            await consumer.commit(news)
        except (KafkaError, IllegalStateError) as error:
            self._events.failed(describe(error))
            self._commit_from = now + _PAUSE_S
        else:
            self._committed |= done

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        """Commit what is done meanwhile, and be no member any more."""
        if self._link.connected:
            await stop_bounded(self._commit(consumer))
        self._committed.clear()
        await stop_consumer(consumer)

    def _begin(self, partitions: tuple[int, ...]) -> None:
        """They are read from the committed offset on, whatever was read of them before."""
        self._assignments += 1
        self._owned = frozenset(partitions)
        self._progress.forget(partitions)
        self._committed.clear()
        self._events.assigned(partitions)

    async def _give_up(self, consumer: AIOKafkaConsumer, partitions: tuple[int, ...]) -> None:
        self._owned -= frozenset(partitions)
        await self._events.revoked(partitions)
        await self._commit(consumer)
        self._progress.forget(partitions)
        self._committed.clear()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    def __init__(self, owner: KafkaConsumer, consumer: AIOKafkaConsumer) -> None:
        self._owner = owner
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if revoked:
            await self._owner._give_up(self._consumer, _numbers(revoked))  # noqa: SLF001 - its own listener

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._owner._begin(_numbers(assigned))  # noqa: SLF001 - as above


def _numbers(partitions: set[TopicPartition]) -> tuple[int, ...]:
    return tuple(sorted(place.partition for place in partitions))


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """With a dead broker aiokafka 0.14 leaves its ``stop()`` half way, by a CancelledError of its own.

    Its client then goes on asking for metadata for ever; to close it twice does no harm.
    """
    await stop_bounded(consumer.stop())
    await stop_bounded(consumer._client.close())  # noqa: SLF001 - nothing public closes it


def to_consumed(record: ConsumerRecord) -> ConsumedRecord:
    """The library's record as the services know it."""
    return ConsumedRecord(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        record.headers,
        record.timestamp,
    )
