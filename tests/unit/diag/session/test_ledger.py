"""What a turn's time went to: parts that sum to the total, and no more claimed than the lines allow."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from diag.model.instants import NS_PER_MS, NS_PER_S, format_instant, parse_instant
from diag.model.ledger import Duration, Ledger
from diag.model.turns import Turn
from diag.render.json_v1 import render_json
from diag.render.markdown import render_markdown
from diag.render.terminal import render_terminal
from tests.cases import Case, diagnose, read_case

HEAD = (
    "# asks: $S\n00:00.700 orchestrator info Received session info from frontend :: connID=$W sessionID=$S\n"
)
TURN = "session_id=$S turn_id=turn_0a1b2c3d"
FIXED = f"""
00:00.101 media-server info Using session ID from header :: session_id=$S
00:00.201 media-server info Received remote track :: session_id=$S
00:03.001 media-server info Speech ended :: session_id=$S utterance=1
00:03.011 orchestrator info Processing audio session :: session_id=$S utterance=1
00:03.021 orchestrator info Complete audio ready for processing :: {TURN} utterance=1
00:03.031 orchestrator info Updated service state :: {TURN} stage=stt state=executing
00:03.551 orchestrator info Updated service state :: {TURN} stage=stt state=complete
00:04.001 orchestrator info Updated service state :: {TURN} stage=tts state=executing
00:04.401 orchestrator info Updated service state :: {TURN} stage=tts state=complete
00:04.411 orchestrator info Reply audio published to Kafka :: {TURN} bytes=64000
00:04.421 orchestrator info Turn finished :: {TURN} outcome=delivered
00:06.451 media-server info Reply audio sent to the caller :: {TURN} audio_ms=2000
"""
STREAMED = """
00:03.000 orchestrator info Trigger LLM event received :: connID=$W sessionID=$S
00:03.010 orchestrator info Updated service state :: sessionID=$S service=llm state=executing
00:03.500 orchestrator info Updated service state :: sessionID=$S service=tts state=executing
00:05.010 orchestrator info Updated service state :: sessionID=$S service=llm state=complete
00:05.300 orchestrator info Updated service state :: sessionID=$S service=tts state=complete
00:05.320 orchestrator info WebSocket message sent successfully :: connID=$W sessionID=$S
00:05.400 orchestrator info AI pipeline completed successfully :: sessionID=$S
"""
SERIAL = """
00:03.000 orchestrator info Trigger LLM event received :: connID=$W sessionID=$S
00:03.010 orchestrator info Updated service state :: sessionID=$S service=llm state=executing
00:05.010 orchestrator info Updated service state :: sessionID=$S service=llm state=complete
00:05.320 orchestrator info WebSocket message sent successfully :: connID=$W sessionID=$S
00:05.400 orchestrator info AI pipeline completed successfully :: sessionID=$S
"""


def turn_of(case: Case) -> Turn:
    (turn,) = diagnose(case).session.turns
    return turn


def ledger_of(case: Case) -> Ledger:
    ledger = turn_of(case).ledger
    assert ledger is not None
    return ledger


def parts(ledger: Ledger) -> list[tuple[str, float]]:
    return [(part.name, part.took.ms) for part in ledger.parts]


def shifted(case: Case, service: str, ahead_ns: int) -> Case:
    """A pod's clock is off."""

    def move(entry: dict) -> dict:
        off = ahead_ns if entry["resource"]["labels"]["container_name"] == service else 0
        return {**entry, "timestamp": format_instant((parse_instant(entry["timestamp"]) or 0) + off)}

    return replace(case, entries=tuple(map(move, case.entries)))


def cut_to_seconds(case: Case, service: str) -> Case:
    """A logger that knows no fractions."""

    def cut(entry: dict) -> dict:
        if entry["resource"]["labels"]["container_name"] != service:
            return entry
        at = parse_instant(entry["timestamp"]) or 0
        return {**entry, "timestamp": format_instant(at - at % NS_PER_S)}

    return replace(case, entries=tuple(map(cut, case.entries)))


def test_every_part_of_a_turn_has_its_line() -> None:
    """From the end of the speech; what nobody accounts for is the last."""
    ledger = ledger_of(read_case(HEAD + FIXED))

    assert parts(ledger) == [
        ("transport", 30.0),
        ("stt", 520.0),
        ("between", 450.0),
        ("tts", 400.0),
        ("delivery", 10.0),
        ("unaccounted", 10.0),
    ]
    assert ledger.total.ms == 1420.0
    assert ledger.after is not None
    assert ledger.after.ms == 2030.0


