"""Delivery: to exactly the session's own socket, and nothing at all without one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.delivery import ReplyDelivery
from pipeline.orchestrator.protocol import TRANSCRIPT
from pipeline.orchestrator.sockets import SendError
from pipeline.orchestrator.turn import Outcome, Turn
from pipeline.wire.kafka import UNKNOWN_TOPIC
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.records import read_reply_audio
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"
TURN = Turn("turn_0a1b2c3d", Utterance(SESSION, 1, b"", 1, start_trace()))


@dataclass
class Sockets:
    """Sockets by session."""

    bound: dict[str, str] = field(default_factory=dict)
    sent: list[tuple[str, dict]] = field(default_factory=list)
    broken: bool = False

    def find_connection(self, session_id: str) -> str | None:
        return self.bound.get(session_id)

    async def send(self, connection_id: str, text: str) -> None:
        if self.broken:
            raise SendError("the socket is closed")
        self.sent.append((connection_id, json.loads(text)))


@pytest.fixture
def sockets() -> Sockets:
    """One socket, of the turn's session."""
    return Sockets({SESSION: "ws_1"})


@pytest.fixture
def delivery(sockets, publisher, lines) -> ReplyDelivery:
    """The delivery of one orchestrator."""
    return ReplyDelivery(sockets, publisher, SessionMetrics(), Log("orchestrator"))


async def test_a_text_goes_to_the_sessions_socket(delivery, sockets, lines) -> None:
    """Addressed, then delivered, each in a line."""
    assert await delivery.send_text(TURN, TRANSCRIPT, "hello") is Outcome.DELIVERED
    assert sockets.sent == [
        (
            "ws_1",
            {"event": TRANSCRIPT, "session_id": SESSION, "turn_id": TURN.turn_id, "text": "hello"},
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


async def test_without_a_socket_nothing_is_sent(delivery, sockets, publisher, lines) -> None:
    """Neither text nor audio, even if another session has one."""
    sockets.bound = {"session_1753615601372_another00": "ws_1"}

    assert await delivery.send_text(TURN, TRANSCRIPT, "hello") is Outcome.WITHHELD
    assert await delivery.send_audio(TURN, b"\x01\x02") is Outcome.WITHHELD
    assert (sockets.sent, publisher.records) == ([], [])
    assert [line["message_type"] for line in lines.named("reply-withheld")] == [TRANSCRIPT, "reply_audio"]


async def test_a_socket_that_fails_is_said(delivery, sockets, lines) -> None:
    """Not delivered is not delivered."""
    sockets.broken = True

    assert await delivery.send_text(TURN, TRANSCRIPT, "hello") is Outcome.FAILED
    assert lines.names() == ["reply-addressed", "reply-undelivered"]


@pytest.mark.parametrize("trouble", ["missing", "refused"])
async def test_audio_that_kafka_does_not_take_is_said(delivery, publisher, lines, trouble: str) -> None:
    """Whether at once or by the broker's answer."""
    setattr(publisher, trouble, UNKNOWN_TOPIC)

    assert await delivery.send_audio(TURN, b"\x01\x02") is Outcome.FAILED
    assert lines.names() == ["reply-addressed", "reply-audio-failed"]
    assert lines.one("reply-audio-failed")["error"] == UNKNOWN_TOPIC
