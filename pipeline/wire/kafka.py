"""Kafka for the services: one connection that is kept, records sent with an answer from the broker.

aiokafka 0.14 asks brokers to create a topic in every metadata request that names it. So no request
of ours ever names one: the client is left without topics of its own and lists all of them, at most
once a second, and a send to a topic that is not in the list fails at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import BrokerResponseError, KafkaError, UnknownTopicOrPartitionError

from pipeline.wire import environment
from pipeline.wire.log_lines import Log
from pipeline.wire.records import Headers

# The error text of the reference system's Kafka client, which diag's readers know
UNKNOWN_TOPIC = (
    "[3] Unknown Topic Or Partition: "
    "the request is for a topic or partition that does not exist on this broker"
)
NOT_CONNECTED = "Kafka is not connected"

_LIST_AGE_S = 1.0
_LIST_TIMEOUT_S = 3.0
_WATCH_S = 2.0
_REQUEST_TIMEOUT_MS = 5_000
_ACK_TIMEOUT_S = 8.0
_STOP_TIMEOUT_S = 1.0
_BACK_OFF_S = (0.5, 1.0, 2.0, 5.0)


class PublishError(Exception):
    """A record was not stored; the text is fit for a log line."""


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record to be sent; the key decides its partition."""

    topic: str
    key: str
    value: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the broker stored a record."""

    partition: int
    offset: int


class Acknowledgement(Protocol):
    """The broker's answer to one record, on its way."""

    async def placed(self) -> Placed:
        """Where the record stands; raises `PublishError`."""
        ...


class Publisher(Protocol):
    """Sends records in the order of the calls."""

    async def send(self, record: OutgoingRecord) -> Acknowledgement:
        """Queue `record`; raises `PublishError` at once if its topic is missing or Kafka is away."""
        ...


class KafkaPublisher:
    """Sends records with ``acks=all`` and keeps the process connected to Kafka.

    `run` is to be a task of the process; until it has connected, every send fails.
    """

    def __init__(self, kafka: environment.Kafka, log: Log) -> None:
        self._kafka = kafka
        self._log = log
        self._producer: AIOKafkaProducer | None = None
        self._connected = asyncio.Event()
        self._listed_at = 0.0

    @property
    def connected(self) -> bool:
        """Whether the broker answered within the last seconds."""
        return self._connected.is_set()

    @property
    def topics(self) -> frozenset[str]:
        """The broker's topics, as of the last seconds; none without a connection."""
        return frozenset(self._producer.client.cluster.topics()) if self._producer else frozenset()

    async def wait_connected(self) -> None:
        """Return once there is a connection."""
        await self._connected.wait()

    async def run(self) -> None:
        """Connect, watch, connect again, until cancelled."""
        while True:
            producer = await self._connect()
            try:
                self._producer = producer
                self._connected.set()
                self._log.write("kafka-connected")
                await self._watch(producer)
            finally:
                self._connected.clear()
                self._producer = None
                await stop_bounded(producer.stop())

    async def send(self, record: OutgoingRecord) -> Acknowledgement:
        """As `Publisher.send`."""
        producer = self._producer
        if producer is None:
            raise PublishError(NOT_CONNECTED)
        try:
            await self._list_topics_if_old(producer)
            if record.topic not in producer.client.cluster.topics():
                raise PublishError(UNKNOWN_TOPIC)
            answer = await producer.send(
                record.topic,
                record.value,
                key=record.key.encode(),
                headers=record.headers,
            )
        except (KafkaError, TimeoutError) as error:
            raise PublishError(describe(error)) from error
        return _KafkaAcknowledgement(answer)

    def partitions_of(self, topic: str) -> frozenset[int]:
        """The partitions of `topic` as of the last seconds, none if it is missing or Kafka is away."""
        cluster = self._producer.client.cluster if self._producer else None
        return frozenset(cluster.partitions_for_topic(topic) or ()) if cluster else frozenset()

    async def find_partitions(self, topic: str) -> frozenset[int]:
        """The partitions of `topic`, none if it is missing; raises `PublishError` if Kafka is away."""
        producer = self._producer
        if producer is None:
            raise PublishError(NOT_CONNECTED)
        try:
            await self._list_topics_if_old(producer)
        except (KafkaError, TimeoutError) as error:
            raise PublishError(describe(error)) from error
        return frozenset(producer.client.cluster.partitions_for_topic(topic) or ())

    async def _connect(self) -> AIOKafkaProducer:
        attempt = 0
        while True:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._kafka.bootstrap,
                client_id=self._kafka.client_id,
                acks="all",
                request_timeout_ms=_REQUEST_TIMEOUT_MS,
            )
            try:
                await producer.start()
                await self._list_topics(producer)
            except (KafkaError, TimeoutError, OSError) as error:
                await stop_bounded(producer.stop())
                retry_s = _BACK_OFF_S[min(attempt, len(_BACK_OFF_S) - 1)]
                self._log.write("kafka-unreachable", error=describe(error), retry_s=retry_s)
                await asyncio.sleep(retry_s)
                attempt += 1
            except BaseException:
                await stop_bounded(producer.stop())
                raise
            else:
                return producer

    async def _watch(self, producer: AIOKafkaProducer) -> None:
        """Return when the broker has failed to answer twice in a row."""
        failures = 0
        while failures < 2:
            await asyncio.sleep(_WATCH_S)
            try:
                await self._list_topics(producer)
                failures = 0
            except (KafkaError, TimeoutError):
                failures += 1

    async def _list_topics_if_old(self, producer: AIOKafkaProducer) -> None:
        if asyncio.get_running_loop().time() - self._listed_at > _LIST_AGE_S:
            await self._list_topics(producer)

    async def _list_topics(self, producer: AIOKafkaProducer) -> None:
        """Refresh the client's own table: what it knows of a topic it need not ask for by name."""
        async with asyncio.timeout(_LIST_TIMEOUT_S):
            if not await producer.client.force_metadata_update():
                raise KafkaError("the brokers do not answer")
        self._listed_at = asyncio.get_running_loop().time()


class _KafkaAcknowledgement:
    def __init__(self, answer: asyncio.Future[Any]) -> None:
        self._answer = answer

    async def placed(self) -> Placed:
        try:
            async with asyncio.timeout(_ACK_TIMEOUT_S):
                stored = await self._answer
        except (KafkaError, TimeoutError) as error:
            raise PublishError(describe(error)) from error
        return Placed(stored.partition, stored.offset)


def describe(error: Exception) -> str:
    """`error` in the form ``[3] Unknown Topic Or Partition: ...`` where a broker gave it a number."""
    if isinstance(error, BrokerResponseError):
        if isinstance(error, UnknownTopicOrPartitionError):
            return UNKNOWN_TOPIC
        title = error.message.replace("_", " ").title()
        return f"[{error.errno}] {title}: {error.description.rstrip('.')}"
    return str(error) or type(error).__name__


async def stop_bounded(stopping: Coroutine[Any, Any, None], timeout_s: float = _STOP_TIMEOUT_S) -> None:
    """Run an aiokafka ``stop()`` to its end or for `timeout_s`, whatever it raises.

    With a dead broker such a stop may hang, or let a CancelledError out that nobody asked for. In a
    task of its own neither reaches the caller.
    """
    task = asyncio.ensure_future(stopping)
    try:
        await asyncio.wait({task}, timeout=timeout_s)
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=timeout_s / 2)
        if task.done() and not task.cancelled():
            task.exception()  # looked at, so that it is not reported as forgotten
