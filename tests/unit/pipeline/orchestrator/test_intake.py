"""Intake: from records of Kafka to turns, with a line for each step."""

from __future__ import annotations

import pytest

from pipeline.orchestrator import core
from pipeline.orchestrator.intake import AudioIntake
from pipeline.orchestrator.turn import Turn
from pipeline.wire.identifiers import is_turn_id
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.progress import Place, Progress
from pipeline.wire.records import AudioChunk, SessionEnd
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"
TRACE = start_trace()


def _record(offset: int, *, last: bool = False, utterance: int = 1, timestamp_ms: int = 0) -> ConsumedRecord:
    chunk = AudioChunk(SESSION, utterance, last, b"\x01\x02" * 800, TRACE)
    return ConsumedRecord(
        "audio-in", 2, offset, SESSION.encode(), chunk.pcm, chunk.to_headers(), timestamp_ms
    )


class Lanes:
    """Takes turns, or not."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.full = False
        self.interruptions: list[AudioChunk] = []
        self.ends: list[SessionEnd] = []
        self.handed_over: list[int] = []
        self.lost: list[tuple[str, str, str]] = []

    def begin(self, turn: Turn) -> bool:
        if not self.full:
            self.turns.append(turn)
        return not self.full

    def lose(self, session_id: str, turn_id: str, reason: str) -> None:
        self.lost.append((session_id, turn_id, reason))

    def interrupt(self, chunk: AudioChunk) -> None:
        self.interruptions.append(chunk)

    def end_session(self, end: SessionEnd) -> None:
        self.ends.append(end)

    async def hand_over(self, partitions: tuple[int, ...]) -> None:
        self.handed_over.extend(partitions)


@pytest.fixture
def progress() -> Progress:
    """What may be committed."""
    return Progress()


@pytest.fixture
def lanes() -> Lanes:
    """Room for all."""
    return Lanes()


@pytest.fixture
def audio(lanes, progress, lines) -> AudioIntake:
    """The intake of one orchestrator."""
    return AudioIntake(lanes, progress, Log("orchestrator"))


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
    ((session_id, turn_id, reason),) = lanes.lost
    assert (session_id, reason) == (SESSION, "too many turns are waiting")
    assert turn_id == lines.one("audio-complete")["turn_id"]


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


def test_an_idle_utterance_is_said(audio, lanes, lines, monkeypatch) -> None:
    """With how much of it had come; its caller hears of it."""
    monkeypatch.setattr(core, "IDLE_S", -1.0)
    audio.take(_record(0))
    audio.expire()
    assert [session_id for session_id, _, _ in lanes.lost] == [SESSION]
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


def _feed(audio, progress, record: ConsumedRecord) -> None:
    progress.take(record.place)
    audio.take(record)


def test_speech_is_committed_when_its_turn_has_ended(audio, lanes, progress) -> None:
    """Not when it was read: a process that is killed loses nothing of it."""
    for offset in (5, 6, 7):
        _feed(audio, progress, _record(offset, last=offset == 7))
    assert progress.committable() == {2: 5}

    progress.release(lanes.turns[0].utterance.origin)
    assert progress.committable() == {2: 8}


def test_speech_that_is_read_again_is_the_same_turn(audio, lanes) -> None:
    """On whichever replica; so what was delivered of it can be told."""
    audio.take(_record(5, last=True))
    audio.assigned((2,))
    audio.take(_record(5, last=True))

    assert lanes.turns[0].turn_id == lanes.turns[1].turn_id


async def test_half_heard_speech_goes_whole_to_the_next_reader(audio, lanes, progress, lines) -> None:
    """It is neither a turn here nor committed; the turns that run are handed over."""
    _feed(audio, progress, _record(5))
    await audio.revoked((2,))
    audio.take(_record(6, last=True))

    assert progress.committable() == {2: 5}
    assert lanes.handed_over == [2]
    assert lanes.turns[0].utterance.origin == Place(2, 6)
    assert lines.one("partitions-revoked")["partitions"] == [2]


def test_dropped_speech_holds_nothing_up(audio, lanes, progress, monkeypatch) -> None:
    """What nobody will ever work on is committed."""
    monkeypatch.setattr(core, "IDLE_S", -1.0)
    _feed(audio, progress, _record(5))
    audio.expire()

    assert progress.committable() == {2: 6}


def test_old_speech_is_not_answered(audio, lanes, progress, lines) -> None:
    """After a long outage nobody waits for the reply any more; that is said."""
    _feed(audio, progress, _record(5, last=True, timestamp_ms=1))

    assert lanes.turns == []
    assert "older than 120 s" in lines.one("utterance-dropped")["reason"]
    assert progress.committable() == {2: 6}
