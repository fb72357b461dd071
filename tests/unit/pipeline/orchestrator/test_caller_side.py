"""What the caller does: the turn that is broken off, the page that is told, the end of a session."""

from __future__ import annotations

import asyncio
import json

import pytest

from pipeline.orchestrator.caller_side import CallerSide
from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.lanes import TurnLanes
from pipeline.orchestrator.sockets import SendError
from pipeline.orchestrator.turn import Turn
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.records import AudioChunk, SessionEnd
from pipeline.wire.tracing import start_trace

SESSION, TURN = "session_1753615601372_cz4gw0fl5", "turn_0a1b2c3d"
TRACE = start_trace()
OVER = AudioChunk(SESSION, 2, False, b"\x01\x02", TRACE, (TURN,))


class Sockets:
    """The socket of one session, or none."""

    def __init__(self) -> None:
        self.bound: str | None = "ws_1"
        self.closed = False
        self.sent: list[dict[str, str]] = []

    def find_connection(self, session_id: str) -> str | None:
        return self.bound if session_id == SESSION else None

    async def send(self, connection_id: str, text: str) -> None:
        if self.closed:
            raise SendError("the socket is closed")
        self.sent.append(json.loads(text))


async def _stay(_turn: Turn) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def sockets() -> Sockets:
    """One that is open."""
    return Sockets()


@pytest.fixture
async def side(sockets, lines) -> CallerSide:
    """With turns that never end by themselves."""
    return CallerSide(TurnLanes(_stay), sockets, Log("orchestrator"))


async def test_speech_over_a_reply_cancels_what_still_runs_of_its_turn(
    side, sockets, lines, eventually
) -> None:
    """The line says so with session, turn and the utterance that did it; the page is told."""
    side.begin(Turn(TURN, Utterance(SESSION, 1, b"", 1, TRACE)))
    await asyncio.sleep(0)
    side.interrupt(OVER)
    line = lines.one("turn-interrupted")

    assert (line["session_id"], line["turn_id"], line["utterance"]) == (SESSION, TURN, 2)
    assert line["cancelled"] is True
    assert line[TRACE_KEY] == TRACE.trace_id
    await eventually(lambda: sockets.sent)
    assert sockets.sent == [{"event": "turn_interrupted", "session_id": SESSION, "turn_id": TURN}]


async def test_a_turn_whose_work_is_done_is_interrupted_all_the_same(side, lines) -> None:
    """Its reply was still to be heard; only nothing is left to cancel."""
    side.interrupt(OVER)

    assert lines.one("turn-interrupted")["cancelled"] is False


async def test_the_end_of_a_session_is_logged_and_told(side, sockets, lines, eventually) -> None:
    """With the reason that the media server gave."""
    side.end_session(SessionEnd(SESSION, "the client does not answer any more", TRACE))
    await eventually(lambda: sockets.sent)

    assert lines.one("session-ended")["reason"] == "the client does not answer any more"
    assert sockets.sent[0]["event"] == "session_ended"


@pytest.mark.parametrize(("bound", "closed"), [(None, False), ("ws_1", True)])
async def test_without_a_socket_nobody_is_told(side, sockets, lines, bound: str | None, closed: bool) -> None:
    """That is no error."""
    sockets.bound, sockets.closed = bound, closed
    side.end_session(SessionEnd(SESSION, "closed by the client"))
    while side._telling:
        await asyncio.sleep(0)

    assert sockets.sent == []
    assert lines.names() == ["session-ended"]
