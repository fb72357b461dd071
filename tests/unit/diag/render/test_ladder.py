"""What of a session is worth a step of its own between its parts."""

from __future__ import annotations

from dataclasses import replace

from diag.render.terminal import render_terminal
from tests.cases import diagnose, read_case

CRASHED = """
# asks: $S

00:00.220 media-server info  WHIP connection established with ICE candidates :: sessionID=$S
00:00.700 orchestrator info  Received session info from frontend :: connID=$W sessionID=$S
00:01.500 media-server info  Listening state updated :: sessionID=$S isListening=true
00:05.000 media-server fatal panic: runtime error: integer divide by zero
00:08.000 media-server info  Starting Voice Agent Media Server (Phase 2)...
00:08.001 media-server info  Server starting on :8001
00:09.000 media-server error Failed to start listening :: error="connection not found for session: $S"
00:15.000 orchestrator info  WebSocket client disconnected :: connID=$W
"""

UNHEARD = """
# asks: $S

00:00.220 media-server info  WHIP connection established with ICE candidates :: sessionID=$S
00:02.000 orchestrator info  Received session info from frontend :: connID=$W sessionID=$S
00:04.500 media-server info  Audio published to Kafka successfully :: sessionID=$S
00:09.200 orchestrator info  Trigger LLM event received :: connID=$W sessionID=$S
00:15.300 orchestrator info  Updated service state :: sessionID=$S service=llm state=executing
00:17.100 orchestrator info  Updated service state :: sessionID=$S service=llm state=complete
00:17.110 orchestrator info  AI pipeline completed successfully :: sessionID=$S
00:36.000 media-server info  Connection cleaned up :: sessionID=$S
"""


def test_what_became_of_a_pods_process_stands_in_order_and_marked() -> None:
    """A panic and a start name no session, so `~`; who was refused afterwards is told, too."""
    view = render_terminal(diagnose(read_case(CRASHED))).plain
    steps = ["~ panic", "~ process starts", "listening refused", "WebSocket closed"]

    assert [view.count(step) for step in steps] == [1, 1, 1, 1]
    assert sorted(steps, key=view.index) == steps


def test_what_befalls_a_pod_is_told_where_it_may_serve_others_too() -> None:
    """It befalls each of them."""
    diagnosis = diagnose(read_case(CRASHED))
    crowded = tuple(replace(one, ambiguous=True) for one in diagnosis.session.attributed)
    session = replace(diagnosis.session, attributed=crowded)
    view = render_terminal(replace(diagnosis, session=session)).plain

    assert [view.count(step) for step in ("~ panic", "~ process starts")] == [1, 1]


def test_where_replies_were_not_judged_none_is_called_missing() -> None:
    """Neither in the table of turns nor among the steps."""
    view = render_terminal(diagnose(read_case(UNHEARD))).plain

    assert "no reply seen" in view
    assert "unanswered" not in view
