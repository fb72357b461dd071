"""A group member: it takes records in, commits them, and goes with the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError

from pipeline.wire import environment, kafka_consumer
from pipeline.wire.kafka_consumer import ConsumedRecord, KafkaConsumer
from pipeline.wire.progress import Place, Progress


class FakeLink:
    """The connection."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._event.set()

    @property
    def connected(self) -> bool:
        return self._event.is_set()

    async def wait_connected(self) -> None:
        await self._event.wait()

    def lose(self) -> None:
        self._event.clear()

    def find(self) -> None:
        self._event.set()


class FakeConsumer:
    """The part of AIOKafkaConsumer that is used; all that happens is noted in `log`."""

    def __init__(self, **settings) -> None:
        self.settings = settings
        self.log: list[str] = []
        self.commits: list[dict[int, int]] = []
        self.batches: asyncio.Queue = asyncio.Queue()
        self.commit_error: Exception | None = None
        self._client = SimpleNamespace(close=self._close)

    def subscribe(self, topics, *, listener) -> None:
        self.topics, self.listener = topics, listener

    async def start(self) -> None:
        self.listener.on_partitions_assigned({TopicPartition("audio-in", 1), TopicPartition("audio-in", 0)})

    async def getmany(self, timeout_ms, max_records):
        try:
            async with asyncio.timeout(0.01):
                batch = await self.batches.get()
        except TimeoutError:
            return {}
        if isinstance(batch, Exception):
            raise batch
        return batch

    async def commit(self, offsets) -> None:
        self.log.append("commit")
        self.commits.append({place.partition: offset for place, offset in offsets.items()})
        if self.commit_error is not None:
            raise self.commit_error

    async def stop(self) -> None:
        self.log.append("stop")

    async def _close(self) -> None:
        self.log.append("close")


class Events:
    """What the consumer reports."""

    def __init__(self) -> None:
        self.taken: list[ConsumedRecord] = []
        self.assignments: list[tuple[int, ...]] = []
        self.errors: list[str] = []
        self.revocations: list[tuple[int, ...]] = []
        self.on_revoked: Callable[[], None] | None = None

    def take(self, record: ConsumedRecord) -> None:
        self.taken.append(record)

    def assigned(self, partitions: tuple[int, ...]) -> None:
        self.assignments.append(partitions)

    async def revoked(self, partitions: tuple[int, ...]) -> None:
        self.revocations.append(partitions)
        if self.on_revoked is not None:
            self.on_revoked()

    def failed(self, error: str) -> None:
        self.errors.append(error)


def _batch(*offsets: int):
    place = TopicPartition("audio-in", 0)
    return {
        place: [
            SimpleNamespace(
                topic="audio-in",
                partition=0,
                offset=offset,
                key=b"k",
                value=b"v",
                headers=(("last", b"1"),),
                timestamp=7,
            )
            for offset in offsets
        ]
    }


@pytest.fixture
async def run(monkeypatch):
    """A running consumer: the connection, what was built, what was reported."""
    built: list[FakeConsumer] = []

    def build(**settings):
        built.append(FakeConsumer(**settings))
        return built[-1]

    monkeypatch.setattr(kafka_consumer, "AIOKafkaConsumer", build)
    monkeypatch.setattr(kafka_consumer, "_PAUSE_S", 0.01)
    link, events = FakeLink(), Events()
    settings = environment.Kafka("127.0.0.1:9092", "orchestrator-abc")
    progress = Progress()
    consumer = KafkaConsumer(settings, link, "audio-in", "group", events, progress=progress)
    task = asyncio.create_task(consumer.run())
    yield SimpleNamespace(consumer=consumer, link=link, events=events, built=built, progress=progress)
    task.cancel()
    await asyncio.wait({task})


async def test_records_are_committed_after_they_were_taken_in(run, eventually) -> None:
    """In order, and with one commit for what came together."""
    await eventually(lambda: run.consumer.joined)
    await run.built[0].batches.put(_batch(4, 5))
    await eventually(lambda: run.built[0].log)

    assert [record.offset for record in run.events.taken] == [4, 5]
    assert run.events.taken[0] == ConsumedRecord("audio-in", 0, 4, b"k", b"v", (("last", b"1"),), 7)
    assert run.built[0].commits == [{0: 6}]


