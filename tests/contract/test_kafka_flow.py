"""The Kafka flow of a session, from its log lines and a real broker to what diag says."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition

from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.model.diagnosis import Diagnosis
from diag.model.flow import TopicFlow
from diag.model.instants import NS_PER_MS, NS_PER_S, format_instant
from diag.model.settings import KafkaSettings, Settings, TopicSettings
from diag.model.topics import Path as TopicPath
from diag.model.topics import WantedTopic
from diag.sources.kafka import create_topics, read_broker
from diag.sources.kafka.connection import open_admin
from tests.contract.kafka_broker import AUTHORISED, run_broker
from tests.contract.kafka_wire import DESCRIBE, EVERYTHING, allow, join_new_group

pytestmark = [pytest.mark.part("kafka"), pytest.mark.asyncio(loop_scope="module")]

OWNER = "orchestrator-group-v2"
WIDE = "audio-wide"
"""A topic of three partitions that the owner's group should read."""
_WIDE_TOPIC = WantedTopic(WIDE, TopicPath.AUDIO, 3)

_LATER_NS = 5 * NS_PER_S
"""It is asked when nothing can be on its way any more."""

_MIGRATING = "group.consumer.migration.policy=bidirectional\n"
_WANTED = f"""
[[topic]]
name = "audio-in"
path = "audio"
partitions = 1
producers = ["media-server"]
readers = [{{ group = "{OWNER}", service = "orchestrator" }}]

[[topic]]
name = "{WIDE}"
path = "audio"
partitions = 3
producers = ["media-server"]
readers = [{{ group = "{OWNER}", service = "orchestrator" }}]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaSettings]:
    """A broker that obeys access rules, with the topics that are wanted."""
    folder: Path = tmp_path_factory.mktemp("broker")
    async with run_broker(folder, lambda properties: properties + AUTHORISED + _MIGRATING) as running:
        settings = KafkaSettings(running.bootstrap)
        topics = (WantedTopic("audio-in", TopicPath.AUDIO, 1), _WIDE_TOPIC)
        await create_topics(settings, topics)
        yield settings


@dataclass(frozen=True)
class Sent:
    """A record that the broker took."""

    partition: int
    offset: int
    time_ns: int


@dataclass
class Call:
    """One session that nobody else has written about, and what diag makes of it."""

    broker: KafkaSettings
    folder: Path
    session_id: str

    async def send(
        self, topic: str, sent_ms: Sequence[int], *, partitions: Sequence[int] = (0,)
    ) -> list[Sent]:
        """One record for each time, counted from the first second of the session, partition by partition."""
        producer = AIOKafkaProducer(bootstrap_servers=self.broker.bootstrap)
        await producer.start()
        found = []
        for place, ms in enumerate(sent_ms):
            begun_ns = time.time_ns()
            headers = [("timestamp", str(self.begin_ns + ms * NS_PER_MS).encode())]
            put = await producer.send_and_wait(
                topic,
                b"x",
                key=self.session_id.encode(),
                headers=headers,
                partition=partitions[place % len(partitions)],
            )
            found.append(Sent(put.partition, put.offset, put.timestamp * NS_PER_MS))
            while time.time_ns() // NS_PER_MS == begun_ns // NS_PER_MS:
                pass  # no two records of one millisecond: the broker's times are to tell them apart
        await producer.stop()
        return found

    async def send_earlier(self, topic: str) -> None:
        """A record of an hour ago that is nobody's."""
        producer = AIOKafkaProducer(bootstrap_servers=self.broker.bootstrap)
        await producer.start()
        await producer.send_and_wait(
            topic, b"x", partition=2, timestamp_ms=self.begin_ns // NS_PER_MS - 3_600_000
        )
        await producer.stop()

    @property
    def begin_ns(self) -> int:
        """When its ID was minted."""
        return int(self.session_id.split("_")[1]) * NS_PER_MS

    async def commit(self, group: str, topic: str, offsets: dict[int, int]) -> None:
        """What a consumer of `group` that came so far leaves behind."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.broker.bootstrap, group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        consumer.assign([TopicPartition(topic, p) for p in offsets])
        await consumer.commit({TopicPartition(topic, p): offset for p, offset in offsets.items()})
        await consumer.stop()

    async def read_all(self, group: str, topic: str) -> None:
        """A real member of `group` that reads `topic` to its end."""
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self.broker.bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            await consumer.getmany(timeout_ms=200)
        await consumer.commit()
        await consumer.stop()

    async def diagnose(self, topic: str, *published: Sent) -> Diagnosis:
        """The whole way: the lines from a file, the rest from the broker."""
        lines = [self._line("Using session ID from header", self.begin_ns + NS_PER_MS)]
        lines += [
            self._line(
                "Audio published to Kafka successfully",
                one.time_ns,
                topic=topic,
                partition=one.partition,
                first_offset=one.offset,
                last_offset=one.offset,
                records=1,
            )
            for one in published
        ]
        log, wanted = self.folder / f"{self.session_id}.json", self.folder / "topics.toml"
        log.write_text("\n".join(map(json.dumps, lines)))
        wanted.write_text(_WANTED)
        settings = Settings(kafka=self.broker, topics=TopicSettings(str(wanted)))
        later_ns = time.time_ns() + _LATER_NS
        request = SessionRequest(asked=self.session_id, settings=settings, now_ns=later_ns, files=(str(log),))
        answer = await diagnose_session(request)
        assert isinstance(answer, Diagnosis)
        return answer

    async def flow(self, topic: str, *published: Sent) -> TopicFlow:
        """What diag says of one topic."""
        diagnosis = await self.diagnose(topic, *published)
        return next(flow for flow in diagnosis.session.flows if flow.topic == topic)

    def _line(self, message: str, at_ns: int, **fields: object) -> dict:
        return {
            "timestamp": format_instant(at_ns),
            "insertId": secrets.token_hex(8),
            "resource": {
                "type": "k8s_container",
                "labels": {"pod_name": "media-server-6f46659ddf-n25zw", "container_name": "media-server"},
            },
            "jsonPayload": {"level": "info", "msg": message, "sessionID": self.session_id, **fields},
        }


@pytest.fixture
def call(broker: KafkaSettings, tmp_path: Path) -> Call:
    """A session that begins now."""
    return Call(broker, tmp_path, f"session_{time.time_ns() // NS_PER_MS}_{secrets.token_hex(4)}0")


async def test_an_owner_that_read_all_and_a_stranger_that_read_along(call: Call) -> None:
    """Two real groups read to the end: the owner's consumption and the stranger's are told apart."""
    sent = await call.send("audio-in", [100, 120, 140])
    await call.read_all(OWNER, "audio-in")
    alone = await call.flow("audio-in", *sent)
    await call.read_all("auditor", "audio-in")
    both = await call.flow("audio-in", *sent)

    assert (alone.produced, alone.stored, alone.consumed, alone.consumed_by_other) == (3, 3, 3, 0)
    assert (alone.lagging, alone.expired, alone.lag, alone.order.inversions, alone.notes) == (0, 0, 0, 0, ())
    assert (both.consumed, both.consumed_by_other, both.lagging) == (3, 3, 0)
    assert both.notes == ("also read by group auditor (3 of 3)",)


async def test_an_owner_that_lags_is_told_in_this_sessions_records_and_in_everybodys(call: Call) -> None:
    """Two of three are still to come for it; behind them stand others' records, which are not the session's."""
    sent = await call.send("audio-in", [100, 120, 140])
    other = Call(call.broker, call.folder, call.session_id + "other")
    await other.send("audio-in", [200, 220, 240, 260])
    await call.commit(OWNER, "audio-in", {0: sent[1].offset})

    flow = await call.flow("audio-in", *sent)

    assert (flow.stored, flow.consumed, flow.lagging, flow.lag) == (3, 1, 2, 6)
    assert any(
        f"has 2 of 3 still to read in partition 0 (it stands at {sent[1].offset}, 6" in n for n in flow.notes
    )


async def test_records_that_were_deleted_are_expired_and_not_lost(call: Call) -> None:
    """The offsets that the lines name lie below the log's beginning; what was never stored is none of them."""
    sent = await call.send("audio-in", [100, 120, 140])
    await call.commit(OWNER, "audio-in", {0: sent[-1].offset + 1})
    never = Sent(0, sent[-1].offset + 500, sent[-1].time_ns)
    before = await call.flow("audio-in", *sent)
    async with open_admin(call.broker) as admin:
        await admin.delete_records({TopicPartition("audio-in", 0): RecordsToDelete(sent[1].offset + 1)})
    after = await call.flow("audio-in", *sent)

    assert (before.stored, before.expired) == (3, 0)
    assert (after.produced, after.stored, after.expired) == (3, 1, 2)
    assert any(
        f"2 records of it stored, and gone now: the log begins at offset {sent[2].offset} in 0" in n
        for n in after.notes
    )
    assert any("though it keeps 7 days: deleted, or out of room" in n for n in after.notes)
    assert (await call.flow(WIDE, never)).expired == 1  # that log's end is not so far: it was another one


