"""Sessions that really ran: audio over WebRTC, records in Kafka, logs pulled over gRPC."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import jsonschema
import pytest

from tests.e2e.conftest import REPLY_S, Live, eventually

pytestmark = [pytest.mark.part("kafka"), pytest.mark.part("flite"), pytest.mark.timeout(600)]

SCHEMA = json.loads(resources.files("diag.render").joinpath("session_v1.schema.json").read_text("utf-8"))


def by_slug(answer: dict) -> dict[str, dict]:
    return {finding["slug"]: finding for finding in answer["findings"]}


@pytest.fixture(scope="module")
def judged(stack: Live) -> tuple[dict, int, dict]:
    """One healthy call: the caller's report, and diag's exit code and answer."""
    call = stack.call()
    return call, *stack.judge(call["session_id"])


def test_a_healthy_call_is_healthy_and_everything_about_it_is_seen(judged: tuple[dict, int, dict]) -> None:
    """Every service, every turn, every record; the missing topic is standing and breaks nothing."""
    call, code, answer = judged

    assert (code, answer["verdict"]["status"]) == (0, "healthy"), answer["verdict"]
    jsonschema.validate(answer, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [turn["reply"] is not None for turn in call["turns"]] == [True, True]
    assert [turn["outcome"] for turn in answer["turns"]] == ["answered", "answered"]
    assert all(
        sum(stage["ms"] for stage in turn["stages"]) + turn["unaccounted_ms"]
        == pytest.approx(turn["total_ms"], abs=0.01)
        for turn in answer["turns"]
    )
    assert {"media-server", "orchestrator", "stt-service", "llm-service", "tts-service", "results"} == set(
        answer["session"]["services"]
    )
    flows = {flow["topic"]: flow for flow in answer["kafka"]}
    assert flows["audio-in"]["stored"] == flows["audio-in"]["produced"] > 10
    assert flows["audio-out"]["stored"] == 2
    for topic in ("audio-in", "audio-out"):
        flow = flows[topic]
        assert (flow["consumed"], flow["consumed_by_other"]) == (flow["stored"], 0), flow
        assert (flow["lagging"], flow["expired"], flow["order"]["inversions"]) == (0, 0, 0), flow
    assert by_slug(answer)["kafka-topic-missing"]["scope"] == "standing"
    assert call["trace_id"] in {alias["id"] for alias in answer["session"]["aliases"]}
    assert {source["source"]: source["state"] for source in answer["coverage"]} == {
        "cloud-logging": "complete",
        "kafka": "complete",
        "kubernetes": "not_asked",
        "manifests": "not_asked",
        "repository": "not_asked",
    }


def test_a_call_with_two_ids_is_broken_by_the_mismatch_whichever_is_asked_for(stack: Live) -> None:
    """Confirmed by one trace; the caller got neither text nor audio."""
    call = stack.call("--mismatch", "--say", "what are your opening hours")
    code, answer = stack.judge(call["session_id"])
    other_code, other = stack.judge(call["socket_session_id"])

    assert [(turn["reply"], turn["reply_audio_ms"]) for turn in call["turns"]] == [(None, 0)]
    assert (code, answer["verdict"]["status"]) == (12, "broken")
    cause = answer["verdict"]["cause"]
    assert (cause["slug"], cause["confidence"]) == ("id-mismatch", "confirmed")
    assert cause["effects"] == ["turn-no-reply"]
    assert other_code == 12
    assert other["session"]["id"] == answer["session"]["id"] == call["session_id"]
    assert other["session"]["aliases"] == answer["session"]["aliases"]
    assert by_slug(answer)["kafka-topic-missing"]["scope"] == "standing"


def test_a_session_that_never_was_names_the_ones_that_were(
    stack: Live, judged: tuple[dict, int, dict]
) -> None:
    """Exit 3, with the window that was searched and the nearest IDs."""
    call, *_ = judged
    never = call["session_id"][:-3] + "zzz"
    done = stack.diag("session", never)

    assert done.returncode == 3
    assert call["session_id"] in done.stdout
    assert "searched" in done.stdout


def test_a_dead_broker_costs_its_own_part_and_no_more(stack: Live, judged: tuple[dict, int, dict]) -> None:
    """The logs still tell; the gap is named, and sets the exit code."""
    call, *_ = judged
    done = stack.diag("session", call["session_id"], "--kafka", "127.0.0.1:9", "--report", "none")

    assert done.returncode == 4
    assert "HEALTHY" in done.stdout
    assert "kafka (failed)" in done.stdout
    assert "source-not-covered" in done.stdout


def test_twenty_sessions_at_once_are_each_told_from_the_others(stack: Live) -> None:
    """One list of all; each has its own ID, its own turn, and nothing of its neighbours'."""
    with ThreadPoolExecutor(20) as callers:
        calls = list(callers.map(lambda number: _join(stack, number), range(20)))
    listed = _list_closed(stack, {call["session_id"] for call in calls})
    sick = {call["session_id"] for call in calls if call["session_id"] != call["socket_session_id"]}

    assert len(sick) == 1
    assert all(listed[text]["verdict"]["status"] == "broken" for text in sick)
    assert not any(call["turns"][0]["reply"] for call in calls if call["session_id"] in sick)
    for call in calls:
        line, turn = listed[call["session_id"]], call["turns"][0]
        outcomes = line["turns"]["outcomes"]
        assert set(line["aliases"]) == {call["session_id"], call["socket_session_id"]} - {line["id"]}
        # a machine that is too slow for all of them breaks sentences in two, and the second half breaks off the
        # reply to the first; what was heard is true all the same
        replied = outcomes.get("answered", 0) + outcomes.get("interrupted", 0)
        assert replied >= (turn["reply"] is not None), (line, turn)
        if line["verdict"]["status"] == "healthy":
            assert turn["reply_audio_ms"] > 0, (line, turn)
        elif outcomes == {"answered": 1}:
            assert turn["reply_audio_ms"] == 0, (line, turn)
    assert any(line["verdict"]["status"] == "healthy" for line in listed.values())
    one = calls[4]["session_id"]
    _, alone = stack.judge(one)
    assert len(alone["timeline"]) == listed[one]["entries"]
    assert {alone["session"]["id"], *(alias["id"] for alias in alone["session"]["aliases"])}.isdisjoint(
        {call["session_id"] for call in calls} - {one}
    )


