"""Delivery: to exactly the session's own socket, and nothing at all without one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.delivery import ReplyDelivery, TextDelivery
from pipeline.orchestrator.failures import Trouble, of_stage
from pipeline.orchestrator.protocol import TRANSCRIPT
from pipeline.orchestrator.sockets import SendError
from pipeline.orchestrator.turn import Outcome, Turn
from pipeline.orchestrator.whereabouts import Away
from pipeline.wire.kafka import UNKNOWN_TOPIC
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.progress import Place
from pipeline.wire.records import SessionEvent, read_reply_audio
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"
FAR_AHEAD_MS = 10**15  # told after whatever happened here
TURN = Turn("turn_0a1b2c3d", Utterance(SESSION, 1, b"", 1, Place(0, 0), start_trace()))


@dataclass
class Sockets:
    """Sockets, of which some are broken."""

    sent: list[tuple[str, dict]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    async def send(self, connection_id: str, text: str) -> None:
        if connection_id in self.broken:
            raise SendError("the socket is closed")
        self.sent.append((connection_id, json.loads(text)))


@dataclass
class Link:
    """Another replica, which takes replies or not."""

    taken: list[SessionEvent] = field(default_factory=list)
    dead: bool = False

    def announce(self, event: SessionEvent) -> None:
        self.taken.append(event)

    async def forward(self, reply: SessionEvent) -> bool:
        self.taken.append(reply)
        return not self.dead


@pytest.fixture
def sockets() -> Sockets:
    """No socket is broken."""
    return Sockets()


@pytest.fixture
def link() -> Link:
    """The other replica lives."""
    return Link()


@pytest.fixture
def callers(lines) -> Callers:
    """The turn's session has a socket here."""
    callers = Callers("orchestrator-a")
    callers.bind(SESSION, "ws_1", None)
    return callers


@pytest.fixture
def metrics() -> SessionMetrics:
    """What is counted."""
    return SessionMetrics()


@pytest.fixture
def delivery(callers, sockets, link, publisher, metrics) -> ReplyDelivery:
    """The delivery of one orchestrator."""
    log = Log("orchestrator")
    texts = TextDelivery(callers, sockets, link, metrics, log)
    return ReplyDelivery(texts, callers, publisher, metrics=metrics, log=log)


async def test_a_text_goes_to_the_sessions_socket(delivery, sockets, lines) -> None:
    """Addressed, then delivered, each in a line."""
    assert await delivery.send_text(TURN, TRANSCRIPT, "hello") is Outcome.DELIVERED
    assert sockets.sent == [
        (
            "ws_1",
            {
                "event": TRANSCRIPT,
                "session_id": SESSION,
                "turn_id": TURN.turn_id,
                "message_id": "turn_0a1b2c3d/final_transcript",
                "text": "hello",
            },
        )
    ]
    assert lines.names() == ["reply-addressed", "reply-delivered"]
    assert lines.one("reply-delivered")["connection_id"] == "ws_1"
    assert "hello" not in str(lines.all)


async def test_audio_goes_by_kafka(delivery, publisher, lines) -> None:
    """Under the session's key, with the turn and the trace; the line has the broker's place."""
    assert await delivery.send_audio(TURN, b"\x01\x02") is Outcome.DELIVERED
    (record,) = publisher.records
    reply = read_reply_audio(record.key.encode(), record.value, record.headers)
    line = lines.one("reply-audio-published")

    assert (reply.turn_id, reply.pcm, reply.trace) == (TURN.turn_id, b"\x01\x02", TURN.utterance.trace)
    assert (line["topic"], line["partition"], line["offset"], line["bytes"]) == ("audio-out", 0, 0, 2)


async def test_without_a_socket_nothing_is_sent(delivery, callers, sockets, publisher, lines) -> None:
    """Neither text nor audio, even if another session has one; each message is counted."""
    callers.bind("session_1753615601372_another00", "ws_2", None)
    callers.release(SESSION, "ws_1", for_good=True)

    assert await delivery.send_text(TURN, TRANSCRIPT, "hello") is Outcome.WITHHELD
    assert await delivery.send_audio(TURN, b"\x01\x02") is Outcome.WITHHELD
    assert (sockets.sent, publisher.records) == ([], [])
    assert [line["message_type"] for line in lines.named("reply-withheld")] == [TRANSCRIPT, "reply_audio"]
    assert delivery._texts._metrics.registry.get_sample_value("voice_sessions_unmapped_total") == 2


async def test_a_caller_whose_socket_broke_is_waited_for(
    delivery, callers, sockets, lines, eventually
) -> None:
    """The failure is said; what could not be sent goes to the next socket."""
    sockets.broken = {"ws_1"}
    sending = asyncio.create_task(delivery.send_text(TURN, TRANSCRIPT, "hello"))
    await eventually(lambda: isinstance(callers.find(SESSION), Away))
    callers.bind(SESSION, "ws_2", None)

    assert await sending is Outcome.DELIVERED
    assert [connection_id for connection_id, _ in sockets.sent] == ["ws_2"]
    assert lines.names() == ["reply-addressed", "reply-undelivered", "reply-addressed", "reply-delivered"]


