"""Intake: from records of Kafka to turns, with a line for each step."""

from __future__ import annotations

import pytest

from pipeline.orchestrator import core
from pipeline.orchestrator.intake import AudioIntake
from pipeline.orchestrator.turn import Turn
from pipeline.wire.identifiers import is_turn_id
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.records import AudioChunk, SessionEnd
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"
TRACE = start_trace()


def _record(offset: int, *, last: bool = False, utterance: int = 1) -> ConsumedRecord:
    chunk = AudioChunk(SESSION, utterance, last, b"\x01\x02" * 800, TRACE)
    return ConsumedRecord("audio-in", 2, offset, SESSION.encode(), chunk.pcm, chunk.to_headers())


class Lanes:
    """Takes turns, or not."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.full = False
        self.interruptions: list[AudioChunk] = []
        self.ends: list[SessionEnd] = []

    def begin(self, turn: Turn) -> bool:
        if not self.full:
            self.turns.append(turn)
        return not self.full

    def interrupt(self, chunk: AudioChunk) -> None:
        self.interruptions.append(chunk)

    def end_session(self, end: SessionEnd) -> None:
        self.ends.append(end)


@pytest.fixture
def lanes() -> Lanes:
    """Room for all."""
    return Lanes()


@pytest.fixture
def audio(lanes, lines) -> AudioIntake:
    """The intake of one orchestrator."""
    return AudioIntake(lanes, Log("orchestrator"))


def test_records_become_a_turn(audio, lanes, lines) -> None:
    """A line at the first record with its place, one at the end with the new turn."""
    for offset in range(3):
        audio.take(_record(offset, last=offset == 2))
    (turn,) = lanes.turns
    consumed, complete = lines.one("audio-consumed"), lines.one("audio-complete")

    assert (consumed["topic"], consumed["partition"], consumed["offset"]) == ("audio-in", 2, 0)
    assert is_turn_id(turn.turn_id)
    assert (complete["turn_id"], complete["records"], complete["audio_ms"]) == (turn.turn_id, 3, 150)
    assert {line[TRACE_KEY] for line in lines.all} == {TRACE.trace_id}


def test_each_utterance_is_a_turn_of_its_own(audio, lanes) -> None:
    """With a new ID."""
    audio.take(_record(0, last=True, utterance=1))
    audio.take(_record(1, last=True, utterance=2))

    assert len({turn.turn_id for turn in lanes.turns}) == 2


def test_a_broken_record_is_skipped_with_its_place(audio, lanes, lines) -> None:
    """It does not stop the ones after it."""
    audio.take(ConsumedRecord("audio-in", 0, 9, b"session", b"\x01", ()))
    audio.take(_record(10, last=True))

    assert lines.one("record-refused")["offset"] == 9
    assert len(lanes.turns) == 1


def test_too_many_turns_are_said(audio, lanes, lines) -> None:
    """The utterance is dropped, not lost in silence."""
    lanes.full = True
    audio.take(_record(0, last=True))

    assert lines.one("utterance-dropped")["reason"] == "too many turns are waiting"


def test_speech_over_a_reply_is_handed_on_before_its_utterance_is(audio, lanes) -> None:
    """Once, with the turns that it breaks off; its audio counts as any other."""
    chunk = AudioChunk(SESSION, 2, True, b"\x01\x02", TRACE, ("turn_0a1b2c3d",))
    audio.take(ConsumedRecord("audio-in", 2, 7, SESSION.encode(), chunk.pcm, chunk.to_headers()))

    assert [chunk.interrupts for chunk in lanes.interruptions] == [("turn_0a1b2c3d",)]
    assert len(lanes.turns) == 1


def test_the_end_of_a_session_is_no_utterance(audio, lanes, lines) -> None:
    """It is handed on with its reason."""
    end = SessionEnd(SESSION, "deleted by the client", TRACE)
    audio.take(ConsumedRecord("audio-in", 2, 8, SESSION.encode(), b"", end.to_headers()))

    assert lanes.ends == [end]
    assert (lanes.turns, lines.all) == ([], [])


def test_an_idle_utterance_is_said(audio, lines, monkeypatch) -> None:
    """With how much of it had come."""
    monkeypatch.setattr(core, "IDLE_S", -1.0)
    audio.take(_record(0))
    audio.expire()
    line = lines.one("utterance-dropped")

    assert (line["utterance"], line["records"]) == (1, 1)
    assert "did not come" in line["reason"]


def test_every_assignment_is_said(audio, lines) -> None:
    """Also an empty one; the start only once, and again after a failure."""
    audio.assigned((0, 1))
    audio.assigned(())
    audio.failed("Kafka is not connected")
    audio.assigned((0,))

    assert [line["partitions"] for line in lines.named("partitions-assigned")] == [[0, 1], [], [0]]
    assert lines.names().count("consumption-started") == 2
    assert lines.one("consumption-failed")["error"] == "Kafka is not connected"
    assert lines.named("partitions-assigned")[0]["group"] == "orchestrator-group-v2"
