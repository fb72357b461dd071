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
from pipeline.wire.progress import Place
from pipeline.wire.records import BYTES_PER_MS, AudioChunk
from pipeline.wire.tracing import start_trace

A, B = "session_1753615601372_aaaaaaaaa", "session_1753615601373_bbbbbbbbb"

PLACE = Place(0, 0)


def _chunk(
    session_id: str = A, utterance: int = 1, *, last: bool = False, pcm: bytes = b"\x01\x02"
) -> AudioChunk:
    return AudioChunk(session_id, utterance, last, pcm)


def test_records_become_an_utterance() -> None:
    """Begun with the first, whole with the last, under the trace of the first."""
    assembler, trace = UtteranceAssembler(), start_trace()
    first = assembler.take(AudioChunk(A, 1, last=False, pcm=b"ab", trace=trace), PLACE, 0.0)
    middle = assembler.take(_chunk(pcm=b"cd"), PLACE, 0.1)
    last = assembler.take(_chunk(last=True, pcm=b""), PLACE, 0.2)

    assert first == [UtteranceBegun(A, 1, PLACE, trace)]
    assert middle == []
    assert last == [Utterance(A, 1, b"abcd", 3, PLACE, trace)]


def test_one_record_may_be_a_whole_utterance() -> None:
    """Begun and whole at once."""
    events = UtteranceAssembler().take(_chunk(last=True), PLACE, 0.0)

    assert [type(event) for event in events] == [UtteranceBegun, Utterance]


@given(st.lists(st.sampled_from([A, B]), max_size=40))
def test_sessions_do_not_mix(order: list[str]) -> None:
    """However their records are interleaved, each utterance has its own session's audio only."""
    assembler = UtteranceAssembler()
    for session_id in order:
        assembler.take(_chunk(session_id, pcm=session_id[-1:].encode() * 2), PLACE, 0.0)
    for session_id in (A, B):
        utterance = assembler.take(_chunk(session_id, last=True, pcm=b""), PLACE, 1.0)[-1]

        assert isinstance(utterance, Utterance)
        assert utterance.pcm == session_id[-1:].encode() * 2 * order.count(session_id)


def test_a_new_utterance_ends_an_unfinished_one() -> None:
    """Its end was lost; half a sentence is not transcribed."""
    assembler = UtteranceAssembler()
    assembler.take(_chunk(utterance=1), PLACE, 0.0)
    dropped, begun = assembler.take(_chunk(utterance=2), PLACE, 1.0)

    assert isinstance(dropped, UtteranceDropped)
    assert (dropped.utterance, dropped.records) == (1, 1)
    assert begun == UtteranceBegun(A, 2, PLACE, None)


def test_a_half_utterance_is_dropped_when_it_is_idle() -> None:
    """Its media server may be gone; a session that still speaks is not touched."""
    assembler = UtteranceAssembler()
    assembler.take(_chunk(A), PLACE, 0.0)
    assembler.take(_chunk(B), PLACE, 1.0)
    assembler.take(_chunk(A), PLACE, 2.0)

    assert assembler.expire(IDLE_S + 0.5) == []
    (dropped,) = assembler.expire(IDLE_S + 1.5)
    assert isinstance(dropped, UtteranceDropped)
    assert dropped.session_id == B
    assert assembler.expire(IDLE_S + 1.5) == []


def test_an_endless_utterance_is_dropped_once() -> None:
    """After 30 s of audio; what follows of it is swallowed, the next one is taken again."""
    assembler = UtteranceAssembler()
    second = bytes(1000 * BYTES_PER_MS)
    events = [event for n in range(40) for event in assembler.take(_chunk(pcm=second), PLACE, n)]
    after = assembler.take(_chunk(last=True), PLACE, 41.0)
    following = assembler.take(_chunk(utterance=2, last=True), PLACE, 42.0)

    assert [type(event) for event in events] == [UtteranceBegun, UtteranceDropped]
    assert after == []
    assert [type(event) for event in following] == [UtteranceBegun, Utterance]


def test_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was silent longest makes room."""
    monkeypatch.setattr(core, "MOST_SESSIONS", 3)
    assembler = UtteranceAssembler()
    for n in range(3):
        assembler.take(_chunk(f"session {n}"), PLACE, n)
    assembler.take(_chunk("session 0"), PLACE, 4)
    dropped, begun = assembler.take(_chunk("session 3"), PLACE, 5)

    assert isinstance(dropped, UtteranceDropped)
    assert dropped.session_id == "session 1"
    assert isinstance(begun, UtteranceBegun)


def test_what_another_reads_is_let_go() -> None:
    """Open utterances of the partition, silently: they are not dropped, somebody else hears them."""
    assembler = UtteranceAssembler()
    assembler.take(_chunk(A), Place(0, 3), 0.0)
    assembler.take(_chunk(B), Place(1, 3), 0.0)
    assembler.forget([0])

    (begun,) = assembler.take(_chunk(A), Place(0, 4), 1.0)
    assert begun == UtteranceBegun(A, 1, Place(0, 4), None)
    assert assembler.take(_chunk(B), Place(1, 4), 1.0) == []
