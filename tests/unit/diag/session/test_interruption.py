"""Turns that the caller broke off: what is proof, what is likely, and what is a turn without a reply."""

from __future__ import annotations

import json

import pytest

from diag.model.diagnosis import Diagnosis
from diag.model.findings import Status
from diag.model.turns import Turn, TurnOutcome
from diag.render.json_v1 import render_json
from diag.render.markdown import render_markdown
from tests.cases import diagnose, read_case

HEAD = """
# asks: $S
00:00.100 media-server info Using session ID from header :: session_id=$S
00:00.300 media-server info Connection established successfully - audio should flow :: session_id=$S
00:00.700 orchestrator info Received session info from frontend :: connection_id=$W session_id=$S
"""
WHOLE = """
{0}.000 media-server info Speech ended :: session_id=$S utterance={1}
{0}.070 orchestrator info Complete audio ready for processing :: session_id=$S turn_id=turn_{2} utterance={1}
{0}.100 orchestrator info Updated service state :: session_id=$S turn_id=turn_{2} stage=llm state=executing
{0}.300 orchestrator info Updated service state :: session_id=$S turn_id=turn_{2} stage=llm state=complete
{0}.310 orchestrator info WebSocket message sent successfully :: session_id=$S turn_id=turn_{2} message_type=llm_response_text
{0}.320 orchestrator info Updated service state :: session_id=$S turn_id=turn_{2} stage=tts state=executing
{0}.500 orchestrator info Updated service state :: session_id=$S turn_id=turn_{2} stage=tts state=complete
{0}.520 orchestrator info Turn finished :: session_id=$S turn_id=turn_{2} outcome=delivered
{0}.900 media-server info Reply audio sent to the caller :: session_id=$S turn_id=turn_{2} audio_ms=300
"""
SPEAKS = "{0} media-server info Speech started :: session_id=$S utterance=2\n"
END = "01:00.000 media-server info Connection cleaned up :: session_id=$S\n"


def lines(at: str, number: int, turn_id: str, count: int = 9) -> str:
    return "\n".join(WHOLE.format(at, number, turn_id).strip().splitlines()[:count]) + "\n"


def told(*parts: str) -> Diagnosis:
    return diagnose(read_case(HEAD + "".join(parts) + END))


def first(diagnosis: Diagnosis) -> Turn:
    return diagnosis.session.turns[0]


NEXT = lines("00:07", 2, "bbbbbbbb")


@pytest.mark.parametrize(
    "line",
    [
        "media-server info Barge-in detected :: session_id=$S turn_id=turn_aaaaaaaa",
        "media-server info Barge-in detected :: session_id=$S",
        "media-server info Barge-in detected :: session_id=$S utterance=2",
        "orchestrator info Turn finished :: session_id=$S turn_id=turn_aaaaaaaa outcome=interrupted",
        "media-server info Playback cancelled :: session_id=$S turn_id=turn_aaaaaaaa reason=barge-in",
        "media-server info Playback cancelled :: session_id=$S",
    ],
)
def test_a_line_that_says_so_is_proof(line: str) -> None:
    """Whoever writes it, with the turn's ID or without; the session is as well as it was."""
    diagnosis = told(
        lines("00:04", 1, "aaaaaaaa", 7), SPEAKS.format("00:05.000"), f"00:05.020 {line}\n", NEXT
    )
    turn = first(diagnosis)

    assert turn.outcome is TurnOutcome.INTERRUPTED
    assert turn.interruption is not None
    assert turn.interruption.proved
    assert [one.outcome for one in diagnosis.session.turns][1:] == [TurnOutcome.ANSWERED]
    assert diagnosis.verdict.status is Status.HEALTHY


@pytest.mark.parametrize("reason", ["end of audio", "peer gone", "shutdown", "error"])
def test_playing_that_stopped_for_another_reason_is_no_interruption(reason: str) -> None:
    """Its line says why."""
    stopped = f'00:04.950 media-server info Playback stopped :: session_id=$S turn_id=turn_aaaaaaaa reason="{reason}"\n'

    assert first(told(lines("00:04", 1, "aaaaaaaa"), stopped, NEXT)).outcome is TurnOutcome.ANSWERED


def test_speech_over_a_reply_that_then_breaks_off_makes_it_likely() -> None:
    """No line says so: it is said to be likely, and the session is not called healthy for it, nor broken."""
    diagnosis = told(lines("00:04", 1, "aaaaaaaa", 6), SPEAKS.format("00:04.400"), NEXT)
    turn = first(diagnosis)
    (said, _) = json.loads(render_json(diagnosis))["turns"]

    assert turn.outcome is TurnOutcome.INTERRUPTED
    assert said["interrupted_by"]["proved"] is False
    assert diagnosis.verdict.status is Status.INCONCLUSIVE
    assert "likely: the caller spoke again" in render_markdown(diagnosis)


def test_a_reply_that_is_spoken_over_and_goes_on_is_answered() -> None:
    """Nothing was stopped."""
    over = told(lines("00:04", 1, "aaaaaaaa"), SPEAKS.format("00:04.350"), NEXT)

    assert first(over).outcome is TurnOutcome.ANSWERED
    assert first(over).interruption is None


def test_one_lost_line_is_no_interruption() -> None:
    """The end of the turn did not arrive; its reply was played all the same."""
    whole = lines("00:04", 1, "aaaaaaaa").splitlines(keepends=True)
    lost = "".join(line for line in whole if "Turn finished" not in line)

    assert first(told(lost, SPEAKS.format("00:06.000"), NEXT)).outcome is TurnOutcome.ANSWERED


def test_a_turn_that_failed_before_the_caller_asked_again_is_unanswered() -> None:
    """Its failure broke it off, not the caller."""
    failed = (
        "00:04.600 orchestrator error Pipeline error occurred :: session_id=$S turn_id=turn_aaaaaaaa stage=llm"
        ' error="LLM unavailable"\n'
    )
    diagnosis = told(lines("00:04", 1, "aaaaaaaa", 3), failed, SPEAKS.format("00:06.000"), NEXT)

    assert first(diagnosis).outcome is TurnOutcome.UNANSWERED
    assert first(diagnosis).interruption is None
    assert diagnosis.verdict.status is Status.BROKEN


def test_without_ids_the_stages_after_an_interruption_are_the_next_turn_s() -> None:
    """The LLM of the interrupted turn was cancelled: the next "complete" is of the next one."""
    text = """
    # asks: $S
    00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=$S
    00:03.000 orchestrator info Trigger LLM event received :: connID=$W sessionID=$S
    00:03.010 orchestrator info Updated service state :: sessionID=$S service=llm state=executing
    00:04.000 orchestrator info Reply interrupted :: sessionID=$S
    00:05.000 orchestrator info Trigger LLM event received :: connID=$W sessionID=$S
    00:05.010 orchestrator info Updated service state :: sessionID=$S service=llm state=executing
    00:05.400 orchestrator info Updated service state :: sessionID=$S service=llm state=complete
    00:05.410 orchestrator info WebSocket message sent successfully :: connID=$W sessionID=$S
    00:05.900 orchestrator info AI pipeline completed successfully :: sessionID=$S
    """
    one, two = diagnose(read_case(text)).session.turns

    assert [one.outcome, two.outcome] == [TurnOutcome.INTERRUPTED, TurnOutcome.ANSWERED]
    assert [stage.ms for stage in two.stages] == [390.0]