async def test_a_topic_that_is_gone_or_made_anew_took_its_records_with_it(call: Call) -> None:
    """The lines name offsets that only the earlier one can have given."""
    sent = await call.send(WIDE, [100, 120])
    async with open_admin(call.broker) as admin:
        await admin.delete_topics([WIDE])
    async with asyncio.timeout(60):
        while WIDE in (await read_broker(call.broker, 0)).topics:
            pass  # the broker deletes in its own time
    gone = await call.flow(WIDE, *sent)
    async with asyncio.timeout(60):
        while any(one.error for one in await create_topics(call.broker, (_WIDE_TOPIC,))):
            pass
    anew = await call.flow(WIDE, *sent)

    assert (gone.stored, gone.expired) == (0, 2)
    assert "does not exist on the broker" in gone.notes
    assert (anew.stored, anew.expired) == (0, 2)
    assert any("made anew" in note for note in anew.notes)


async def test_what_was_never_stored_is_not_called_expired(call: Call) -> None:
    """A producer that waits for no answer knows no offset; nothing was removed, so it never came."""
    await call.send_earlier(WIDE)
    sent = await call.send(WIDE, [100, 120])
    unconfirmed = Sent(0, -1, sent[-1].time_ns)
    diagnosis = await call.diagnose(WIDE, *sent, unconfirmed)

    flow = next(flow for flow in diagnosis.session.flows if flow.topic == WIDE)
    assert (flow.produced, flow.stored, flow.expired) == (3, 2, 0)
    found = [finding.slug for finding in diagnosis.findings]
    assert "kafka-publish-unconfirmed" in found


