"""Assembling utterances: whole, bounded, and never mixed up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.orchestrator import core
from pipeline.orchestrator.core import (
    IDLE_S,
    Utterance,
    UtteranceAssembler,
    UtteranceBegun,
    UtteranceDropped,
)
from pipeline.wire.records import BYTES_PER_MS, AudioChunk
from pipeline.wire.tracing import start_trace

A, B = "session_1753615601372_aaaaaaaaa", "session_1753615601373_bbbbbbbbb"


def _chunk(
    session_id: str = A, utterance: int = 1, *, last: bool = False, pcm: bytes = b"\x01\x02"
) -> AudioChunk:
    return AudioChunk(session_id, utterance, last, pcm)


def test_records_become_an_utterance() -> None:
    """Begun with the first, whole with the last, under the trace of the first."""
    assembler, trace = UtteranceAssembler(), start_trace()
    first = assembler.take(AudioChunk(A, 1, last=False, pcm=b"ab", trace=trace), 0.0)
    middle = assembler.take(_chunk(pcm=b"cd"), 0.1)
    last = assembler.take(_chunk(last=True, pcm=b""), 0.2)

    assert first == [UtteranceBegun(A, 1, trace)]
    assert middle == []
    assert last == [Utterance(A, 1, b"abcd", 3, trace)]


def test_one_record_may_be_a_whole_utterance() -> None:
    """Begun and whole at once."""
    events = UtteranceAssembler().take(_chunk(last=True), 0.0)

    assert [type(event) for event in events] == [UtteranceBegun, Utterance]


@given(st.lists(st.sampled_from([A, B]), max_size=40))
def test_sessions_do_not_mix(order: list[str]) -> None:
    """However their records are interleaved, each utterance has its own session's audio only."""
    assembler = UtteranceAssembler()
    for session_id in order:
        assembler.take(_chunk(session_id, pcm=session_id[-1:].encode() * 2), 0.0)
    for session_id in (A, B):
        utterance = assembler.take(_chunk(session_id, last=True, pcm=b""), 1.0)[-1]

        assert isinstance(utterance, Utterance)
        assert utterance.pcm == session_id[-1:].encode() * 2 * order.count(session_id)


def test_a_new_utterance_ends_an_unfinished_one() -> None:
    """Its end was lost; half a sentence is not transcribed."""
    assembler = UtteranceAssembler()
    assembler.take(_chunk(utterance=1), 0.0)
    dropped, begun = assembler.take(_chunk(utterance=2), 1.0)

    assert isinstance(dropped, UtteranceDropped)
    assert (dropped.utterance, dropped.records) == (1, 1)
    assert begun == UtteranceBegun(A, 2, None)


def test_a_half_utterance_is_dropped_when_it_is_idle() -> None:
    """Its media server may be gone; a session that still speaks is not touched."""
    assembler = UtteranceAssembler()
    assembler.take(_chunk(A), 0.0)
    assembler.take(_chunk(B), 1.0)
    assembler.take(_chunk(A), 2.0)

    assert assembler.expire(IDLE_S + 0.5) == []
    (dropped,) = assembler.expire(IDLE_S + 1.5)
    assert isinstance(dropped, UtteranceDropped)
    assert dropped.session_id == B
    assert assembler.expire(IDLE_S + 1.5) == []


def test_an_endless_utterance_is_dropped_once() -> None:
    """After 30 s of audio; what follows of it is swallowed, the next one is taken again."""
    assembler = UtteranceAssembler()
    second = bytes(1000 * BYTES_PER_MS)
    events = [event for n in range(40) for event in assembler.take(_chunk(pcm=second), n)]
    after = assembler.take(_chunk(last=True), 41.0)
    following = assembler.take(_chunk(utterance=2, last=True), 42.0)

    assert [type(event) for event in events] == [UtteranceBegun, UtteranceDropped]
    assert after == []
    assert [type(event) for event in following] == [UtteranceBegun, Utterance]


def test_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was silent longest makes room."""
    monkeypatch.setattr(core, "MOST_SESSIONS", 3)
    assembler = UtteranceAssembler()
    for n in range(3):
        assembler.take(_chunk(f"session {n}"), n)
    assembler.take(_chunk("session 0"), 4)
    dropped, begun = assembler.take(_chunk("session 3"), 5)

    assert isinstance(dropped, UtteranceDropped)
    assert dropped.session_id == "session 1"
    assert isinstance(begun, UtteranceBegun)
