"""Replies: to the right session, in order, and said once they were played."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.media_server.replies import ReplyDesk, ReplyPlayer
from pipeline.wire.audio_tracks import FRAME_BYTES, PacedTrack
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.records import ReplyAudio
from pipeline.wire.tracing import start_trace

SESSION, OTHER = "session_1753615601372_cz4gw0fl5", "session_1753615601373_abcdefghi"


def _record(reply: ReplyAudio) -> ConsumedRecord:
    return ConsumedRecord("audio-out", 0, 7, reply.session_id.encode(), reply.pcm, reply.to_headers())


@pytest.fixture
def desk(lines) -> ReplyDesk:
    """The desk of one media server."""
    return ReplyDesk(Log("media-server"))


def test_a_reply_reaches_its_session_only(desk, lines) -> None:
    """By the record's key."""
    taken: list[ReplyAudio] = []
    desk.register(OTHER, lambda _reply: pytest.fail("not for this session"))
    desk.register(SESSION, taken.append)
    desk.take(_record(ReplyAudio(SESSION, "turn_0a1b2c3d", b"\x01\x02")))

    assert [reply.turn_id for reply in taken] == ["turn_0a1b2c3d"]
    assert lines.all == []


def test_a_reply_for_elsewhere_is_noted_under_its_trace(desk, lines) -> None:
    """Another pod may have the session, or it has ended."""
    trace = start_trace()
    desk.register(SESSION, lambda _reply: pytest.fail("it has ended"))
    assert desk.unregister(SESSION)
    assert not desk.unregister(SESSION)
    desk.take(_record(ReplyAudio(SESSION, "turn_0a1b2c3d", b"\x01\x02", trace)))

    assert lines.one("reply-not-here")["session_id"] == SESSION
    assert lines.one("reply-not-here")[TRACE_KEY] == trace.trace_id


def test_a_broken_record_is_refused_and_forgotten(desk, lines) -> None:
    """With its place, so that it can be looked up."""
    desk.take(ConsumedRecord("audio-out", 1, 9, None, b"\x01", ()))
    line = lines.one("record-refused")

    assert (line["topic"], line["partition"], line["offset"]) == ("audio-out", 1, 9)


def test_a_failing_consumer_is_said(desk, lines) -> None:
    """In the reference system's words."""
    desk.failed("Kafka is not connected")
    desk.assigned((0,))

    assert lines.one("reply-read-failed")["error"] == "Kafka is not connected"


async def test_a_reply_is_played_when_it_has_left(lines, eventually) -> None:
    """Not when it was queued."""
    track = PacedTrack()
    player = ReplyPlayer(track, Log("media-server").bind(None, session_id=SESSION))
    task = asyncio.create_task(player.run())
    player.put(ReplyAudio(SESSION, "turn_0a1b2c3d", b"\x01" * FRAME_BYTES * 2))
    await track.recv()
    await asyncio.sleep(0)
    assert lines.all == []

    await track.recv()
    await eventually(lambda: lines.all)
    line = lines.one("reply-played")
    assert (line["turn_id"], line["bytes"], line["audio_ms"]) == ("turn_0a1b2c3d", 1280, 40)
    track.stop()
    task.cancel()
    await asyncio.wait({task})


async def test_too_many_waiting_replies_are_dropped_aloud(lines) -> None:
    """The queue is bounded."""
    player = ReplyPlayer(PacedTrack(), Log("media-server").bind(None, session_id=SESSION))
    for n in range(9):
        player.put(ReplyAudio(SESSION, f"turn_0000000{n}", b"\x01\x02"))

    assert lines.one("reply-dropped")["turn_id"] == "turn_00000008"


async def test_an_interrupted_reply_stops_and_what_waits_is_dropped(lines, eventually) -> None:
    """Each with its own line; the next reply is played as if nothing had been."""
    track = PacedTrack()
    player = ReplyPlayer(track, Log("media-server").bind(None, session_id=SESSION))
    task = asyncio.create_task(player.run())
    for turn in ("turn_00000001", "turn_00000002"):
        player.put(ReplyAudio(SESSION, turn, b"\x01" * FRAME_BYTES * 50))
    await track.recv()
    await eventually(lambda: player._playing)
    await track.recv()
    await track.recv()

    assert player.interrupt(3) == ("turn_00000001", "turn_00000002")
    assert player.interrupt(3) == ()
    stopped = lines.named("reply-stopped")
    assert [line["turn_id"] for line in stopped] == ["turn_00000001", "turn_00000002"]
    assert 0 < stopped[0]["played_ms"] <= 60
    assert stopped[1]["played_ms"] == 0
    assert {(line["utterance"], line["audio_ms"], line["reason"]) for line in stopped} == {
        (3, 1000, "the caller spoke")
    }
    assert bytes((await track.recv()).planes[0])[:FRAME_BYTES] == bytes(FRAME_BYTES)

    player.put(ReplyAudio(SESSION, "turn_00000003", b"\x01" * FRAME_BYTES))
    await eventually(lambda: player._playing)
    await track.recv()
    await eventually(lambda: lines.named("reply-played"))
    assert lines.one("reply-played")["turn_id"] == "turn_00000003"
    track.stop()
    task.cancel()
    await asyncio.wait({task})


async def test_nobody_interrupts_silence(lines) -> None:
    """No line, no turn."""
    player = ReplyPlayer(PacedTrack(), Log("media-server").bind(None, session_id=SESSION))

    assert player.interrupt(1) == ()
    assert lines.all == []


def test_a_reply_that_comes_twice_is_played_once(desk, lines) -> None:
    """Its turn was led again after a crash; the caller does not hear it again."""
    taken: list[ReplyAudio] = []
    desk.register(SESSION, taken.append)
    for _ in range(2):
        desk.take(_record(ReplyAudio(SESSION, "turn_0a1b2c3d", b"\x01\x02")))

    assert len(taken) == 1
    assert lines.one("reply-known")["turn_id"] == "turn_0a1b2c3d"