async def test_a_caller_who_stays_away_is_not_waited_for_without_end(
    delivery, callers, sockets, lines, monkeypatch
) -> None:
    """Nobody is addressed instead."""
    monkeypatch.setattr("pipeline.orchestrator.callers.PATIENCE_S", 0.01)
    callers.release(SESSION, "ws_1", for_good=False)

    assert await delivery.send_text(TURN, TRANSCRIPT, "hello") is Outcome.WITHHELD
    assert lines.names() == ["reply-addressed", "reply-withheld"]


async def test_a_caller_at_another_replica_is_reached_there(delivery, callers, link, sockets, lines) -> None:
    """The message is addressed to that replica, under the turn's trace; audio goes its usual way."""
    callers.hear(SessionEvent("bound", SESSION, "orchestrator-b", "ws_9"), FAR_AHEAD_MS)

    assert await delivery.send_text(TURN, TRANSCRIPT, "hello") is Outcome.DELIVERED
    assert await delivery.send_audio(TURN, b"\x01\x02") is Outcome.DELIVERED
    (reply,) = link.taken
    assert (reply.kind, reply.to, reply.replica) == ("reply", "orchestrator-b", "orchestrator-a")
    assert json.loads(reply.text)["text"] == "hello"
    assert reply.trace == TURN.utterance.trace
    assert sockets.sent == []
    assert lines.one("reply-forwarded")["replica"] == "orchestrator-b"


async def test_a_dead_replica_makes_its_callers_away(delivery, callers, link, sockets, lines) -> None:
    """When the caller turns up here, the reply follows."""
    link.dead = True
    callers.hear(SessionEvent("bound", SESSION, "orchestrator-b", "ws_9"), FAR_AHEAD_MS)
    sending = asyncio.create_task(delivery.send_text(TURN, TRANSCRIPT, "hello"))
    while not isinstance(callers.find(SESSION), Away):
        await asyncio.sleep(0)
    callers.bind(SESSION, "ws_2", None)

    assert await sending is Outcome.DELIVERED
    assert lines.one("reply-not-taken")["replica"] == "orchestrator-b"
    assert [connection_id for connection_id, _ in sockets.sent] == ["ws_2"]


async def test_a_turn_that_is_led_again_sends_no_text_twice(delivery, sockets, lines) -> None:
    """What was sent before the crash counts as delivered."""
    await delivery.send_text(TURN, TRANSCRIPT, "hello")

    assert await delivery.send_text(TURN, TRANSCRIPT, "hello") is Outcome.DELIVERED
    assert len(sockets.sent) == 1
    assert lines.named("reply-repeated")


@pytest.mark.parametrize("trouble", ["missing", "refused"])
async def test_audio_that_kafka_does_not_take_is_said(delivery, publisher, lines, trouble: str) -> None:
    """Whether at once or by the broker's answer."""
    setattr(publisher, trouble, UNKNOWN_TOPIC)

    assert await delivery.send_audio(TURN, b"\x01\x02") is Outcome.FAILED
    assert lines.names() == ["reply-addressed", "reply-audio-failed"]
    assert lines.one("reply-audio-failed")["error"] == UNKNOWN_TOPIC


async def test_a_notice_finds_the_caller_wherever_that_is(delivery, callers, sockets, link, lines) -> None:
    """Here by the socket, there by that replica, nowhere not at all; a socket that broke is no error."""
    notify = delivery._texts.notify
    await notify(SESSION, '{"event": "x"}')
    sockets.broken = {"ws_1"}
    await notify(SESSION, '{"event": "x"}')
    callers.hear(SessionEvent("bound", SESSION, "orchestrator-b", "ws_9"), FAR_AHEAD_MS)
    await notify(SESSION, '{"event": "x"}')
    await notify("session_1753615601372_another00", '{"event": "x"}')

    assert sockets.sent == [("ws_1", {"event": "x"})]
    assert [(event.kind, event.to) for event in link.taken] == [("notice", "orchestrator-b")]
    assert lines.all == []


async def test_a_failure_is_told_once_and_counted(delivery, sockets, metrics, lines) -> None:
    """With the turn, the stage and the reason, as any other message of the turn: a second one is known."""
    failure = of_stage("tts", Trouble.UNREACHABLE)
    for _ in range(2):
        await delivery.send_failure(TURN, failure)

    ((_, message),) = sockets.sent
    assert (message["event"], message["session_id"], message["turn_id"]) == (
        "turn_failed",
        SESSION,
        TURN.turn_id,
    )
    assert (message["stage"], message["error"]) == ("tts", "speech synthesis cannot be reached")
    assert lines.one("reply-delivered")["message_type"] == "turn_failed"
    assert metrics.registry.get_sample_value("voice_turns_failed_total", {"stage": "tts"}) == 2
