"""Following a topic: by everybody, from a bounded time ago, nothing twice, without a trace on the broker."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndTimestamp

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

    def partitions_of(self, _topic: str) -> frozenset[int]:
        return self.partitions

    async def wait_connected(self) -> None:
        while not self.connected:
            await asyncio.sleep(0.001)

    async def find_partitions(self, _topic: str) -> frozenset[int]:
        return self.partitions


class FakeTopic:
    """Holds records 0 to 2 when following starts; the first one is of long ago."""

    def __init__(self) -> None:
        self.end = 3
        self.recent: int | None = 1
        self.asked_ms = 0


class FakeConsumer:
    """The part of AIOKafkaConsumer that is used; the last record is held back until it is let go."""

    def __init__(self, topic: FakeTopic, **settings) -> None:
        self.topic = topic
        self.settings = settings
        self.next = -1
        self.stopped = False
        self.places: list[TopicPartition] = []
        self.held = asyncio.Event()
        self._client = SimpleNamespace(close=self.stop)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True

    def assign(self, places) -> None:
        self.places = places

    def seek(self, place, offset) -> None:
        if place == PLACE:
            self.next = self.began = offset

    async def offsets_for_times(self, times):
        self.topic.asked_ms = times[PLACE]
        recent = self.topic.recent
        return {PLACE: None if recent is None else OffsetAndTimestamp(recent, 0)}

    async def end_offsets(self, places):
        return dict.fromkeys(places, self.topic.end)

    async def position(self, _place) -> int:
        return self.next

    async def getmany(self, timeout_ms, max_records):
        await asyncio.sleep(0.001)
        if self.next == self.topic.end - 1:
            await self.held.wait()
        if self.next >= self.topic.end:
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
    topic = FakeTopic()

    def build(**settings):
        built.append(FakeConsumer(topic, **settings))
        return built[-1]

    monkeypatch.setattr(kafka_follower, "AIOKafkaConsumer", build)
    monkeypatch.setattr(kafka_follower, "_PAUSE_S", 0.01)
    link, events = FakeLink(), Events()
    settings = environment.Kafka("127.0.0.1:9092", "orchestrator-abc")
    follower = KafkaFollower(settings, link, "session-events", events, reach_s=60)
    world = SimpleNamespace(follower=follower, link=link, events=events, built=built, topic=topic, start=None)
    world.start = lambda: setattr(world, "task", asyncio.create_task(follower.run()))
    yield world
    world.task.cancel()
    await asyncio.wait({world.task})


async def test_it_has_settled_when_all_that_was_there_is_read(world, eventually) -> None:
    """Not before: until then a replica knows only a part of what the others have told."""
    world.start()
    await eventually(lambda: len(world.events.taken) == 1)
    assert not world.follower.settled

    world.built[0].held.set()
    await eventually(lambda: world.follower.settled)
    assert [record.offset for record in world.events.taken] == [1, 2]


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


async def test_it_begins_a_bounded_time_ago(world, eventually) -> None:
    """A topic of months does not hold up a process that starts."""
    before_s = time.time()
    world.start()
    await eventually(lambda: world.events.taken)

    assert world.events.taken[0].offset == 1
    assert (before_s - 60) * 1000 <= world.topic.asked_ms + 1
    assert world.topic.asked_ms <= (time.time() - 60) * 1000 + 1


async def test_where_nothing_was_told_lately_it_begins_at_the_end(world, eventually) -> None:
    """And has settled at once."""
    world.topic.recent = None
    world.start()
    await eventually(lambda: world.follower.settled)

    assert world.built[0].began == world.topic.end
    assert world.events.taken == []


async def _reconnect(world, eventually) -> None:
    world.link.connected = False
    world.built[-1].held.set()
    await eventually(lambda: world.built[-1].stopped)
    consumers = len(world.built)
    world.link.connected = True
    await eventually(lambda: len(world.built) > consumers)


async def test_it_goes_on_where_it_was_with_a_new_connection(world, eventually) -> None:
    """What was told meanwhile is not missed, and nothing comes twice."""
    world.start()
    await eventually(lambda: len(world.events.taken) == 1)
    world.topic.end = 5
    await _reconnect(world, eventually)
    world.topic.end = 7
    world.built[-1].held.set()

    await eventually(lambda: len(world.events.taken) == 6)
    assert [record.offset for record in world.events.taken] == [1, 2, 3, 4, 5, 6]


async def test_a_topic_that_was_made_anew_is_followed_anew(world, eventually) -> None:
    """It ends before the place where the old one was left."""
    world.start()
    await eventually(lambda: len(world.events.taken) == 1)
    world.built[0].held.set()
    await eventually(lambda: len(world.events.taken) == 2)
    world.topic.end, world.topic.recent = 2, 0
    world.link.partitions = frozenset()  # it is deleted
    await eventually(lambda: world.events.errors)
    world.link.partitions = frozenset({0})

    await eventually(lambda: len(world.events.taken) == 3)
    assert world.events.taken[-1].offset == 0


async def test_partitions_that_are_added_are_followed_too(world, eventually) -> None:
    """Not after the next restart only."""
    world.start()
    await eventually(lambda: world.events.taken)
    world.link.partitions = frozenset({0, 1})
    world.built[0].held.set()

    await eventually(lambda: len(world.built) == 2)
    await eventually(lambda: len(world.built[1].places) == 2)
