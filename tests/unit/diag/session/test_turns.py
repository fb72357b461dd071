"""Turns: what belongs to which, what was delivered, how long each part took."""

from __future__ import annotations

import pytest

from diag.model.turns import TurnOutcome
from tests.cases import diagnose, read_case

HEAD = (
    "# asks: $S\n00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=$S\n"
)


def turns(text: str):
    return diagnose(read_case(HEAD + text)).session.turns


FIXED_TURN = """
00:04.000 media-server info Speech ended :: session_id=$S utterance=1 speech_ms=1800
00:04.050 media-server info Audio published to Kafka successfully :: session_id=$S utterance=1 records=18
00:04.060 orchestrator info Processing audio session :: session_id=$S utterance=1
00:04.070 orchestrator info Complete audio ready for processing :: session_id=$S turn_id=turn_0a1b2c3d utterance=1
00:04.071 orchestrator info Starting AI pipeline with state tracking :: session_id=$S turn_id=turn_0a1b2c3d
00:04.080 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=stt state=executing service=orchestrator
00:04.540 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=stt state=complete service=orchestrator
00:04.550 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=llm state=executing
00:04.650 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=llm state=complete
00:04.660 orchestrator info WebSocket message sent successfully :: session_id=$S turn_id=turn_0a1b2c3d message_type=llm_response_text
00:04.670 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=tts state=executing
00:04.720 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=tts state=complete
00:04.750 orchestrator info Turn finished :: session_id=$S turn_id=turn_0a1b2c3d outcome=delivered total_ms=680
00:07.000 media-server info Reply audio sent to the caller :: session_id=$S turn_id=turn_0a1b2c3d audio_ms=2200
"""


def test_the_parts_of_a_turn_sum_to_its_total() -> None:
    """Stages, and a rest that is named."""
    (turn,) = turns(FIXED_TURN)

    assert [(stage.name, stage.ms, stage.state) for stage in turn.stages] == [
        ("stt", 460.0, "complete"),
        ("llm", 100.0, "complete"),
        ("tts", 50.0, "complete"),
    ]
    assert turn.total_ms == 750.0
    assert turn.unaccounted_ms == 140.0
    assert turn.outcome is TurnOutcome.ANSWERED


def test_the_utterance_ties_the_media_servers_lines_to_the_turn() -> None:
    """The turn begins where the caller's speech ended, not where the orchestrator heard of it."""
    (turn,) = turns(FIXED_TURN)

    assert turn.turn_id == "turn_0a1b2c3d"
    assert turn.trigger.name == "speech.end"
    assert [step.name for step in turn.deliveries] == ["bcast.delivered", "reply.played"]


def test_two_turns_that_interleave_are_told_apart_by_their_ids() -> None:
    """Order alone would mix them."""
    both = """
    00:01.000 orchestrator info Complete audio ready for processing :: session_id=$S turn_id=turn_aaaaaaaa utterance=1
    00:01.100 orchestrator info Complete audio ready for processing :: session_id=$S turn_id=turn_bbbbbbbb utterance=2
    00:02.000 orchestrator info WebSocket message sent successfully :: session_id=$S turn_id=turn_bbbbbbbb message_type=llm_response_text
    00:03.000 orchestrator info Turn finished :: session_id=$S turn_id=turn_aaaaaaaa outcome=failed total_ms=2000
    """

    assert [(t.turn_id, t.outcome) for t in turns(both)] == [
        ("turn_aaaaaaaa", TurnOutcome.UNANSWERED),
        ("turn_bbbbbbbb", TurnOutcome.ANSWERED),
    ]


def test_without_ids_a_trigger_opens_a_turn_and_its_end_closes_it() -> None:
    """The reference system's two turns on one socket, one after the other."""
    one = """
    {0}.000 orchestrator info Received audio_data event from frontend :: connID=$W sessionID=$S isFinal=true
    {0}.001 orchestrator info Processing final audio with complete AI pipeline :: sessionID=$S
    {0}.010 orchestrator info Starting AI pipeline with state tracking :: sessionID=$S
    {0}.020 orchestrator info Updated service state :: sessionID=$S service=stt state=executing
    {0}.480 orchestrator info Updated service state :: sessionID=$S service=stt state=complete
    {0}.500 orchestrator info LLM processing completed :: sessionID=$S
    {0}.510 orchestrator info WebSocket message sent successfully :: sessionID=$S connID=$W
    {0}.900 orchestrator info AI pipeline completed successfully :: sessionID=$S
    """
    found = turns(one.format("00:03") + one.format("00:08"))

    assert [turn.outcome for turn in found] == [TurnOutcome.ANSWERED] * 2
    assert [len(turn.stages) for turn in found] == [1, 1]


