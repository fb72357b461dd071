"""How far clocks differ: only what the lines prove, however they were lost, repeated or shuffled."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from diag.model.clocks import Clocks
from diag.model.instants import NS_PER_MS, NS_PER_S, format_instant, parse_instant
from diag.model.session import Session
from diag.render.json_v1 import render_json
from diag.render.markdown import render_markdown
from diag.render.terminal import render_terminal
from tests.cases import Case, diagnose, read_case

ORCHESTRATOR = "orchestrator-5c9b7f6d84-q8wzn"
MEDIA = "media-server-6f46659ddf-n25zw"
STT = "stt-service-7d4b9c6f58-abcde"
TURN = """
# asks: $S
00:00.101 media-server info Using session ID from header :: session_id=$S
00:00.201 media-server info Received remote track :: session_id=$S
00:00.701 orchestrator info Received session info from frontend :: session_id=$S connection_id=$W
00:02.001 media-server info Speech started :: session_id=$S utterance=1
00:03.001 media-server info Speech ended :: session_id=$S utterance=1
00:03.005 media-server info Audio published to Kafka successfully :: session_id=$S utterance=1 topic=audio-in partition=2 first_offset=7 last_offset=9
00:03.011 orchestrator info Processing audio session :: session_id=$S utterance=1 topic=audio-in partition=2 offset=7
00:03.021 orchestrator info Complete audio ready for processing :: session_id=$S turn_id=turn_0a1b2c3d utterance=1
00:03.031 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=stt state=executing
00:03.041 stt-service info Transcription request received :: session_id=$S turn_id=turn_0a1b2c3d
00:03.541 stt-service info Transcription completed :: session_id=$S turn_id=turn_0a1b2c3d
00:03.551 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=stt state=complete
00:04.001 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=tts state=executing
00:04.401 orchestrator info Updated service state :: session_id=$S turn_id=turn_0a1b2c3d stage=tts state=complete
00:04.421 orchestrator info Turn finished :: session_id=$S turn_id=turn_0a1b2c3d outcome=delivered
00:04.451 media-server info Reply audio sent to the caller :: session_id=$S turn_id=turn_0a1b2c3d
00:09.001 media-server info Connection cleaned up :: session_id=$S
"""
WRITTEN = [entry["jsonPayload"]["msg"] for entry in read_case(TURN).entries]


def shifted(case: Case, shift_ns: dict[str, int]) -> Case:
    """The same lines by clocks that are ahead by so much."""

    def by_its_clock(entry: dict[str, Any]) -> dict[str, Any]:
        ahead = shift_ns.get(entry["resource"]["labels"]["pod_name"], 0)
        return {**entry, "timestamp": format_instant((parse_instant(entry["timestamp"]) or 0) + ahead)}

    return replace(case, entries=tuple(map(by_its_clock, case.entries)))


def without(case: Case, *words: str) -> Case:
    """Lines that never arrived."""
    kept = (e for e in case.entries if not any(word in json.dumps(e) for word in words))
    return replace(case, entries=tuple(kept))


def session_of(case: Case) -> Session:
    return diagnose(case).session


def interval(clocks: Clocks, pod: str = MEDIA) -> tuple[int | None, int | None]:
    return next(((c.least_ns, c.most_ns) for c in clocks.pods if c.pod == pod), (None, None))


@pytest.mark.parametrize("ahead_ms", [-90_000, -2000, -10, 0, 15, 2000, 90_000])
def test_the_true_difference_lies_inside_the_interval(ahead_ms: int) -> None:
    """Whichever way the clock is off; speech before its turn and a reply before its playing bound it."""
    ahead = ahead_ms * NS_PER_MS
    least, most = interval(session_of(shifted(read_case(TURN), {MEDIA: ahead})).clocks)

    assert least is not None
    assert most is not None
    assert least <= ahead <= most
    assert most - least < 120 * NS_PER_MS + abs(ahead) // 1000


@pytest.mark.parametrize("ahead_s", [-2, 2])
def test_lines_of_a_clock_that_is_off_stand_in_their_true_order(ahead_s: int) -> None:
    """Their own times stay as they were written."""
    session = session_of(shifted(read_case(TURN), {MEDIA: ahead_s * NS_PER_S}))

    assert [event.entry.message for event in session.events] == WRITTEN
    speech = session.named("speech.end")[0]
    adjusted = session.clocks.adjust(speech.entry)
    assert adjusted is not None
    assert abs(speech.time_ns - ahead_s * NS_PER_S - adjusted) < 60 * NS_PER_MS


def test_a_turn_begins_with_the_speech_that_a_late_clock_wrote_afterwards() -> None:
    """By raw times the speech would end two seconds into the turn."""
    for ahead_s in (-2, 0, 2):
        (turn,) = session_of(shifted(read_case(TURN), {MEDIA: ahead_s * NS_PER_S})).turns

        assert turn.trigger.name == "speech.end"
        assert turn.outcome.value == "answered"


def test_lines_of_no_known_pod_are_by_nobodys_clock() -> None:
    """However many they are: the others are compared as if they were not there."""
    case = read_case(TURN)
    lost = [entry for entry in case.entries if entry["resource"]["labels"]["pod_name"] == ORCHESTRATOR] * 2
    bare = (
        {**entry, "insertId": f"bare{n}", "resource": {"type": "k8s_container", "labels": {"container_name": "orchestrator"}}}
        for n, entry in enumerate(lost)
    )  # fmt: skip
    clocks = session_of(replace(case, entries=(*case.entries, *bare))).clocks

    assert clocks.reference == ORCHESTRATOR
    assert [clock.pod for clock in clocks.pods] == [MEDIA, STT]


def test_clocks_that_may_be_equal_are_not_adjusted() -> None:
    """An interval is stated, and no time is moved."""
    session = session_of(read_case(TURN))

    assert [clock.pod for clock in session.clocks.pods] == [MEDIA, STT]
    assert not session.clocks.adjusted
    assert all(session.clocks.adjust(event.entry) is None for event in session.events)


def test_without_anchors_nothing_is_stated() -> None:
    """That one pod writes after another is no proof."""
    case = without(read_case(TURN), "utterance", "turn_0a1b2c3d")

    assert session_of(shifted(case, {MEDIA: 5 * NS_PER_S})).clocks.pods == ()


def test_one_end_moves_a_pod_by_just_that() -> None:
    """The audio is consumed before the track is there: the media server is ahead by that at least."""
    case = without(read_case(TURN), "Speech", "published", "Reply audio", "stt-service")
    session = session_of(shifted(case, {MEDIA: 5 * NS_PER_S}))
    (clock,) = session.clocks.pods
    names = [event.name for event in session.events]

    assert clock.least_ns is not None
    assert clock.least_ns <= 5 * NS_PER_S
    assert clock.most_ns is None
    assert clock.shift_ns == (5_201 - 3_011) * NS_PER_MS
    assert names.index("media.track") < names.index("kafka.consume")


def test_a_loss_of_any_two_lines_leaves_the_interval_true() -> None:
    """It becomes wider, or is not stated."""
    ahead, case = 300 * NS_PER_MS, read_case(TURN)
    moved = shifted(case, {MEDIA: ahead, STT: -ahead})
    for lost in itertools.combinations(range(len(WRITTEN)), 2):
        left = replace(moved, entries=tuple(e for n, e in enumerate(moved.entries) if n not in lost))
        clocks = session_of(left).clocks
        true = {MEDIA: ahead, STT: -ahead, ORCHESTRATOR: 0}
        for clock in clocks.pods:
            difference = true[clock.pod] - true[clocks.reference]
            assert clock.least_ns is None or clock.least_ns <= difference, lost
            assert clock.most_ns is None or clock.most_ns >= difference, lost


def test_an_utterance_of_a_second_connection_is_not_the_firsts() -> None:
    """Each connection counts from one: the second's first end of speech tells nothing of the first's turn."""
    again = """
