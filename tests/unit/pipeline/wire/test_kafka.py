"""The Kafka connection: kept, honest about missing topics, and never in anybody's way at the end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    NotLeaderForPartitionError,
    UnknownTopicOrPartitionError,
)

from pipeline.wire import environment, kafka
from pipeline.wire.kafka import (
    NOT_CONNECTED,
    UNKNOWN_TOPIC,
    KafkaPublisher,
    OutgoingRecord,
    Placed,
    PublishError,
    describe,
    stop_bounded,
)
from pipeline.wire.log_lines import Log

RECORD = OutgoingRecord("audio-in", "session_1", b"pcm", [("last", b"1")])


class FakeBroker:
    """What all producers of a test talk to."""

    def __init__(self) -> None:
        self.up = True
        self.topics = {"audio-in"}
        self.listings = 0
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.answer: Exception | None = None
        self.stopped = 0


class FakeProducer:
    """The part of AIOKafkaProducer that is used, and of its client."""

    broker: FakeBroker

    def __init__(self, **settings) -> None:
        self.settings = settings
        self.known: set[str] = set()
        self.client = SimpleNamespace(
            force_metadata_update=self.list_topics, cluster=SimpleNamespace(topics=lambda: self.known)
        )

    async def start(self) -> None:
        if not self.broker.up:
            raise KafkaConnectionError("no broker")

    async def list_topics(self) -> bool:
        self.broker.listings += 1
        self.known = set(self.broker.topics)
        return self.broker.up

    async def send(self, topic, value, key, headers):
        self.broker.sent.append((topic, key, value))
        answer = asyncio.get_running_loop().create_future()
        if self.broker.answer is None:
            answer.set_result(SimpleNamespace(partition=2, offset=len(self.broker.sent)))
        else:
            answer.set_exception(self.broker.answer)
        return answer

    async def stop(self) -> None:
        self.broker.stopped += 1


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    """A broker that is up and has audio-in; nobody waits long for it."""
    fake = FakeBroker()
    monkeypatch.setattr(kafka, "AIOKafkaProducer", type("Fake", (FakeProducer,), {"broker": fake}))
    monkeypatch.setattr(kafka, "_WATCH_S", 0.01)
    monkeypatch.setattr(kafka, "_BACK_OFF_S", (0.01, 0.02))
    return fake


@pytest.fixture
async def publisher(broker, lines):
    """A publisher whose task runs."""
    publisher = KafkaPublisher(environment.Kafka("127.0.0.1:9092", "media-server-abc"), Log("media-server"))
    task = asyncio.create_task(publisher.run())
    yield publisher
    task.cancel()
    await asyncio.wait({task})


async def test_a_record_is_placed_where_the_broker_says(publisher, broker, lines) -> None:
    """Partition and offset come from the broker's answer."""
    await publisher.wait_connected()
    answer = await publisher.send(RECORD)

    assert await answer.placed() == Placed(2, 1)
    assert broker.sent == [("audio-in", b"session_1", b"pcm")]
    assert lines.names() == ["kafka-connected"]


async def test_a_missing_topic_fails_at_once_and_is_never_sent_to(publisher, broker) -> None:
    """A send to it would name it in a metadata request, and so might create it."""
    await publisher.wait_connected()
    broker.topics.clear()
    publisher._listed_at = 0.0

    with pytest.raises(PublishError) as failed:
        await publisher.send(RECORD)
    assert str(failed.value) == UNKNOWN_TOPIC
    assert broker.sent == []


async def test_a_topic_that_comes_back_is_seen(publisher, broker) -> None:
    """With the next listing."""
    await publisher.wait_connected()
    broker.topics.clear()
    publisher._listed_at = 0.0
    with pytest.raises(PublishError):
        await publisher.send(RECORD)
    broker.topics.add("audio-in")
    publisher._listed_at = 0.0

    assert await (await publisher.send(RECORD)).placed() == Placed(2, 1)


async def test_topics_are_listed_at_most_once_a_second(publisher, broker, monkeypatch) -> None:
    """However many records are sent."""
    monkeypatch.setattr(kafka, "_WATCH_S", 60)
    await publisher.wait_connected()
    await publisher.send(RECORD)
    listings = broker.listings
    for _ in range(100):
        await publisher.send(RECORD)

    assert broker.listings == listings


async def test_without_kafka_a_send_fails_at_once(broker, lines) -> None:
    """Nothing is queued for a broker that may never come."""
    publisher = KafkaPublisher(environment.Kafka("127.0.0.1:9092", "x"), Log("media-server"))

    with pytest.raises(PublishError, match=NOT_CONNECTED):
        await publisher.send(RECORD)
    assert not publisher.connected


async def test_a_broker_that_is_away_is_tried_again(broker, lines, eventually) -> None:
    """With a line for each attempt, waiting longer each time, until it is there."""
    broker.up = False
    publisher = KafkaPublisher(environment.Kafka("127.0.0.1:9092", "x"), Log("media-server"))
    task = asyncio.create_task(publisher.run())
    await eventually(lambda: len(lines.named("kafka-unreachable")) >= 3)
    broker.up = True
    await publisher.wait_connected()
    task.cancel()
    await asyncio.wait({task})

    assert [line["retry_s"] for line in lines.named("kafka-unreachable")][:3] == [0.01, 0.02, 0.02]
    assert lines.one("kafka-connected")
    assert broker.stopped == len(lines.named("kafka-unreachable")) + 1


async def test_a_connection_that_is_lost_is_made_anew(publisher, broker, lines, eventually) -> None:
    """The loss is noticed without a send, said, and repaired."""
    await publisher.wait_connected()
    broker.up = False
    await eventually(lambda: not publisher.connected)
    await eventually(lambda: lines.named("kafka-unreachable"))
    broker.up = True
    await publisher.wait_connected()

    assert len(lines.named("kafka-connected")) == 2


async def test_a_refused_record_is_an_error_in_the_fields_form(publisher, broker) -> None:
    """Number, title, description."""
    await publisher.wait_connected()
    broker.answer = NotLeaderForPartitionError()
    answer = await publisher.send(RECORD)

    with pytest.raises(PublishError, match=r"^\[6\] Not Leader For Partition: "):
        await answer.placed()


def test_errors_are_told_as_the_reference_system_tells_them() -> None:
    """The text that diag's catalogue knows; an error without a number as it is."""
    assert describe(UnknownTopicOrPartitionError()) == (
        "[3] Unknown Topic Or Partition: "
        "the request is for a topic or partition that does not exist on this broker"
    )
    assert describe(TimeoutError()) == "TimeoutError"


async def test_a_stop_that_hangs_is_left_alone() -> None:
    """The caller goes on after the bound."""
    async with asyncio.timeout(60):
        await stop_bounded(asyncio.Event().wait(), timeout_s=0.01)


async def test_a_stray_cancellation_does_not_reach_the_caller() -> None:
    """With a dead broker a stop of aiokafka lets one out; nobody asked for it."""

    async def stop() -> None:
        raise asyncio.CancelledError

    await stop_bounded(stop())


async def test_an_error_of_a_stop_does_not_reach_the_caller() -> None:
    """What is stopped is over either way."""

    async def stop() -> None:
        raise KafkaConnectionError("gone")

    await stop_bounded(stop())


async def test_a_real_cancellation_still_counts() -> None:
    """Who cancels the stopping task is obeyed, and the stop with it."""
    task = asyncio.create_task(stop_bounded(asyncio.Event().wait(), timeout_s=60))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=60)

    assert task.cancelled()
