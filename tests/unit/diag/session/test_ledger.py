"""What a turn's time went to: told by adjusted clocks, with the doubt that they leave."""

import json

from diag.model.ledger import Duration, Stage, Stamp, build_parts
from diag.model.session import Turn
from diag.render.json_v1 import render_json
from diag.render.markdown.report import render_markdown
from diag.render.terminal import render_terminal
from tests.cases import diagnose, read_case
from tests.unit.diag.session.test_turns import FIXED_TURN, HEAD, turns


def parts_of(turn: Turn) -> list[tuple[str, float]]:
    return [(part.name, part.took.ms) for part in turn.parts]


def test_every_part_of_a_turn_has_its_line() -> None:
    """Until the first stage, each stage, between them, to the caller, and the rest."""
    (turn,) = turns(FIXED_TURN)

    assert parts_of(turn) == [
        ("waiting", 80.0),
        ("stt", 460.0),
        ("between", 10.0),
        ("llm", 100.0),
        ("between", 20.0),
        ("tts", 50.0),
        ("rest", 30.0),
    ]
    assert sum(ms for _, ms in parts_of(turn)) == turn.total_ms
    assert sum(ms for name, ms in parts_of(turn) if name not in ("stt", "llm", "tts")) == turn.unaccounted_ms


BEHIND = """
00:03.000 orchestrator info Processing final audio with complete AI pipeline :: sessionID=$S
00:03.010 orchestrator info Starting AI pipeline with state tracking :: sessionID=$S
00:03.020 orchestrator info Updated service state :: sessionID=$S service=stt state=executing
00:03.480 orchestrator info Updated service state :: sessionID=$S service=stt state=complete
00:03.500 orchestrator info LLM processing completed :: sessionID=$S
00:03.600 orchestrator info WebSocket message sent successfully :: sessionID=$S connID=$W
00:03.650 orchestrator info AI pipeline completed successfully :: sessionID=$S
"""


def test_stamps_of_one_clock_are_exact() -> None:
    """Eras B and C: the orchestrator writes the whole turn."""
    (turn,) = turns(BEHIND)

    assert turn.total == Duration(650_000_000, 0)
    assert parts_of(turn) == [("waiting", 20.0), ("stt", 460.0), ("delivery", 120.0), ("rest", 50.0)]


ERA_A = """
00:{0} orchestrator info Processing audio session :: sessionID=$S
00:{0} orchestrator info Starting AI pipeline :: sessionID=$S
00:{0} orchestrator info Starting Speech-to-Text :: sessionID=$S
00:{1} orchestrator info STT completed successfully :: sessionID=$S latency=2100000000
00:{1} orchestrator info Broadcasting WebSocket message :: sessionID=$S type=final_transcript
00:{2} orchestrator info AI pipeline completed successfully :: sessionID=$S
"""


def test_a_logger_of_whole_seconds_is_known_to_a_second_only() -> None:
    """Era A: 2.1 s of recognition look like 2 or 3."""
    whole = diagnose(read_case(HEAD.replace("00.700", "00.628") + ERA_A.format("03.628", "05.628", "06.628")))
    (turn,) = whole.session.turns  # the minute of the cases begins at .372

    assert turn.stages[0].took == Duration(2_000_000_000, 1_000_000_000)
    assert "~2 s" in render_terminal(whole).plain
    assert "~2 s" in render_markdown(whole)


def test_a_single_fraction_shows_that_a_logger_writes_them() -> None:
    """That a line falls on a whole second says nothing of a clock that shows milliseconds elsewhere."""
    (turn,) = turns(ERA_A.format("03.628", "05.628", "06.629"))

    assert turn.stages[0].took == Duration(2_000_000_000, 0)


TWO_CLOCKS = """
00:04.000 media-server info Speech ended :: session_id=$S utterance=1 speech_ms=1800
00:04.050 media-server info Audio published to Kafka successfully :: session_id=$S utterance=1 records=18
00:02.060 orchestrator info Processing audio session :: session_id=$S utterance=1
00:02.070 orchestrator info Complete audio ready for processing :: session_id=$S turn_id=turn_0a1b2c3d utterance=1
00:02.080 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=stt state=executing
00:02.540 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=stt state=complete
00:02.720 orchestrator info Reply audio published to Kafka :: session_id=$S turn_id=turn_0a1b2c3d bytes=10
00:02.750 orchestrator info Turn finished :: session_id=$S turn_id=turn_0a1b2c3d outcome=delivered total_ms=680
00:04.900 media-server info Reply audio sent to the caller :: session_id=$S turn_id=turn_0a1b2c3d audio_ms=2200
"""


def test_between_two_pods_a_proved_difference_is_taken_off_and_the_doubt_is_told() -> None:
    """The media server is 1.93 to 2.36 s ahead: the turn took about 0.9 s, not minus 1.25."""
    diagnosis = diagnose(read_case(HEAD + TWO_CLOCKS))
    (turn,) = diagnosis.session.turns
    (clock,) = diagnosis.session.clocks.adjusted

    assert turn.total is not None
    assert turn.total_ms == (-1_250_000_000 + clock.shift_ns) / 1e6
    assert turn.total.doubt_ns is not None
    assert turn.total.ns == 895_090_000
    assert 216e6 < turn.total.doubt_ns < 218e6
    assert turn.stages[0].took == Duration(460_000_000, 0)
    assert turn.total.ns == sum(part.took.ns for part in turn.parts)


def test_raw_and_adjusted_times_stand_side_by_side() -> None:
    """The start is the media server's, so both of its times are shown; the orchestrator's stand as they are."""
    diagnosis = diagnose(read_case(HEAD + TWO_CLOCKS))
    (told,) = json.loads(render_json(diagnosis))["turns"]

    assert told["start"] > told["adjusted_start"]
    assert told["adjusted_end"] is None
    assert told["doubt_ms"] > 0
    assert told["stages"][0]["doubt_ms"] == 0
    assert round(sum(part["ms"] for part in told["parts"]), 3) == told["total_ms"]
    assert f" ms: {told['parts'][0]['ms']:.0f} waiting, " in render_markdown(diagnosis)
    assert "`~`: " in render_markdown(diagnosis)


def test_where_nothing_bounds_a_clock_the_doubt_has_no_end() -> None:
    """A number would be a guess: none is told."""
    (turn,) = turns("\n".join(line for line in TWO_CLOCKS.splitlines() if "Reply audio sent" not in line))

    assert turn.total is not None
    assert turn.total.doubt_ns is None
    assert turn.stages[0].took == Duration(460_000_000, 0)


def test_stages_side_by_side_are_counted_once() -> None:
    """A reply that is spoken while it is still being thought of takes no longer for it."""
    at = [Stamp("pod", ns, ns) for ns in range(0, 1000, 100)]
    stages = (Stage("llm", at[1], at[6], "complete"), Stage("tts", at[3], at[8], "complete"))

    parts = build_parts(at[0], stages, (), at[9])

    assert [(part.name, part.took.ns) for part in parts] == [
        ("waiting", 100),
        ("llm", 500),
        ("overlap", -300),
        ("tts", 500),
        ("rest", 100),
    ]