def test_a_caller_who_leaves_before_the_voice_comes_is_not_healthy(stack: Live) -> None:
    """The text may just have come; whoever heard nothing is not told that all was well."""
    with ThreadPoolExecutor(4) as callers:
        calls = list(callers.map(lambda patience: _hang_up(stack, patience), (0.6, 0.9, 1.2, 1.5)))
    listed = _list_closed(stack, {call["session_id"] for call in calls})

    for call in calls:
        line, turn = listed[call["session_id"]], call["turns"][0]
        assert turn["reply_audio_ms"] > 0 or line["verdict"]["status"] != "healthy", (line, turn)


def _join(stack: Live, number: int) -> dict:
    """One of twenty callers, a second after the one before: each speaks while a dozen others do."""
    time.sleep(number)
    sick = ["--mismatch"] * (number == 9)
    return stack.call(
        "--say", "what are your opening hours", "--reply-timeout", "20" if sick else REPLY_S, *sick
    )


def _hang_up(stack: Live, patience_s: float) -> dict:
    return stack.call("--say", "what are your opening hours", "--reply-timeout", str(patience_s))


def _list_closed(stack: Live, ids: set[str]) -> dict[str, dict]:
    stack.settle(ids)
    return eventually(lambda: _closed(stack, ids), 180)


def _closed(stack: Live, ids: set[str]) -> dict[str, dict] | None:
    """The list's lines by ID, once it has all of `ids` and none of them may go on."""
    done = stack.diag("sessions", "-o", "json")
    lines = {
        text: line for line in json.loads(done.stdout)["sessions"] for text in (line["id"], *line["aliases"])
    }
    return lines if ids <= lines.keys() and not any(lines[text]["open"] for text in ids) else None
