"""Whole calls, from the caller's first word to the last: real WebRTC and sockets, Kafka in memory."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field, replace

import pytest

from pipeline.frontend.caller import Listener, make_call
from pipeline.frontend.core import mint_browser_session_id
from pipeline.frontend.settings import Settings
from pipeline.media_server.replies import ReplyDesk
from pipeline.media_server.service import WhipEndpoint
from pipeline.media_server.service import build_app as build_media_server
from pipeline.orchestrator.caller_side import CallerSide
from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.delivery import ReplyDelivery, TextDelivery
from pipeline.orchestrator.desk import TurnDesk
from pipeline.orchestrator.failures import StageError, Trouble
from pipeline.orchestrator.intake import AudioIntake
from pipeline.orchestrator.journal import TurnJournal
from pipeline.orchestrator.replicas import ReplicaLink
from pipeline.orchestrator.service import build_app as build_orchestrator
from pipeline.orchestrator.sockets import ClientSockets
from pipeline.orchestrator.turn import TurnConductor
from pipeline.wire.kafka import OutgoingRecord, Placed
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.progress import Progress
from pipeline.wire.records import AUDIO_IN, AUDIO_OUT
from pipeline.wire.serving import Probes

TONE = b"".join(struct.pack("<h", int(9000 * math.sin(n / 6))) for n in range(8000))


class Stages:
    """Understands everything in the same way, once `failures` of recognition are over."""

    def __init__(self) -> None:
        self.first_speech = TONE
        self.failures = 0

    async def transcribe(self, turn, pcm: bytes) -> str:
        if self.failures:
            self.failures -= 1
            raise StageError("status 503 (attempt 3)", Trouble.REFUSED)
        return "hello"

    async def generate(self, turn, messages) -> str:
        return "good day"

    async def synthesize(self, turn, text: str) -> bytes:
        speech, self.first_speech = self.first_speech, TONE
        return speech


@dataclass
class MemoryKafka:
    """Hands every record to whoever consumes its topic."""

    takers: dict = field(default_factory=dict)
    sent: list[OutgoingRecord] = field(default_factory=list)

    async def send(self, record: OutgoingRecord):
        self.sent.append(record)
        offset = len(self.sent) - 1
        headers = tuple(record.headers)
        self.takers[record.topic](
            ConsumedRecord(record.topic, 0, offset, record.key.encode(), record.value, headers)
        )
        return MemoryPlace(Placed(0, offset))


@dataclass
class MemoryPlace:
    """Always stored."""

    place: Placed

    async def placed(self) -> Placed:
        return self.place


@pytest.fixture
def stages() -> Stages:
    """Their replies take half a second to say."""
    return Stages()


@pytest.fixture
async def call(lines, stages, start_client) -> Settings:
    """The settings of a call to a media server and an orchestrator that are there."""
    kafka = MemoryKafka()
    media_log, orchestrator_log = Log("media-server"), Log("orchestrator")
    metrics, media_metrics = SessionMetrics(), SessionMetrics()
    replies, callers = ReplyDesk(media_log), Callers("orchestrator-a")
    sockets = ClientSockets(callers, metrics, orchestrator_log)
    link = ReplicaLink("orchestrator-a", kafka, orchestrator_log)
    texts = TextDelivery(callers, sockets, link, metrics, orchestrator_log)
    delivery = ReplyDelivery(texts, callers, kafka, metrics=metrics, log=orchestrator_log)
    conductor = TurnConductor(
        stages, delivery, lambda _entry: None, callers.conversations, metrics=metrics, log=orchestrator_log
    )
    progress, journal = Progress(), TurnJournal(lambda _: None)
    desk = TurnDesk(conductor.run, delivery.send_failure, journal, progress, orchestrator_log)
    side = CallerSide(desk, texts.notify, metrics, orchestrator_log)
    intake = AudioIntake(side, progress, orchestrator_log)
    kafka.takers = {AUDIO_IN: intake.take, AUDIO_OUT: replies.take}
    whip = await start_client(
        build_media_server(
            WhipEndpoint(kafka, replies, media_metrics, media_log), Probes(), media_metrics, media_log
        )
    )
    ws = await start_client(build_orchestrator(sockets, Probes(), metrics, orchestrator_log))
    session_id = mint_browser_session_id()
    return Settings(
        whip_url=str(whip.make_url("/whip")),
        ws_urls=(str(ws.make_url("/ws")).replace("http", "ws"),),
        sentences=("Hello there",),
        session_id=session_id,
        socket_session_id=session_id,
        voice="slt",
        reply_timeout_s=60.0,
    )


@pytest.mark.part("flite")
async def test_a_call_is_answered(call, lines, eventually) -> None:
    """Heard, answered in text and sound; one trace on all lines; everything closed at the end."""
    notes: list[str] = []
    report = await make_call(call, notes.append)
    (turn,) = report.turns

    assert (turn.said, turn.heard, turn.reply) == ("Hello there", "hello", "good day")
    assert 300 < turn.reply_audio_ms < 5000
    assert 500 < turn.waited_ms < 60_000
    assert report.connected_ms is not None
    await eventually(lambda: lines.named("socket-closed"))
    assert lines.one("connection-cleaned")
    assert lines.one("socket-closed")["code"] == 1000
    assert lines.one("turn-finished")["outcome"] == "delivered"
    traces = {line[TRACE_KEY] for line in lines.all if line["message"] != "WebSocket client connected"}
    assert traces == {report.trace_id}
    assert notes[-1] == "hears: good day"


@pytest.mark.part("flite")
async def test_a_caller_whose_turn_fails_is_told_and_the_next_one_is_answered(call, stages, lines) -> None:
    """At once, not after the caller's patience; why stands in the report and in the note."""
    stages.failures = 1
    notes: list[str] = []
    twice = replace(call, sentences=("Hello there", "Hello again"))
    first, second = (await make_call(twice, notes.append)).turns

    assert (first.reply, first.reply_audio_ms) == (None, 0)
    assert first.failed == "speech recognition reported an error"
    assert first.waited_ms < 30_000
    assert "hears: nothing (speech recognition reported an error)" in notes
    assert (second.reply, second.failed) == ("good day", None)
    assert [line["outcome"] for line in lines.named("turn-finished")] == ["failed", "delivered"]


