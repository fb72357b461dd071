"""What stands between a session whose turns were answered and a clean bill of health."""

from __future__ import annotations

import pytest

from diag.model.findings import Status
from tests.cases import diagnose, read_case

ANSWERED = """# asks: $S
00:00.220 media-server  info WHIP connection established with ICE candidates :: sessionID=$S
00:00.500 media-server  info Received remote track :: sessionID=$S kind=audio
00:00.600 orchestrator  info WebSocket client connected :: connID=$W
00:00.700 orchestrator  info Received session info from frontend :: connID=$W sessionID=$S
00:02.000 media-server  info Audio published to Kafka successfully :: sessionID=$S packetSize=79
00:02.010 orchestrator  info Processing audio session :: sessionID=$S
00:04.000 orchestrator  info Trigger LLM event received :: connID=$W sessionID=$S
00:04.010 orchestrator  info Updated service state :: sessionID=$S service=llm state=executing
00:06.010 orchestrator  info Updated service state :: sessionID=$S service=llm state=complete
00:06.020 orchestrator  info WebSocket message sent successfully :: sessionID=$S connID=$W
00:06.030 orchestrator  info AI pipeline completed successfully :: sessionID=$S
"""
CLEANED = "00:20.000 media-server info Connection cleaned up :: sessionID=$S\n"
CRASH = (
    '00:08.000 media-server text "panic: runtime error: integer divide by zero"\n'.replace('"', "")
    + "00:10.000 media-server info Starting Voice Agent Media Server (Phase 2)...\n"
)
ASKED_AGAIN = (
    "00:07.500 orchestrator info Trigger LLM event received :: connID=$W sessionID=$S\n"
    "00:07.510 orchestrator info Updated service state :: sessionID=$S service=llm state=executing\n"
    "00:09.510 orchestrator info Updated service state :: sessionID=$S service=llm state=complete\n"
    "00:09.530 orchestrator info AI pipeline completed successfully :: sessionID=$S\n"
)
SHUT_DOWN = (
    "00:08.000 media-server info Shutting down server...\n"
    "00:08.300 media-server info Connection cleaned up :: sessionID=$S\n"
)
CLOSED = "00:08.000 orchestrator info WebSocket client disconnected :: connID=$W\n"
SPOKE_ON = "00:50.000 media-server info Audio published to Kafka successfully :: sessionID=$S packetSize=81\n"
GONE_WITH_ITS_PROCESS = "the process of media-server-6f46659ddf-n25zw ended, and with it the session's media"
LATE = CLEANED.replace("00:20", "00:58")


def test_a_session_that_ended_as_it_should_is_healthy() -> None:
    """Its last socket was closed, and its media soon after."""
    assert diagnose(read_case(ANSWERED + CLOSED + CLEANED)).verdict.status is Status.HEALTHY


def test_a_crash_after_the_session_is_none_of_its() -> None:
    """Its media had ended by then."""
    after = CRASH.replace("00:08", "00:28").replace("00:10", "00:30")

    assert diagnose(read_case(ANSWERED + CLEANED + after)).verdict.status is Status.HEALTHY


@pytest.mark.parametrize(
    "rest",
    [
        SHUT_DOWN.replace("00:08.300", "00:18.300"),
        SHUT_DOWN
        + "00:10.000 media-server info WHIP connection established with ICE candidates :: sessionID=$S\n"
        + CLEANED,
    ],
    ids=["the caller left a server that waits for its callers", "the caller came back"],
)
def test_a_shutdown_that_took_no_media_along_is_none_of_the_sessions(rest: str) -> None:
    """A server may wait for its callers, and a caller may call again."""
    assert diagnose(read_case(ANSWERED + rest)).verdict.status is Status.HEALTHY


def test_who_is_cut_off_by_a_shutdown_did_not_leave() -> None:
    """The turn that was being worked on got no reply, though the caller was there."""
    asked = ANSWERED + ASKED_AGAIN

    assert diagnose(
        read_case(asked + SHUT_DOWN.replace("Shutting down server...", "Ping"))
    ).verdict.status is (Status.HEALTHY)
    assert diagnose(read_case(asked + SHUT_DOWN)).verdict.status is Status.BROKEN


@pytest.mark.parametrize(
    ("rest", "missing"),
    [
        (CRASH, GONE_WITH_ITS_PROCESS),
        (SHUT_DOWN, GONE_WITH_ITS_PROCESS),
        (
            CLOSED + SPOKE_ON + LATE,
            "the caller's audio went on for 42 s after the last socket was closed",
        ),
    ],
    ids=["its media server crashed", "its media server was shut down", "its socket was cut"],
)
def test_what_ended_before_the_rest_keeps_a_session_from_being_healthy(rest: str, missing: str) -> None:
    """All turns were answered, and nobody knows of what was said behind that."""
    verdict = diagnose(read_case(ANSWERED + rest)).verdict

    assert verdict.status is Status.INCONCLUSIVE
    assert missing in verdict.missing