def test_stages_that_run_side_by_side_are_not_counted_twice() -> None:
    """The TTS speaks while the LLM writes: only what it takes longer is its own."""
    turn = turn_of(read_case(HEAD + STREAMED))
    assert turn.ledger is not None

    assert parts(turn.ledger) == [
        ("transport", 10.0),
        ("llm", 2000.0),
        ("tts", 290.0),
        ("delivery", 20.0),
        ("unaccounted", 80.0),
    ]
    assert [part.beside.ms for part in turn.ledger.parts if part.name == "tts"] == [1510.0]
    assert [stage.ms for stage in turn.stages] == [2000.0, 1800.0]
    assert turn.unaccounted_ms == 2400.0 - 3800.0


def test_an_attempt_within_another_stage_counts_nothing() -> None:
    """It passed beside the stage that is counted."""
    inside = STREAMED.replace("00:05.300", "00:04.900")

    assert ("tts", 0.0) in parts(ledger_of(read_case(HEAD + inside)))


@pytest.mark.parametrize("ahead_ms", [-5000, -700, 0, 700, 5000])
def test_a_clock_that_is_off_changes_no_duration_beyond_what_is_stated(ahead_ms: int) -> None:
    """The speech ends on the media server's clock; order proves how far that is off."""
    true_ms = ledger_of(read_case(HEAD + FIXED)).total.ms
    ledger = ledger_of(shifted(read_case(HEAD + FIXED), "media-server", ahead_ms * NS_PER_MS))
    total = ledger.total

    assert total.least_ns is not None
    assert total.most_ns is not None
    assert total.least_ns <= true_ms * NS_PER_MS <= total.most_ns
    # the reply was played two seconds after the stages: no line bounds the clock better on that side
    assert total.most_ns - total.least_ns < 2100 * NS_PER_MS
    assert ("stt", 520.0) in parts(ledger)
    assert ("tts", 400.0) in parts(ledger)


def test_what_no_line_ties_is_said_to_be_unbounded() -> None:
    """Without numbers and turn IDs nothing bounds the media server's clock from both sides."""
    loose = STREAMED.replace("Trigger LLM event received", "Starting AI pipeline")
    case = read_case(HEAD + "00:02.950 media-server info Speech ended :: session_id=$S\n" + loose)
    turn = turn_of(case)
    assert turn.ledger is not None
    table = render_markdown(diagnose(case)).partition("### Turns")[2].partition("### Kafka")[0]

    assert turn.trigger.name == "speech.end"
    assert None in (turn.ledger.total.least_ns, turn.ledger.total.most_ns)
    assert "60 ms?" in table
    assert "nothing ties the times" in table


def test_a_negative_part_is_shown() -> None:
    """A speech that ends after the work began, by clocks of which nothing is known."""
    start = turn_of(read_case(HEAD + FIXED)).start
    late = replace(start, clock="another", ns=start.ns + NS_PER_S, ahead_least_ns=None, ahead_most_ns=None)
    took = Duration.between(late, start)

    assert took.ms == -1000.0
    assert (took.least_ns, took.most_ns) == (None, None)


def test_whole_seconds_are_not_printed_as_milliseconds() -> None:
    """The reference orchestrator's stamps have no fraction: a stage is known to a second either way."""
    case = cut_to_seconds(read_case(HEAD + SERIAL), "orchestrator")
    turn = turn_of(case)
    (llm,) = turn.stages
    said = json.loads(render_json(diagnose(case)))["turns"][0]

    assert llm.took is not None
    assert llm.took.is_coarse
    assert (llm.took.least_ns, llm.took.most_ns) == (NS_PER_S, 3 * NS_PER_S)
    assert (said["least_ms"], said["total_ms"], said["most_ms"]) == (1000.0, 2000.0, 3000.0)
    assert "~2 s" in render_markdown(diagnose(case))
    assert "~2 s" in render_terminal(diagnose(case)).plain


def test_the_machine_s_parts_sum_to_its_total() -> None:
    """And so do the stages with what they leave unaccounted, as version 1 has always promised."""
    for text in (FIXED, STREAMED):
        (turn,) = json.loads(render_json(diagnose(read_case(HEAD + text))))["turns"]

        assert sum(part["ms"] for part in turn["parts"]) == pytest.approx(turn["total_ms"], abs=1e-6)
        stages = sum(stage["ms"] or 0.0 for stage in turn["stages"])
        assert stages + turn["unaccounted_ms"] == pytest.approx(turn["total_ms"], abs=1e-6)


def test_the_terminal_shows_the_parts_in_its_columns() -> None:
    """One row a turn."""
    view = render_terminal(diagnose(read_case(HEAD + FIXED))).plain

    assert "TURNS   in ms" in view
    row = next(line for line in view.splitlines() if line.endswith("answered") and "520" in line)
    assert [word.strip("~") for word in row.split()[1:-1]] == [
        "30", "520", "-", "400", "450", "10", "10", "1420",
    ]  # fmt: skip