def test_what_a_new_socket_is_told_is_no_reply_to_the_turn_before() -> None:
    """A reconnect after a lost reply does not make the reply delivered."""
    text = """
    00:03.001 orchestrator info Processing final audio with complete AI pipeline :: sessionID=$S
    00:03.010 orchestrator info Starting AI pipeline with state tracking :: sessionID=$S
    00:03.500 orchestrator info LLM processing completed :: sessionID=$S
    00:03.510 orchestrator info BroadcastToSession called :: sessionID=$S
    00:03.900 orchestrator info AI pipeline completed successfully :: sessionID=$S
    00:06.000 orchestrator info Started listening :: sessionID=$S
    00:06.010 orchestrator info BroadcastToSession called :: sessionID=$S
    00:06.011 orchestrator info WebSocket message sent successfully :: sessionID=$S connID=$W
    """
    (turn,) = turns(text)

    assert turn.outcome is TurnOutcome.UNANSWERED


def test_a_failed_stage_is_a_stage_that_failed() -> None:
    """It has an end and a state, and the turn goes without a reply."""
    text = """
    00:03.001 orchestrator info Processing final audio with complete AI pipeline :: sessionID=$S
    00:03.020 orchestrator info Updated service state :: sessionID=$S service=stt state=executing
    00:05.020 orchestrator error Pipeline error occurred :: sessionID=$S service=stt error="STT service unavailable (attempt 3/3)"
    00:05.030 orchestrator error Failed to process AI pipeline :: sessionID=$S error="STT failed"
    """
    (turn,) = turns(text)

    assert [(stage.name, stage.state, stage.ms) for stage in turn.stages] == [("stt", "error", 2000.0)]
    assert turn.outcome is TurnOutcome.UNANSWERED


STOPS = {
    "empty": ("warning Empty transcript received from STT :: sessionID=$S", TurnOutcome.EMPTY),
    "skipped": ("info Background noise detected, skipping LLM/TTS :: sessionID=$S", TurnOutcome.EMPTY),
    "failed": ('error STT failed :: sessionID=$S error="connection reset"', TurnOutcome.UNANSWERED),
    "cut off": ("info STT processing completed :: sessionID=$S", TurnOutcome.UNANSWERED),
}


@pytest.mark.parametrize(("line", "outcome"), STOPS.values(), ids=STOPS)
def test_a_turn_that_stopped_takes_nothing_of_the_next_one(line: str, outcome: TurnOutcome) -> None:
    """No line says that its work ended, and what the next turn's LLM does is that turn's."""
    stopped, answered = turns(f"""
00:03.000 orchestrator info Starting AI pipeline with state tracking :: sessionID=$S
00:03.010 orchestrator info Updated service state :: sessionID=$S service=stt state=executing
00:03.810 orchestrator info Updated service state :: sessionID=$S service=stt state=complete
00:03.811 orchestrator {line}
00:20.000 orchestrator info Starting AI pipeline with state tracking :: sessionID=$S
00:20.010 orchestrator info Updated service state :: sessionID=$S service=stt state=executing
00:20.910 orchestrator info Updated service state :: sessionID=$S service=stt state=complete
00:20.920 orchestrator info Updated service state :: sessionID=$S service=llm state=executing
00:22.920 orchestrator info Updated service state :: sessionID=$S service=llm state=complete
00:22.930 orchestrator info WebSocket message sent successfully :: sessionID=$S connID=$W
00:22.940 orchestrator info AI pipeline completed successfully :: sessionID=$S
01:10.000 orchestrator info WebSocket client disconnected :: connID=$W
""")

    assert stopped.outcome is outcome
    assert [stage.name for stage in stopped.stages] == ["stt"]
    assert answered.outcome is TurnOutcome.ANSWERED
    assert [(stage.name, stage.ms) for stage in answered.stages] == [("stt", 900.0), ("llm", 2000.0)]


def test_lines_that_came_twice_are_one_turn() -> None:
    """Sent again under other insert IDs, with times too coarse to tell that they are copies."""
    line = "00:03.000 orchestrator info {} :: sessionID=$S {}\n"
    said = [
        line.format("Starting AI pipeline with state tracking", ""),
        line.format("Updated service state", "service=stt state=executing"),
        line.format("Updated service state", "service=stt state=complete").replace("03.000", "04.000"),
        line.format("AI pipeline completed successfully", "").replace("03.000", "05.000"),
    ]

    (turn,) = turns("".join(one for one in said for _ in range(2)))

    assert [(stage.name, stage.ms) for stage in turn.stages] == [("stt", 1000.0)]
    assert turn.total_ms == 2000.0
