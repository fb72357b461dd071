"""A caller who speaks over the reply: it falls silent, and diag tells an interruption from a fault."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Live

pytestmark = [pytest.mark.part("kafka"), pytest.mark.part("flite"), pytest.mark.timeout(600)]


def test_a_reply_that_is_spoken_over_stops_and_the_call_is_healthy(stack: Live) -> None:
    """Stopped within a second of speech, one that a loaded machine needs included; the next turn is answered."""
    call = stack.call("--interrupt")
    code, answer = stack.judge(call["session_id"])
    first, second = call["turns"]

    assert first["silenced_ms"] is not None
    assert second["silenced_ms"] is None
    assert second["reply_audio_ms"] > 1_000
    assert [turn["outcome"] for turn in answer["turns"]] == ["interrupted", "answered"]
    by = answer["turns"][0]["interrupted_by"]
    assert by is not None
    assert by["proved"] is True
    assert (code, answer["verdict"]["status"]) == (0, "healthy"), answer["verdict"]
    events = [entry["event"] for entry in answer["timeline"]]
    assert (events.count("reply.stopped"), events.count("turn.interrupted")) == (1, 1)
