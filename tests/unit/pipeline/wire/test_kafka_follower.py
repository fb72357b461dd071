"""Following a topic: all of it, from its beginning, by everybody, without a trace on the broker."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from pipeline.wire import environment, kafka_follower
from pipeline.wire.kafka import UNKNOWN_TOPIC
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.kafka_follower import KafkaFollower

PLACE = TopicPartition("session-events", 0)


class FakeLink:
    """The connection, and what it says of the topic."""

    def __init__(self) -> None:
        self.connected = True
        self.partitions = frozenset({0})

    async def wait_connected(self) -> None:
        while not self.connected:
            await asyncio.sleep(0.001)

    async def find_partitions(self, _topic: str) -> frozenset[int]:
        return self.partitions


class FakeConsumer:
    """The part of AIOKafkaConsumer that is used; the topic holds records 0 to 2 when it starts."""

    def __init__(self, **settings) -> None:
        self.settings = settings
        self.next = 0
        self.held = asyncio.Event()
        self._client = SimpleNamespace(close=self.stop)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def assign(self, places) -> None:
        self.places = places

    async def seek_to_beginning(self, *places) -> None:
        assert list(places) == self.places

    async def end_offsets(self, places):
        return dict.fromkeys(places, 3)

    async def position(self, _place) -> int:
        return self.next

    async def getmany(self, timeout_ms):
        await asyncio.sleep(0.001)
        if self.next == 2:
            await self.held.wait()
        if self.next == 3:
            return {}
        record = SimpleNamespace(
            topic="session-events",
            partition=0,
            offset=self.next,
            key=b"k",
            value=b"v",
            headers=(),
            timestamp=7,
        )
        self.next += 1
        return {PLACE: [record]}


class Events:
    """What the follower reports."""

    def __init__(self) -> None:
        self.taken: list[ConsumedRecord] = []
        self.errors: list[str] = []

    def take(self, record: ConsumedRecord) -> None:
        self.taken.append(record)

    def failed(self, error: str) -> None:
        self.errors.append(error)


@pytest.fixture
async def world(monkeypatch):
    """A follower that runs."""
    built: list[FakeConsumer] = []

    def build(**settings):
        built.append(FakeConsumer(**settings))
        return built[-1]

    monkeypatch.setattr(kafka_follower, "AIOKafkaConsumer", build)
    monkeypatch.setattr(kafka_follower, "_PAUSE_S", 0.01)
    link, events = FakeLink(), Events()
    settings = environment.Kafka("127.0.0.1:9092", "orchestrator-abc")
    follower = KafkaFollower(settings, link, "session-events", events)
    world = SimpleNamespace(follower=follower, link=link, events=events, built=built, start=None)
    world.start = lambda: setattr(world, "task", asyncio.create_task(follower.run()))
    yield world
    world.task.cancel()
    await asyncio.wait({world.task})


async def test_it_has_settled_when_all_that_was_there_is_read(world, eventually) -> None:
    """Not before: until then a replica knows only a part of what the others have told."""
    world.start()
    await eventually(lambda: len(world.events.taken) == 2)
    assert not world.follower.settled

    world.built[0].held.set()
    await eventually(lambda: world.follower.settled)
    assert [record.offset for record in world.events.taken] == [0, 1, 2]


async def test_it_joins_no_group_and_commits_nothing(world, eventually) -> None:
    """So it takes no record away from another replica."""
    world.start()
    await eventually(lambda: world.built)

    assert "group_id" not in world.built[0].settings
    assert world.built[0].settings["auto_offset_reset"] == "earliest"
    assert world.built[0].settings["enable_auto_commit"] is False


async def test_without_its_topic_it_has_settled_and_tries_on(world, eventually) -> None:
    """One replica alone needs no words with others; when the topic is there, it is followed."""
    world.link.partitions = frozenset()
    world.start()
    await eventually(lambda: world.events.errors)
    assert world.follower.settled
    assert world.events.errors[0] == UNKNOWN_TOPIC

    world.link.partitions = frozenset({0})
    await eventually(lambda: world.events.taken)


async def test_it_begins_anew_with_a_new_connection(world, eventually) -> None:
    """From the beginning: what was told meanwhile must not be missed."""
    world.start()
    await eventually(lambda: len(world.events.taken) == 2)
    world.link.connected = False
    world.built[0].held.set()
    await eventually(lambda: world.built[0].next == 3)
    world.link.connected = True

    await eventually(lambda: len(world.built) == 2)
