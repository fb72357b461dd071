"""The Kafka source against a real broker, one that creates topics by being asked for them."""

from __future__ import annotations

import asyncio
import importlib.metadata
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from diag.app.topics import create_missing, keep_plan, plan_again, plan_topics
from diag.config import load_saved_plan, load_wanted_topics
from diag.errors import SourceError, UsageError
from diag.model.instants import NS_PER_S
from diag.model.settings import KafkaSettings, Settings, TopicSettings
from diag.model.topics import Path as TopicPath
from diag.model.topics import WantedTopic
from diag.model.window import Window
from diag.render.topic_plan_v1 import render_saved_plan
from diag.sources.kafka import TopicCut, create_topics, read_broker, read_records
from diag.sources.kafka.connection import open_admin, open_consumer
from tests.contract.kafka_batches import PACKINGS, send_batch
from tests.contract.kafka_broker import run_broker

pytestmark = [pytest.mark.part("kafka"), pytest.mark.asyncio(loop_scope="module")]

WANTED = load_wanted_topics()
ID_KEYS = frozenset({"session_id", "session-id"})
FOREIGN = "foreign"
"""A topic in which records stand that the library can not read: no other test reads it with the library."""
S, OTHER = "session_1753615601372_cz4gw0fl5", "session_1753615601372_other"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaSettings]:
    """A broker with automatic creation, which the stack's own one has not."""
    folder: Path = tmp_path_factory.mktemp("broker")
    async with run_broker(folder, _create_topics_by_themselves) as broker:
        yield KafkaSettings(broker.bootstrap)


def _create_topics_by_themselves(properties: str) -> str:
    return properties.replace("auto.create.topics.enable=false", "auto.create.topics.enable=true")


def new_session() -> str:
    """One that no other test of this broker has written."""
    return f"session_{time.time_ns() // 1000}_{secrets.token_hex(4)}"


async def send(settings: KafkaSettings, topic: str, *records: tuple[str | None, bytes, list]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap)
    await producer.start()
    for key, value, headers in records:
        await producer.send_and_wait(topic, value, key=None if key is None else key.encode(), headers=headers)
    await producer.stop()


async def test_topics_are_created_as_wanted_and_a_second_time_is_no_error(settings: KafkaSettings) -> None:
    """Partitions as wanted, replication as the broker has it."""
    for _ in range(2):
        assert {one.topic.name: one.error for one in await create_topics(settings, WANTED)} == dict.fromkeys(
            (topic.name for topic in WANTED), ""
        )
    facts = await read_broker(settings, 0)

    partitions = {topic.name: topic.partitions for topic in WANTED}
    assert {name: len(facts.topics[name].offsets) for name in partitions} == partitions
    assert facts.cluster_id


async def test_what_the_broker_refuses_is_said_in_its_own_words(settings: KafkaSettings) -> None:
    """One bad name does not cost the others."""
    wrong = WantedTopic("not a topic!", TopicPath.AUDIO, 1)
    greedy = WantedTopic("greedy", TopicPath.AUDIO, 1, replication=5)

    errors = {one.topic.name: one.error for one in await create_topics(settings, (wrong, greedy))}

    assert "not a topic!" in errors["not a topic!"]
    assert "eplication" in errors["greedy"]


async def test_settings_and_copies_are_told_as_the_broker_has_them(settings: KafkaSettings) -> None:
    """Those that are asked for by name, with the broker's default where nobody set them."""
    topic = WantedTopic("settled", TopicPath.LOGGING, 2, settings={"retention.ms": "1000"})
    await create_topics(settings, (topic,))

    facts = (await read_broker(settings, 0, ["retention.ms", "max.message.bytes"])).topics["settled"]

    assert facts.settings["retention.ms"] == "1000"
    assert facts.settings["max.message.bytes"].isdigit()
    assert facts.replicas == 1


async def test_on_another_cluster_than_the_plan_s_nothing_is_created(settings: KafkaSettings) -> None:
    """Behind the same address: it is asked once more, right before."""
    topic = WantedTopic("of-another-cluster", TopicPath.AUDIO, 1)
    with pytest.raises(SourceError, match="another cluster"):
        await create_topics(settings, (topic,), "not-this-one")
    facts = await read_broker(settings, 0)

    assert topic.name not in facts.topics
    assert [one.error for one in await create_topics(settings, (topic,), facts.cluster_id)] == [""]


