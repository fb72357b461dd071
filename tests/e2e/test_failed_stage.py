"""A stage that is away in the middle of a call: the caller is told, diag names it, and the call goes on."""

from __future__ import annotations

import urllib.request

import pytest

from tests.e2e.conftest import Live
from tests.e2e.watching import kept_away

pytestmark = [pytest.mark.part("kafka"), pytest.mark.part("flite"), pytest.mark.timeout(600)]
SENTENCE = "What are your opening hours?"
FAILED = 'voice_turns_failed_total{stage="llm"}'


def test_a_caller_whose_language_model_is_away_is_told_and_answered_once_it_is_back(stack: Live) -> None:
    """In the report of the caller, in the metrics, in diag's verdict: the same stage, and no other fault."""
    before = _count_failed(stack)
    with kept_away(stack, "llm-service", lambda: _count_failed(stack) > before, then_at_once=True):
        call = stack.call(*["--say", SENTENCE] * 5)
    first, *_, last = call["turns"]

    assert first["heard"] is not None
    assert (first["reply"], first["failed"]) == (None, "the language model cannot be reached")
    assert (last["reply"] is not None, last["failed"]) == (True, None), call
    _, answer = stack.judge(call["session_id"])
    outcomes = [turn["outcome"] for turn in answer["turns"]]
    assert (outcomes[0], outcomes[-1]) == ("unanswered", "answered")
    (finding,) = [one for one in answer["findings"] if one["scope"] == "session"]
    assert (finding["slug"], finding["confidence"]) == ("turn-no-reply", "confirmed")
    assert "llm failed" in finding["summary"]


def _count_failed(stack: Live) -> float:
    port = stack.state()["pods"]["orchestrator"]["port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.removeprefix(FAILED)) for line in lines if line.startswith(FAILED))
