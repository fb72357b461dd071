"""What replicas tell each other: replies are taken once, in time, and by the one that is asked."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from pipeline.orchestrator import replicas
from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.memory import StoredExchange
from pipeline.orchestrator.replicas import ReplicaLink
from pipeline.orchestrator.whereabouts import There
from pipeline.wire.kafka import UNKNOWN_TOPIC
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import Log
from pipeline.wire.records import SESSION_EVENTS, RecordError, SessionEvent, read_session_event
from pipeline.wire.tracing import start_trace

SESSION, OTHER = "session_1753615601372_cz4gw0fl5", "session_1753615601373_abcdefghi"
REPLY = SessionEvent(
    "reply", SESSION, "b", to="a", turn_id="turn_0a1b2c3d", message_type="x", text="{}", trace=start_trace()
)
NOW_MS = 10**15


def _record(event: SessionEvent, timestamp_ms: int = NOW_MS) -> ConsumedRecord:
    key, value = event.session_id.encode(), event.to_value()
    return ConsumedRecord(SESSION_EVENTS, 0, 7, key, value, event.to_headers(), timestamp_ms)


class World:
    """Replica a, and what it is asked to do."""

    def __init__(self, publisher) -> None:
        self.publisher = publisher
        self.callers = Callers("a")
        self.delivered: list[SessionEvent] = []
        self.lost: list[str] = []
        self.link = ReplicaLink("a", publisher, Log("orchestrator"))
        self.link.connect(self.callers, self, self.lose)

    async def deliver_here(self, event: SessionEvent) -> bool:
        self.delivered.append(event)
        return True

    async def notify_here(self, notice: SessionEvent) -> None:
        self.delivered.append(notice)

    async def lose(self, connection_id: str) -> None:
        self.lost.append(connection_id)

    def told(self) -> list[SessionEvent]:
        """What it has told the others."""
        return [read_session_event(r.key.encode(), r.value, r.headers) for r in self.publisher.records]


@pytest.fixture
async def world(publisher, lines):
    """The link runs."""
    world = World(publisher)
    running = asyncio.create_task(world.link.run())
    yield world
    running.cancel()
    await asyncio.wait({running})
    await world.link.stop()


def test_an_event_survives_kafka() -> None:
    """Every field, and the trace."""
    key, value, headers = SESSION.encode(), REPLY.to_value(), REPLY.to_headers()

    assert read_session_event(key, value, headers) == REPLY


def test_fields_of_a_later_version_are_passed_over() -> None:
    """Its replicas run beside this one while a deployment is rolled."""
    value = json.dumps({**json.loads(REPLY.to_value()), "mood": "good"}).encode()

    assert read_session_event(SESSION.encode(), value, REPLY.to_headers()) == REPLY


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "\ud800"},
        {"replica": "b" * 1_000_000},
        {"message_type": "\udfff"},
        {"turn_id": "t" * 300},
        {"at_ms": "1"},
        {"delivered": "yes"},
    ],
)
def test_an_event_that_nothing_behind_could_pass_on_is_refused(wrong) -> None:
    """Half a character breaks a socket, and a name without end would stand in memory and in log lines."""
    value = json.dumps({**json.loads(REPLY.to_value()), **wrong}).encode()

    with pytest.raises(RecordError):
        read_session_event(SESSION.encode(), value, REPLY.to_headers())


async def test_a_reply_for_this_replica_is_delivered_and_answered(world, eventually) -> None:
    """The one who asked hears what became of it."""
    world.link.take(_record(REPLY))
    await eventually(world.told)
    (answer,) = world.told()

    assert world.delivered == [REPLY]
    assert (answer.kind, answer.replica, answer.turn_id, answer.delivered) == (
        "taken",
        "a",
        REPLY.turn_id,
        True,
    )
    assert answer.trace == REPLY.trace


async def test_a_notice_is_passed_on_and_not_answered(world, eventually) -> None:
    """Nobody waits for what became of it."""
    notice = SessionEvent("notice", SESSION, "b", to="a", text="{}")
    world.link.take(_record(notice))
    await eventually(lambda: world.delivered == [notice])

    assert world.told() == []


async def test_old_replies_and_those_for_others_are_left_alone(world) -> None:
    """Whoever waited for them has given up, or asked somebody else."""
    world.link.take(_record(REPLY, timestamp_ms=1))
    world.link.take(_record(SessionEvent("reply", SESSION, "b", to="c", turn_id="turn_0a1b2c3d")))
    world.link.take(_record(SessionEvent("reply", SESSION, "a", to="a", turn_id="turn_0a1b2c3d")))
    await asyncio.sleep(0)

    assert world.delivered == []


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_forwarded_reply_waits_for_its_answer(world, eventually, delivered: bool) -> None:
    """And believes it."""
    mine = SessionEvent("reply", SESSION, "a", to="b", turn_id="turn_0a1b2c3d", message_type="x")
    forwarding = asyncio.create_task(world.link.forward(mine))
    await eventually(world.told)
    taken = SessionEvent(
        "taken", SESSION, "b", turn_id="turn_0a1b2c3d", message_type="x", delivered=delivered
    )
    world.link.take(_record(taken))

    assert await forwarding is delivered


@pytest.mark.parametrize("missing", [None, UNKNOWN_TOPIC])
async def test_a_replica_that_does_not_answer_has_not_taken_it(world, missing, monkeypatch) -> None:
    """Neither has one that cannot be asked; nobody waits for ever."""
    monkeypatch.setattr(replicas, "TAKEN_S", 0.01)
    world.publisher.missing = missing

    assert await world.link.forward(REPLY) is False


async def test_a_session_that_moves_loses_its_socket_here(world, eventually) -> None:
    """The other replica has it now."""
    world.callers.bind(SESSION, "ws_1", None)
    world.link.take(_record(SessionEvent("bound", SESSION, "b", "ws_2")))
    await eventually(lambda: world.lost == ["ws_1"])

    assert world.callers.find(SESSION) == There("b")


async def test_a_foreign_record_is_refused_with_its_place(world, lines) -> None:
    """Whatever somebody writes there."""
    for value in (b"{", b"[]", b'{"kind": 7}', b'{"no": "field"}', b"\xff", None):
        world.link.take(ConsumedRecord(SESSION_EVENTS, 0, 7, SESSION.encode(), value, ()))
    key = b"session_of_somebody_else"
    world.link.take(ConsumedRecord(SESSION_EVENTS, 0, 8, key, REPLY.to_value(), ()))

    assert [line["offset"] for line in lines.named("record-refused")] == [7] * 6 + [8]


async def test_a_binding_that_kafka_missed_is_told_once_it_is_back(world, eventually, monkeypatch) -> None:
    """With the time when it came about, so that it displaces nothing newer; what is over is not told."""
    monkeypatch.setattr(replicas, "AGAIN_S", 0.01)
    world.publisher.missing = UNKNOWN_TOPIC
    here = Callers("a", world.link.announce)
    world.link.connect(here, world, world.lose)
    before_ms = time.time_ns() // 1_000_000
    here.bind(SESSION, "ws_1", None)
    here.bind(OTHER, "ws_2", None)
    here.release(OTHER, "ws_2", for_good=True)
    await world.link.flush(60)
    after_ms = time.time_ns() // 1_000_000
    world.publisher.missing = None
    await eventually(world.told)
    (told,) = world.told()

    assert (told.kind, told.session_id, told.connection_id) == ("bound", SESSION, "ws_1")
    assert before_ms <= told.at_ms <= after_ms


async def test_who_is_here_is_told_again_and_again(publisher, lines, eventually, monkeypatch) -> None:
    """Also while there is something else to tell all the time: a new replica reads no further back."""
    monkeypatch.setattr(replicas, "TELL_EVERY_S", 0.05)
    world = World(publisher)
    world.callers.bind(SESSION, "ws_1", None)
    running = asyncio.create_task(world.link.run())

    def keep_busy() -> bool:
        world.link.announce(REPLY)
        return [event.kind for event in world.told()].count("bound") >= 3

    await eventually(keep_busy)
    running.cancel()
    await asyncio.wait({running})

    assert len({event.at_ms for event in world.told() if event.kind == "bound"}) == 1


async def test_a_thousand_callers_are_told_of_without_holding_up_an_answer(
    publisher, lines, eventually, monkeypatch
) -> None:
    """Whoever waits for a `taken` does not wait for one answer of Kafka after the other."""
    monkeypatch.setattr(replicas, "TELL_EVERY_S", 0.0)
    publisher.held = asyncio.Event()
    world = World(publisher)
    for number in range(1_000):
        world.callers.bind(f"session_{number}", "ws_1", None)
    running = asyncio.create_task(world.link.run())
    await eventually(lambda: len(publisher.records) >= 1_000)  # not one was answered yet
    running.cancel()
    await asyncio.wait({running})


async def test_a_session_is_known_by_its_last_binding_whatever_is_told_again(world) -> None:
    """A replica that has not heard yet that its caller went on speaks of the past."""
    world.link.take(_record(SessionEvent("bound", SESSION, "b", at_ms=1_000)))
    world.link.take(_record(SessionEvent("bound", SESSION, "c", at_ms=2_000)))
    world.link.take(_record(SessionEvent("bound", SESSION, "b", at_ms=1_000)))
    assert world.callers.find(SESSION) == There("c")

    world.link.take(_record(SessionEvent("bound", SESSION, "c", at_ms=2_000)))
    assert world.callers.find(SESSION) == There("c")


async def test_a_conversation_goes_on_at_another_replica(publisher, world) -> None:
    """Whoever leads the next turn knows what was said in the ones before."""
    told: list[SessionEvent] = []
    there = Callers("b", told.append)
    for number in (1, 2):
        there.conversations.add(
            StoredExchange(f"turn_{number}", SESSION, f"said {number}", f"answer {number}")
        )
    for event in told:
        world.link.take(_record(event))
    messages = world.callers.conversations.to_messages(SESSION, "turn_3", "now")

    assert [message["content"] for message in messages[1:]] == [
        "said 1",
        "answer 1",
        "said 2",
        "answer 2",
        "now",
    ]


async def test_a_replica_that_starts_knows_a_call_that_was_silent_for_long(
    publisher, world, eventually, monkeypatch
) -> None:
    """It reads half an hour; what was said before that is told again by the one who has the caller."""
    there = Callers("b")
    there.bind(SESSION, "ws_1", None)
    there.bind(OTHER, "ws_2", None)
    there.conversations.add(StoredExchange("turn_1", SESSION, "said long ago", "answered long ago"))
    monkeypatch.setattr(replicas, "TELL_EVERY_S", 0.05)
    link = ReplicaLink("b", publisher, Log("orchestrator"))
    link.connect(there, world, world.lose)
    running = asyncio.create_task(link.run())
    await eventually(lambda: [event.kind for event in world.told()].count("conversation"))
    running.cancel()
    await asyncio.wait({running})
    for event in world.told():
        world.link.take(_record(event))
    asked = world.callers.conversations.to_messages(SESSION, "turn_2", "now")

    assert [message["content"] for message in asked[1:]] == ["said long ago", "answered long ago", "now"]
    assert OTHER not in world.callers.conversations


@pytest.mark.parametrize("text", ["", "7", "[]", "[[1]]", '[["turn_2", "a", 7]]', "{", "[" * 10_000])
async def test_a_foreign_conversation_changes_nothing(world, text: str) -> None:
    """Whatever somebody writes there."""
    world.callers.conversations.add(StoredExchange("turn_1", SESSION, "said", "answer"))
    world.link.take(_record(SessionEvent("conversation", SESSION, "b", text=text)))

    assert len(world.callers.conversations.to_messages(SESSION, "turn_2", "now")) == 4


async def test_a_missing_topic_is_said_once(world, lines, eventually) -> None:
    """Not for each event; and again after it had worked."""
    world.publisher.missing = UNKNOWN_TOPIC
    for _ in range(3):
        world.link.announce(REPLY)
    await world.link.flush(60)
    world.publisher.missing = None
    world.link.announce(REPLY)
    await world.link.flush(60)
    world.link.failed(UNKNOWN_TOPIC)

    assert [line["error"] for line in lines.named("replicas-unreachable")] == [UNKNOWN_TOPIC] * 2