async def test_a_plan_is_kept_agreed_to_and_carried_out_once(settings: KafkaSettings, tmp_path: Path) -> None:
    """What was missing then is created as it was planned; a second time, or elsewhere, it does not fit."""
    given = Settings(kafka=settings, topics=TopicSettings(str(tmp_path / "topics.toml")))
    rows = '[[topic]]\nname = "kept"\npartitions = 2\nsettings = { "retention.ms" = "7000" }\n'
    (tmp_path / "topics.toml").write_text(rows + '[[topic]]\nname = "kept-too"\n')
    plan = tmp_path / "plan.json"
    plan.write_text(render_saved_plan(keep_plan(await plan_topics(given, 0))))
    (tmp_path / "topics.toml").write_text('[[topic]]\nname = "wanted-since"\n')

    report = await create_missing(given, await plan_again(given, load_saved_plan(str(plan)), 0))

    assert [(one.topic.name, one.error) for one in report.created] == [("kept", ""), ("kept-too", "")]
    topics = (await read_broker(settings, 0)).topics
    assert (len(topics["kept"].offsets), topics["kept"].settings["retention.ms"]) == (2, "7000")
    assert "wanted-since" not in topics
    with pytest.raises(UsageError, match="does not fit any more: kept is there by now; kept-too is there"):
        await plan_again(given, load_saved_plan(str(plan)), 0)


async def test_looking_creates_nothing(settings: KafkaSettings) -> None:
    """A topic that is deleted while diag reads it does not come back, though the broker would make it."""
    session, now = new_session(), time.time_ns()
    await create_topics(settings, (WantedTopic("short-lived", TopicPath.AUDIO, 1),))
    await send(settings, "short-lived", (session, b"x", []))

    async with open_consumer(settings) as consumer, open_admin(settings) as admin:
        consumer.assign([TopicPartition("short-lived", 0)])
        consumer.seek(TopicPartition("short-lived", 0), 0)
        await consumer.getmany(timeout_ms=500)
        await admin.delete_topics(["short-lived"])
        for _ in range(3):
            await consumer.getmany(timeout_ms=200)
            await consumer._client.force_metadata_update()
        await read_records(settings, Window(now - NS_PER_S, now), frozenset({session}), ID_KEYS)

    assert "short-lived" not in (await read_broker(settings, 0)).topics


async def test_a_sessions_records_are_found_by_key_header_and_json_field(settings: KafkaSettings) -> None:
    """Over all topics and partitions, in the order of time; contents are not kept."""
    mine, other = new_session(), new_session()
    await create_topics(settings, WANTED)
    begin = time.time_ns()
    await send(
        settings,
        "audio-in",
        (mine, b"\x00\x01" * 50, [("session-id", mine.encode())]),
        (other, b"\x00\x01", [("session-id", other.encode())]),
        (other, b"\x00\x01", [("session-id", mine.encode())]),
        (None, b"\xff", []),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), b"{", []),
    )
    await send(settings, "stt-results", (None, b'{"session_id": "%s", "text": "secret"}' % mine.encode(), []))
    end = time.time_ns()

    read = await read_records(settings, Window(begin - NS_PER_S, end + NS_PER_S), frozenset({mine}), ID_KEYS)

    named = [record for record in read.records if mine in record.session_ids]
    assert [(record.topic, record.key) for record in named] == [
        ("audio-in", mine),
        ("audio-in", other),
        ("stt-results", None),
    ]
    assert named[0].size == 100
    assert named[2].id_fields == (("session_id", mine),)
    assert "secret" not in str(read)
    assert read.complete
    earlier = Window(begin - 600 * NS_PER_S, begin - 60 * NS_PER_S)
    before = await read_records(settings, earlier, frozenset({mine}), ID_KEYS)
    assert not any(record.session_ids for record in before.records)


async def test_lost_and_keyless_records_are_told_apart(settings: KafkaSettings) -> None:
    """A header that names the session is enough; a header that lost it is seen under a good key, too."""
    mine, other = new_session(), new_session()
    await create_topics(settings, WANTED)
    begin = time.time_ns()
    await send(
        settings,
        "audio-out",
        (None, b"1", [("session-id", mine.encode())]),
        (mine, b"2", [("session-id", b"undefined")]),
        (None, b"3", [("session-id", b"undefined")]),
        (other, b"4", [("session-id", b"undefined")]),
        (None, b"5", [("session-id", None)]),
    )

    read = await read_records(settings, Window(begin, begin + 60 * NS_PER_S), frozenset({mine}), ID_KEYS)

    assert [(record.session_ids, record.is_lost) for record in read.records] == [
        ((mine,), False),
        ((mine,), True),
        ((), True),
        ((), True),
    ]


async def test_records_are_read_however_they_are_packed(settings: KafkaSettings) -> None:
    """With every compression that producers have."""
    await create_topics(settings, WANTED)
    mine, begin = new_session(), time.time_ns()
    for packing in PACKINGS:
        await send_batch(settings.bootstrap, "tts-results", (mine.encode(), b"x" * 999, []), packing=packing)

    read = await read_records(settings, Window(begin, begin + 60 * NS_PER_S), frozenset({mine}), ID_KEYS)

    assert ([one.size for one in read.records], read.complete) == ([999] * len(PACKINGS), True)