async def test_it_never_commits_by_itself_and_joins_as_clients_do_in_the_field(run, eventually) -> None:
    """By the topic's name, from now on, under the pod's name."""
    await eventually(lambda: run.built)

    assert run.built[0].settings["enable_auto_commit"] is False
    assert run.built[0].settings["auto_offset_reset"] == "latest"
    assert run.built[0].settings["client_id"] == "orchestrator-abc"
    assert run.built[0].topics == ["audio-in"]


async def test_assignments_are_reported_in_order(run, eventually) -> None:
    """The numbers of the partitions."""
    await eventually(lambda: run.consumer.joined)

    assert run.events.assignments == [(0, 1)]


async def test_an_error_is_reported_and_the_group_joined_again(run, eventually) -> None:
    """The old member is stopped, its client closed."""
    await eventually(lambda: run.consumer.joined)
    await run.built[0].batches.put(KafkaError("broken"))
    await eventually(lambda: len(run.built) == 2 and run.consumer.joined)

    assert run.events.errors == ["KafkaError: broken"]
    assert run.built[0].log == ["stop", "close"]


async def test_a_commit_that_fails_is_no_reason_to_leave(run, eventually) -> None:
    """A rebalance may overtake it; the records were taken in all the same."""
    await eventually(lambda: run.consumer.joined)
    run.built[0].commit_error = CommitFailedError("rebalanced")
    await run.built[0].batches.put(_batch(1))
    await run.built[0].batches.put(_batch(2))
    await eventually(lambda: len(run.events.taken) == 2)
    await eventually(lambda: len(run.events.errors) == 2)

    assert len(run.built) == 1
    assert run.consumer.joined


async def test_it_goes_with_the_connection(run, eventually) -> None:
    """A lost connection is a failure, a new one a new member."""
    await eventually(lambda: run.consumer.joined)
    run.link.lose()
    await eventually(lambda: run.events.errors)
    assert not run.consumer.joined
    assert run.events.errors == ["Kafka is not connected"]

    run.link.find()
    await eventually(lambda: run.consumer.joined)
    assert len(run.built) == 2


async def test_what_is_being_worked_on_is_not_committed(run, eventually) -> None:
    """Its offset waits for the end of the work, also while nothing new comes."""
    await eventually(lambda: run.consumer.joined)
    run.progress.hold(Place(0, 5))
    await run.built[0].batches.put(_batch(4, 5, 6))
    await eventually(lambda: run.built[0].commits == [{0: 5}])
    run.progress.release(Place(0, 5))

    await eventually(lambda: run.built[0].commits == [{0: 5}, {0: 7}])


async def test_work_is_finished_and_committed_before_partitions_go(run, eventually) -> None:
    """The next member reads on behind it."""
    await eventually(lambda: run.consumer.joined)
    run.progress.hold(Place(0, 4))
    await run.built[0].batches.put(_batch(4, 5))
    await eventually(lambda: run.built[0].commits)
    run.events.on_revoked = lambda: run.progress.release(Place(0, 4))
    await run.built[0].listener.on_partitions_revoked({TopicPartition("audio-in", 0)})

    assert run.events.revocations == [(0,)]
    assert run.built[0].commits[-1] == {0: 6}
    assert run.progress.committable() == {}


async def test_what_was_fetched_before_its_partition_went_is_left_to_others(run, eventually) -> None:
    """It is neither taken in nor committed here."""
    await eventually(lambda: run.consumer.joined)
    await run.built[0].listener.on_partitions_revoked({TopicPartition("audio-in", 0)})
    await run.built[0].batches.put(_batch(4))
    await eventually(run.built[0].batches.empty)
    run.built[0].listener.on_partitions_assigned({TopicPartition("audio-in", 0)})
    await run.built[0].batches.put(_batch(5))
    await eventually(lambda: run.events.taken)

    assert [record.offset for record in run.events.taken] == [5]


async def test_a_resting_member_takes_nothing_and_commits_what_ends(run, eventually) -> None:
    """So a service that is about to stop finishes its work and leaves the rest to others."""
    await eventually(lambda: run.consumer.joined)
    run.progress.hold(Place(0, 4))
    await run.built[0].batches.put(_batch(4))
    await eventually(lambda: run.events.taken)
    run.consumer.rest()
    await run.built[0].batches.put(_batch(5))
    run.progress.release(Place(0, 4))
    await eventually(lambda: run.built[0].commits[-1:] == [{0: 5}])

    assert [record.offset for record in run.events.taken] == [4]
    assert run.consumer.joined
