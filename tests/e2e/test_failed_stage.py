"""A stage that is away in the middle of a call: the caller is told, diag names it, and the call goes on."""

from __future__ import annotations

import os
import signal
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.e2e.conftest import Live

pytestmark = [pytest.mark.part("kafka"), pytest.mark.part("flite"), pytest.mark.timeout(300)]
SENTENCE = "What are your opening hours?"
FAILED = 'voice_turns_failed_total{stage="llm"}'


def test_a_caller_whose_language_model_is_away_is_told_and_answered_once_it_is_back(stack: Live) -> None:
    """In the report of the caller, in the metrics, in diag's verdict: the same stage, and no other fault."""
    before = _count_failed(stack)
    with _kept_away(stack, "llm-service", until=lambda: _count_failed(stack) > before):
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


@contextmanager
def _kept_away(stack: Live, service: str, until: Callable[[], bool]) -> Iterator[None]:
    """`service` is killed whenever it comes back, until `until` holds, or the block ends."""
    ended = threading.Event()

    def kill() -> None:
        while not (until() or ended.wait(0.1)):
            pid = stack.state()["pods"][service]["pid"]
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        ended.set()
        killer.join()


def _count_failed(stack: Live) -> float:
    port = stack.state()["pods"]["orchestrator"]["port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.removeprefix(FAILED)) for line in lines if line.startswith(FAILED))