10:00.101 media-server info Using session ID from header :: session_id=$S
10:03.001 media-server info Speech ended :: session_id=$S utterance=1
"""
    case = without(read_case(TURN + again), "00:03.001", "11:26:44.373")
    least, most = interval(session_of(case).clocks)

    assert least is None or least <= 0
    assert most is None or most >= 0


def test_an_answer_to_a_repeated_request_bounds_nothing() -> None:
    """The first attempt may be answered long after the second has completed the stage."""
    late = """
00:03.141 stt-service info Transcription request received :: session_id=$S turn_id=turn_0a1b2c3d
00:08.541 stt-service info Transcription completed :: session_id=$S turn_id=turn_0a1b2c3d
"""
    clocks = session_of(read_case(TURN + late)).clocks
    least, most = interval(clocks, STT)

    assert least is None
    assert most is not None
    assert not clocks.contradictions


def test_pairs_that_no_clocks_satisfy_are_said_and_move_nothing() -> None:
    """A reply is played before its speech, and speech ends after its turn began: the clock jumped."""
    jumped = tuple(
        {**e, "timestamp": format_instant((parse_instant(e["timestamp"]) or 0) + by * NS_PER_S)}
        for e in read_case(TURN).entries
        for by in [{"Speech ended": 3, "Reply audio sent to the caller": -3}.get(e["jsonPayload"]["msg"], 0)]
    )
    diagnosis = diagnose(replace(read_case(TURN), entries=jumped))
    clocks = diagnosis.session.clocks

    assert [set(one.pods) for one in clocks.contradictions] == [{MEDIA, ORCHESTRATOR}]
    assert len(clocks.contradictions[0].pairs) == 2
    assert interval(clocks) == (None, None)
    assert interval(clocks, STT) != (None, None)
    assert "no difference of clocks" in render_markdown(diagnosis)
    assert "clocks:" in render_terminal(diagnosis).plain


def test_stamps_of_whole_seconds_may_hide_a_second() -> None:
    """A consumer that writes whole seconds seems to be early by what was cut."""
    cut = tuple(
        {**e, "timestamp": f"{e['timestamp'][:19]}Z"} if "orchestrator" in json.dumps(e["resource"]) else e
        for e in read_case(TURN).entries
    )
    session = session_of(replace(read_case(TURN), entries=cut))
    least, most = interval(session.clocks)

    assert least is not None
    assert most is not None
    assert least <= 0 <= most


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_reading_decides_nothing(seed: int) -> None:
    """The same clocks, pairs and lines, to the byte."""
    case = shifted(read_case(TURN), {MEDIA: 2 * NS_PER_S, STT: -NS_PER_S})
    mixed = random.Random(seed).sample(case.entries, len(case.entries))

    assert render_json(diagnose(replace(case, entries=tuple(mixed)))) == render_json(diagnose(case))


def test_the_reports_show_both_times_and_why() -> None:
    """Raw first; the table names the pairs; nothing of it where no time is adjusted."""
    plain, moved = (diagnose(shifted(read_case(TURN), {MEDIA: ahead_s * NS_PER_S})) for ahead_s in (0, -2))
    report = render_markdown(moved)
    event = next(one for one in json.loads(render_json(moved))["timeline"] if one["event"] == "speech.end")

    assert "11:26:42.373 (11:26:44.3" in report
    assert "s behind" in report
    assert "an utterance ends before its turn is triggered" in report
    assert event["time"].startswith("2025-07-27T11:26:42.373")
    assert event["adjusted_time"].startswith("2025-07-27T11:26:44.3")
    assert "times here are raw" in " ".join(render_terminal(moved).plain.split())
    assert "clock" not in render_markdown(plain)
    assert "clocks:" not in render_terminal(plain).plain
    assert all(one["adjusted_time"] is None for one in json.loads(render_json(plain))["timeline"])