@pytest.mark.part("flite")
async def test_a_caller_with_another_id_on_its_socket_hears_nothing(call, lines, eventually) -> None:
    """Neither text nor sound: the reply is withheld, and the caller cannot know why."""
    other = replace(call, socket_session_id=mint_browser_session_id(), reply_timeout_s=2.0)
    report = await make_call(other, lambda _text: None)
    (turn,) = report.turns

    assert (turn.heard, turn.reply, turn.reply_audio_ms) == (None, None, 0)
    assert turn.waited_ms >= 2000
    await eventually(lambda: lines.named("turn-finished"))
    assert (report.session_id, report.socket_session_id) == (call.session_id, other.socket_session_id)
    assert lines.one("turn-finished")["outcome"] == "withheld"
    assert len(lines.named("reply-withheld")) == 3
    assert lines.named("reply-played") == []


async def test_a_call_that_the_other_side_ends_is_noted_with_the_reason() -> None:
    """A media server that is stopped says so: what is not answered from then on is no riddle."""

    class Socket:
        async def messages(self):
            yield {"event": "session_ended", "reason": "the media server shuts down"}

    notes: list[str] = []
    await Listener(notes.append).read_socket(Socket())

    assert notes == ["the call was ended: the media server shuts down"]


@pytest.mark.part("flite")
async def test_without_a_server_there_is_no_call(call) -> None:
    """The report says so, a note says why."""
    notes: list[str] = []
    report = await make_call(replace(call, whip_url="http://127.0.0.1:9/whip"), notes.append)

    assert (report.connected_ms, report.turns) == (None, ())
    assert notes[-1].startswith("no WHIP at http://127.0.0.1:9/whip")


@pytest.mark.part("flite")
async def test_a_caller_who_interrupts_speaks_over_the_reply_and_is_answered(call, stages, lines) -> None:
    """The reply falls silent long before its end; both sides say which turn was broken off, and by what."""
    stages.first_speech = TONE * 16
    twice = replace(call, sentences=("Hello there", "I would like a table"), interrupt=True)
    first, second = (await make_call(twice, lambda _text: None)).turns

    assert first.silenced_ms is not None
    assert first.silenced_ms < 6_000  # of 8 s
    assert first.reply_audio_ms < 7_500
    assert (second.heard, second.silenced_ms) == ("hello", None)
    stopped, interrupted = lines.one("reply-stopped"), lines.one("turn-interrupted")
    broken_off = lines.named("turn-started")[0]["turn_id"]
    assert {line["turn_id"] for line in (stopped, interrupted)} == {broken_off}
    assert {line["utterance"] for line in (stopped, interrupted)} == {2}