@pytest.mark.parametrize("packing", PACKINGS)
async def test_what_the_library_can_not_read_costs_nothing(settings: KafkaSettings, packing: str) -> None:
    """A header's name that is not UTF-8: the record is found by its key, and so are those behind it."""
    await create_topics(settings, (*WANTED, WantedTopic(FOREIGN, TopicPath.AUDIO, 1)))
    mine, begin = new_session(), time.time_ns()
    key = mine.encode()
    await send(settings, "tts-results", (mine, b"{}", []))
    bad = await send_batch(
        settings.bootstrap,
        FOREIGN,
        (key, b"before", []),
        (key, b"itself", [("NAME", b"x"), ("turn-id", b"1")]),
        (None, b'{"session_id": "%s"}' % key, []),
        packing=packing,
    )
    await send(settings, FOREIGN, (mine, b"in a later batch", []), (None, b"", [("session-id", key)]))
    await send(settings, "stt-results", (mine, b"{}", []))

    read = await read_records(settings, Window(begin, begin + 60 * NS_PER_S), frozenset({mine}), ID_KEYS)

    assert (len(read.records), read.looked_at, read.complete, read.problem) == (7, 7, True, "")
    its = {record.offset: record for record in read.records if record.topic == FOREIGN}
    assert its[bad + 1].headers == (("\ufffdAME", "x"), ("turn-id", "1"))
    assert read.misnamed == (f"{FOREIGN}/0@{bad + 1}",)


async def test_a_bound_on_records_makes_the_answer_partial(settings: KafkaSettings) -> None:
    """A busy hour must not be read to its end for one session."""
    await create_topics(settings, WANTED)
    begin = time.time_ns()
    mine = new_session()
    await send(settings, "audio-out", *((OTHER, b"xx", []) for _ in range(40)))
    await send(settings, "tts-results", (mine, b"{}", []))
    bound = KafkaSettings(settings.bootstrap, max_records=10)
    window, said = Window(begin, begin + 60 * NS_PER_S), []

    read = await read_records(bound, window, frozenset({mine}), ID_KEYS, said.append)

    assert read.cut == (TopicCut("audio-out", 9, 40),)
    assert (read.looked_at, len(read.records), read.complete) == (10, 1, False)
    assert said[0] == "reading Kafka: 0 of 10 records"


async def test_groups_tell_members_assignments_and_commits(settings: KafkaSettings) -> None:
    """Two groups at once: each with its own members, under the client's own name."""
    await create_topics(settings, WANTED)
    await send(settings, "audio-in", (S, b"xx", []))
    consumers = []
    for group, topic in (("orchestrator-group-v2", "audio-in"), ("media-server-group", "audio-out")):
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=settings.bootstrap,
            group_id=group,
            client_id=f"pod-of-{topic}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        consumers.append(consumer)
    orchestrators = consumers[0]
    (end,) = (await orchestrators.end_offsets(orchestrators.assignment())).values()
    async with asyncio.timeout(60):
        while await orchestrators.position(TopicPartition("audio-in", 0)) < end:
            await orchestrators.getmany(timeout_ms=500)
    await orchestrators.commit()

    facts = await read_broker(settings, 0)
    for consumer in consumers:
        await consumer.stop()

    orchestrator, media = facts.groups["orchestrator-group-v2"], facts.groups["media-server-group"]
    assert [member.client_id for member in orchestrator.members] == ["pod-of-audio-in"]
    assert orchestrator.assigned_to("audio-in") == {0}
    assert orchestrator.lag(facts.topics["audio-in"]) == 0
    assert media.members[0].subscribed == {"audio-out"}
    assert media.lag(facts.topics["audio-out"]) is None


async def test_the_library_still_has_the_private_parts_that_diag_leans_on(settings: KafkaSettings) -> None:
    """Without them a metadata request could create the topics that it names: see connection.py."""
    version = importlib.metadata.version("aiokafka")
    async with open_consumer(settings) as consumer:
        for name in ("force_metadata_update", "set_topics", "add_topic"):
            part = getattr(getattr(consumer, "_client", None), name, None)
            assert callable(part), (
                f"aiokafka {version} has no consumer._client.{name} any more: see pyproject"
            )
    assert version.startswith("0.14."), f"aiokafka {version} is not the one that was tried: see pyproject"


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00\x00\x04\x00\x00\x00\x01"]
)
async def test_what_is_no_broker_is_a_failed_source(answer: bytes) -> None:
    """Whatever listens there: one line, in time."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for bootstrap in (f"127.0.0.1:{port}", "no-such-host.invalid:9092", f"{'a' * 63}.{'b' * 63}.invalid:1"):
        given = KafkaSettings(bootstrap, timeout_s=2.0)
        with pytest.raises(SourceError, match="Kafka at "):
            await read_broker(given, 0)
        with pytest.raises(SourceError, match="Kafka at "):
            await read_records(given, Window(0, 1), frozenset({S}), ID_KEYS)
    server.close()


async def test_diag_leaves_no_group_behind(settings: KafkaSettings) -> None:
    """It reads without joining and commits nothing."""
    before = set((await read_broker(settings, 0)).groups)
    now = time.time_ns()
    await read_records(settings, Window(now - 600 * NS_PER_S, now), frozenset({S}), ID_KEYS)

    assert set((await read_broker(settings, 0)).groups) == before
