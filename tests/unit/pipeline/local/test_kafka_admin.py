from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from diag.config import load_wanted_topics
from pipeline.local.errors import StackError
from pipeline.local.kafka import KafkaBroker, KafkaPorts
from pipeline.local.kafka_admin import (
    ALL_TOPICS,
    STANDING_TOPICS,
    Topic,
    create_topics,
    delete_topic,
    is_answering,
    is_consumed,
    is_starved,
    list_topics,
    to_toml,
)
from pipeline.local.processes import base_environment
from pipeline.local.readiness import choose_ports, wait_until

BROKERS_RETENTION_MS = str(7 * 86_400_000)


async def _read_retention(client, topic):
    (answer,) = await client.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": None})]
    )
    ((_, _, _, _, ((_, value, *_),)),) = answer.resources
    return value


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("broker")
    running = await KafkaBroker.start(
        folder / "kafka", KafkaPorts(*choose_ports(2)), base_environment(folder), folder / "kafka.log"
    )
    try:
        await running.wait_ready()
        yield running
    finally:
        running.daemon.kill()
        await running.daemon.wait()


@pytest_asyncio.fixture(loop_scope="module")
async def bootstrap(broker):
    """The address of a broker that has no topic of anybody's."""
    yield broker.bootstrap
    async with open_admin(broker.bootstrap) as client:
        left = await list_topics(broker.bootstrap)
        await client.delete_topics(list(left))
    assert await wait_until(partial(_has_no_topics, broker.bootstrap), 60.0)


async def _has_no_topics(bootstrap):
    return not await list_topics(bootstrap)


@asynccontextmanager
async def open_admin(bootstrap):
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


def test_one_logging_topic_is_forgotten():
    """The stack's own topics are all but stt-results: the standing fault of the demo."""
    assert {topic.name for topic in ALL_TOPICS} - {topic.name for topic in STANDING_TOPICS} == {"stt-results"}
    assert {topic.name: topic.partitions for topic in ALL_TOPICS} == {
        "audio-in": 1,
        "audio-out": 1,
        "stt-results": 3,
        "llm-requests": 3,
        "tts-results": 3,
        "session-events": 1,
    }


def test_the_list_for_diag_says_what_the_stack_wants(tmp_path):
    """Diag reads it; and of the topics that diag knows by itself it says the same."""
    (tmp_path / "topics.toml").write_text(to_toml(ALL_TOPICS), "utf-8")
    listed = {topic.name: topic for topic in load_wanted_topics(str(tmp_path / "topics.toml"))}

    assert {topic.name: topic for topic in load_wanted_topics()}.items() <= listed.items()
    assert listed.keys() == {topic.name for topic in ALL_TOPICS}


@pytest.mark.part("kafka")
@pytest.mark.asyncio(loop_scope="module")
async def test_topics_are_made_and_removed(bootstrap):
    """Topics are made as they are wanted, may exist already, can be deleted, and do not come back by themselves."""
    await create_topics(bootstrap, STANDING_TOPICS)
    await create_topics(bootstrap, ALL_TOPICS)
    assert await list_topics(bootstrap) == {topic.name for topic in ALL_TOPICS}
    async with open_admin(bootstrap) as client:
        described = {row["topic"]: len(row["partitions"]) for row in await client.describe_topics()}
        retention = {topic.name: await _read_retention(client, topic.name) for topic in ALL_TOPICS}

    await delete_topic(bootstrap, "audio-in")
    await delete_topic(bootstrap, "never-there")

    assert described == {topic.name: topic.partitions for topic in ALL_TOPICS}
    assert retention == {
        topic.name: topic.settings.get("retention.ms", BROKERS_RETENTION_MS) for topic in ALL_TOPICS
    }
    assert await list_topics(bootstrap) == {topic.name for topic in ALL_TOPICS} - {"audio-in"}


@pytest.mark.part("kafka")
@pytest.mark.asyncio(loop_scope="module")
async def test_wrong_topics_are_refused_by_name(bootstrap):
    """The broker's own reason is in the error."""
    with pytest.raises(StackError, match=r"^topic no/such/name was not created: .*invalid"):
        await create_topics(bootstrap, [Topic("no/such/name", 1)])


@pytest.mark.part("kafka")
@pytest.mark.asyncio(loop_scope="module")
async def test_consumption_is_seen(bootstrap):
    """A topic is consumed by a group while a live member of it has one of its partitions."""
    await create_topics(bootstrap, ALL_TOPICS)
    consumer = AIOKafkaConsumer(
        "audio-in", bootstrap_servers=bootstrap, group_id="group", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumed = [
            await is_consumed(bootstrap, group, topic)
            for group, topic in (("group", "audio-in"), ("group", "audio-out"), ("other", "audio-in"))
        ]
        starved = await is_starved(bootstrap, "group", "audio-in")
    finally:
        await consumer.stop()

    assert consumed == [True, False, False]
    assert not starved
    assert not await is_consumed(bootstrap, "group", "audio-in")


@pytest.mark.part("kafka")
@pytest.mark.asyncio(loop_scope="module")
async def test_starvation_is_seen(bootstrap):
    """A group whose topic is gone is starved; a group that does not exist is not."""
    await create_topics(bootstrap, STANDING_TOPICS)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id="hungry", enable_auto_commit=False, metadata_max_age_ms=200
    )
    consumer.subscribe(pattern="^audio-in$")
    await consumer.start()
    try:
        await delete_topic(bootstrap, "audio-in")

        assert await wait_until(lambda: is_starved(bootstrap, "hungry", "audio-in"), 60.0)
        assert not await is_starved(bootstrap, "other", "audio-in")
    finally:
        await consumer.stop()


async def test_nobody_answers():
    """Where no broker is, nobody answers, and nothing is raised."""
    (port,) = choose_ports(1)

    assert not await is_answering(f"127.0.0.1:{port}")