async def test_one_key_over_partitions_and_records_out_of_order(call: Call) -> None:
    """Within a partition by offsets, over partitions by the records' own times."""
    turned = await call.send("audio-in", [100, 160, 120, 140])
    spread = await call.send(WIDE, [100, 160, 120], partitions=(0, 1, 2))
    within, across = await call.flow("audio-in", *turned), await call.flow(WIDE, *spread)

    assert (within.order.inversions, within.order.across, within.order.spread) == (2, 0, {})
    first = within.order.examples[0]
    assert (first.record.offset, first.behind.offset) == (turned[2].offset, turned[1].offset)
    assert (across.order.inversions, across.order.across) == (0, 1)
    assert across.order.spread == {call.session_id: (0, 1, 2)}
    assert any("one key lies in 3 partitions" in note for note in across.notes)


async def test_a_live_group_of_the_newer_protocol_is_not_called_dead(call: Call) -> None:
    """KIP-848: the older call sees neither state nor members; the commits are right, and they decide."""
    sent = await call.send("audio-in", [100, 120])
    group = f"new-{secrets.token_hex(4)}"
    await call.commit(group, "audio-in", {0: sent[0].offset + 1})
    await join_new_group(call.broker.bootstrap, group, "audio-in")

    facts = (await read_broker(call.broker, 0)).groups[group]
    flow = await call.flow("audio-in", *sent)

    assert (facts.members, facts.members_known, facts.commits_known) == ((), False, True)
    assert flow.consumed_by_other is not None
    followed = next(one for one in flow.groups if one.group == group)
    assert (followed.consumed, followed.lagging) == (1, 1)
    assert not any("dead" in note.lower() for note in flow.notes)


async def test_a_topic_that_may_not_be_read_costs_no_other_one(call: Call) -> None:
    """Its records are unknown, with the reason; the rest is told whole."""
    sent = await call.send("audio-in", [100, 120])
    await create_topics(call.broker, (WantedTopic("sealed", TopicPath.AUDIO, 1),))
    await call.send("sealed", [100])
    await allow(call.broker.bootstrap, "sealed", DESCRIBE)

    diagnosis = await call.diagnose("audio-in", *sent)
    facts = (await read_broker(call.broker, 0)).topics["sealed"]
    await allow(call.broker.bootstrap, "sealed", EVERYTHING)  # the other tests read all there is

    flows = {flow.topic: flow for flow in diagnosis.session.flows}
    assert (flows["audio-in"].stored, flows["audio-in"].complete) == (2, True)
    coverage = diagnosis.coverage.find("kafka")
    assert coverage is not None
    assert coverage.notes == ("the broker does not let diag read sealed; grant READ on this topic",)
    assert (facts.offsets, facts.settings) == ({0: (0, 1)}, {})


async def test_the_oldest_record_and_what_a_topic_keeps_are_read(call: Call) -> None:
    """What expiry is judged by."""
    (sent,) = await call.send(WIDE, [100])
    facts = (await read_broker(call.broker, 0)).topics[WIDE]

    assert facts.settings == {
        "cleanup.policy": "delete",
        "retention.ms": "604800000",
        "retention.bytes": "-1",
    }
    assert facts.first_ns[0] <= sent.time_ns
