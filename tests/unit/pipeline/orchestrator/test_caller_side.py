"""What the caller does: the turn that is broken off, the page that is told, the end of a session."""

from __future__ import annotations

import asyncio
import json

import pytest

from pipeline.orchestrator import caller_side
from pipeline.orchestrator.caller_side import CallerSide
from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.desk import TurnDesk
from pipeline.orchestrator.failures import Failure
from pipeline.orchestrator.journal import TurnJournal
from pipeline.orchestrator.turn import Turn
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.progress import Place, Progress
from pipeline.wire.records import AudioChunk, SessionEnd
from pipeline.wire.tracing import start_trace

SESSION, TURN = "session_1753615601372_cz4gw0fl5", "turn_0a1b2c3d"
TRACE = start_trace()
OVER = AudioChunk(SESSION, 2, False, b"\x01\x02", TRACE, (TURN,))


class Callers:
    """Notes what they are told."""

    def __init__(self) -> None:
        self.told: list[dict[str, str]] = []

    async def notify(self, session_id: str, text: str) -> None:
        assert session_id == SESSION
        self.told.append(json.loads(text))


async def _stay(_turn: Turn) -> None:
    await asyncio.Event().wait()


async def _tell(_turn: Turn, _failure: Failure) -> None:
    pytest.fail("no turn is given up")


@pytest.fixture
def callers() -> Callers:
    """One, of the session."""
    return Callers()


@pytest.fixture
def progress() -> Progress:
    """What may be committed."""
    progress = Progress()
    for offset in (5, 6):
        progress.take(Place(0, offset))
        progress.hold(Place(0, offset))
    return progress


@pytest.fixture
def metrics() -> SessionMetrics:
    """What is counted."""
    return SessionMetrics()


@pytest.fixture
async def side(callers, progress, metrics, lines):
    """With turns that never end by themselves."""
    log = Log("orchestrator")
    desk = TurnDesk(_stay, _tell, TurnJournal(lambda _: None), progress, log)
    yield CallerSide(desk, callers.notify, metrics, log)
    await desk.lanes.drain(0.0)


def _turn(turn_id: str = TURN, offset: int = 5) -> Turn:
    return Turn(turn_id, Utterance(SESSION, 1, b"", 1, Place(0, offset), TRACE))


async def test_speech_over_a_reply_cancels_what_still_runs_of_its_turn(
    side, callers, progress, lines, eventually
) -> None:
    """The line says so with session, turn and the utterance that did it; the page is told."""
    side.begin(_turn())
    await asyncio.sleep(0)
    side.interrupt(OVER)
    line = lines.one("turn-interrupted")

    assert (line["session_id"], line["turn_id"], line["utterance"]) == (SESSION, TURN, 2)
    assert line["cancelled"] is True
    assert line[TRACE_KEY] == TRACE.trace_id
    await eventually(lambda: callers.told)
    assert callers.told == [{"event": "turn_interrupted", "session_id": SESSION, "turn_id": TURN}]
    await eventually(lambda: progress.committable() == {0: 6})  # it is not led again


async def test_a_turn_whose_work_is_done_is_interrupted_all_the_same(side, lines) -> None:
    """Its reply was still to be heard; only nothing is left to cancel."""
    side.interrupt(OVER)

    assert lines.one("turn-interrupted")["cancelled"] is False


async def test_the_end_of_a_session_is_logged_and_told(side, callers, lines, eventually) -> None:
    """With the reason that the media server gave."""
    side.end_session(SessionEnd(SESSION, "the client does not answer any more", TRACE))
    await eventually(lambda: callers.told)

    assert lines.one("session-ended")["reason"] == "the client does not answer any more"
    assert callers.told[0]["event"] == "session_ended"


async def test_a_turn_that_was_waiting_is_done_when_it_is_spoken_over(side, progress, lines) -> None:
    """Its speech is committed with that of the turn before it, and it is not led."""
    side.begin(_turn("turn_00000001", 5))
    side.begin(_turn(TURN, 6))
    await asyncio.sleep(0)
    side.interrupt(OVER)

    assert lines.one("turn-interrupted")["cancelled"] is True
    progress.release(Place(0, 5))
    assert progress.committable() == {0: 7}


async def test_speech_that_is_dropped_is_told_and_counted(side, callers, metrics, eventually) -> None:
    """Whoever spoke for too long waits for an answer, too."""
    side.lose(SESSION, TURN, "longer than 30 s")
    await eventually(lambda: callers.told)

    (told,) = callers.told
    assert (told["event"], told["turn_id"], told["stage"]) == ("turn_failed", TURN, "speech")
    assert told["error"] == "what was said was dropped, longer than 30 s"
    assert metrics.registry.get_sample_value("voice_turns_failed_total", {"stage": "speech"}) == 1


async def test_the_telling_is_bounded(side, callers, eventually, monkeypatch) -> None:
    """Records that drop speech over and over, of a caller whose page is slow, pile nothing up."""
    monkeypatch.setattr(caller_side, "_MOST_TELLING", 2)
    for _ in range(5):
        side.lose(SESSION, TURN, "longer than 30 s")
    await eventually(lambda: callers.told)

    assert len(callers.told) == 2
