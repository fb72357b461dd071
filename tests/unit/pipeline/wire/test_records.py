"""Records of Kafka: written and read back, and refused in words where they are not of the shape."""

from __future__ import annotations

import json

import pytest

from pipeline.wire.records import (
    AudioChunk,
    RecordError,
    ReplyAudio,
    SessionEnd,
    StageLog,
    read_audio_chunk,
    read_audio_in,
    read_reply_audio,
)
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"


def test_an_audio_chunk_survives_kafka() -> None:
    """What the media server sends, the orchestrator reads."""
    chunk = AudioChunk(SESSION, 3, last=True, pcm=b"\x01\x02", trace=start_trace())

    assert read_audio_chunk(SESSION.encode(), chunk.pcm, chunk.to_headers()) == chunk


def test_a_reply_survives_kafka() -> None:
    """What the orchestrator sends, the media server reads."""
    reply = ReplyAudio(SESSION, "turn_0a1b2c3d", b"\x01\x02", start_trace())

    assert read_reply_audio(SESSION.encode(), reply.pcm, reply.to_headers()) == reply


def test_a_last_chunk_may_be_empty() -> None:
    """The end of an utterance needs no audio of its own."""
    chunk = AudioChunk(SESSION, 1, last=True, pcm=b"")

    assert read_audio_chunk(SESSION.encode(), None, chunk.to_headers()) == chunk


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (None, b"\x01\x02", [("utterance", b"1"), ("last", b"0")]),
        (SESSION.encode(), b"\x01\x02", []),
        (SESSION.encode(), b"\x01\x02", [("utterance", b"x"), ("last", b"0")]),
        (SESSION.encode(), b"\x01\x02", [("utterance", b"1"), ("last", b"2")]),
        (SESSION.encode(), b"\x01", [("utterance", b"1"), ("last", b"0")]),
        (SESSION.encode(), b"\x01\x02", [("session-id", b"x"), ("utterance", b"1"), ("last", b"0")]),
        (SESSION.encode(), b"\x01\x02", [("session-id", None), ("utterance", b"1"), ("last", b"0")]),
        (SESSION.encode(), b"\x01\x02", [("utterance", None), ("last", None)]),
        (SESSION.encode(), b"\x01\x02", [("utterance", b"-1"), ("last", b"0")]),
        (SESSION.encode(), b"\x01\x02", [("utterance", b"9" * 4_000), ("last", b"0")]),
        (SESSION.encode(), b"\x01\x02", [("utterance", "\u0661".encode()), ("last", b"0")]),
        (b"k" * 100_000, b"\x01\x02", [("utterance", b"1"), ("last", b"0")]),
        (b"\xff\x00\n", b"\x01\x02", [("utterance", b"1"), ("last", b"0")]),
    ],
)
def test_a_malformed_chunk_is_refused(
    key: bytes | None, value: bytes, headers: list[tuple[str, bytes | None]]
) -> None:
    """No key, no headers, wrong numbers, half a sample, two sessions: each is an error in few words."""
    with pytest.raises(RecordError) as refused:
        read_audio_chunk(key, value, headers)
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize(
    ("value", "headers"),
    [(b"", []), (None, []), (b"\x01", []), (b"\x01\x02", [("turn-id", b"x" * 10_000)])],
)
def test_a_reply_that_cannot_be_played_is_refused(value: bytes | None, headers: list) -> None:
    """Nothing, half a sample, or no turn's."""
    with pytest.raises(RecordError) as refused:
        read_reply_audio(SESSION.encode(), value, headers)
    assert len(str(refused.value)) < 100


def test_a_stage_log_tells_lengths_only() -> None:
    """Its JSON holds the IDs, the latency and the data that it was given."""
    entry = StageLog(SESSION, "turn_0a1b2c3d", "stt", 283.04, {"chars": 12})
    body = json.loads(entry.to_value())

    assert body.pop("event_timestamp").endswith("Z")
    assert body == {
        "session_id": SESSION,
        "turn_id": "turn_0a1b2c3d",
        "stage": "stt",
        "latency_ms": 283.0,
        "data": {"chars": 12},
    }
    assert dict(entry.to_headers())["stage"] == b"stt"


def test_speech_over_replies_names_their_turns() -> None:
    """What is no turn ID is no turn."""
    chunk = AudioChunk(SESSION, 2, False, b"\x01\x02", None, ("turn_0a1b2c3d", "x,y", "turn_00000001"))

    back = read_audio_in(SESSION.encode(), chunk.pcm, chunk.to_headers())
    assert isinstance(back, AudioChunk)
    assert back.interrupts == ("turn_0a1b2c3d", "turn_00000001")


def test_a_record_cannot_interrupt_without_end() -> None:
    """Each turn that is named has a line in the log."""
    turns = tuple(f"turn_{number:08x}" for number in range(10_000))
    chunk = AudioChunk(SESSION, 1, last=True, pcm=b"", interrupts=turns)
    back = read_audio_chunk(SESSION.encode(), b"", chunk.to_headers())

    assert back.interrupts == turns[: len(back.interrupts)]
    assert 10 < len(back.interrupts) < 100


def test_the_end_of_a_session_comes_back_as_it_was() -> None:
    """A reason from outside is made fit for a line."""
    end = SessionEnd(SESSION, "closed by the client")

    assert read_audio_in(SESSION.encode(), b"", end.to_headers()) == end
    hostile = [*end.to_headers()[:-1], ("session-end", b"a\nb\xff" + b"x" * 500)]
    back = read_audio_in(SESSION.encode(), None, hostile)
    assert isinstance(back, SessionEnd)
    assert back.reason.isprintable()
    assert len(back.reason) <= 80
