"""Puts the records of audio-in together to utterances. Pure: records and times in, events out.

Of each session at most one utterance is open, because the media server sends one after the other.
Everything is bounded: one session's audio, the number of open utterances, how long one waits for its
rest (its media server may be gone).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.wire.progress import Place
from pipeline.wire.records import BYTES_PER_MS, AudioChunk
from pipeline.wire.tracing import TraceContext

LONGEST_MS = 30_000
MOST_SESSIONS = 1_000
IDLE_S = 30.0


@dataclass(frozen=True, slots=True)
class UtteranceBegun:
    """The first record of an utterance has come."""

    session_id: str
    utterance: int
    origin: Place
    trace: TraceContext | None


@dataclass(frozen=True, slots=True)
class Utterance:
    """A whole utterance: raw PCM, of how many records it was made, and where the first of them stands."""

    session_id: str
    utterance: int
    pcm: bytes
    records: int
    origin: Place
    trace: TraceContext | None

    @property
    def audio_ms(self) -> int:
        """Its length."""
        return len(self.pcm) // BYTES_PER_MS


@dataclass(frozen=True, slots=True)
class UtteranceDropped:
    """An utterance that will not be heard, and why."""

    session_id: str
    utterance: int
    records: int
    reason: str
    origin: Place
    trace: TraceContext | None


IntakeEvent = UtteranceBegun | Utterance | UtteranceDropped


class UtteranceAssembler:
    """The open utterances of all sessions, the longest idle first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _OpenUtterance] = OrderedDict()

    def take(self, chunk: AudioChunk, place: Place, now_s: float) -> list[IntakeEvent]:
        """What the chunk at `place` brings about; `now_s` is of any clock that only goes forward."""
        events: list[IntakeEvent] = []
        utterance = self._open.pop(chunk.session_id, None)
        if utterance is not None and utterance.number != chunk.utterance:
            events += utterance.drop("another utterance began before its end")
            utterance = None
        if utterance is None:
            events += self._make_room()
            events.append(UtteranceBegun(chunk.session_id, chunk.utterance, place, chunk.trace))
            utterance = _OpenUtterance(chunk.session_id, chunk.utterance, place, chunk.trace)
        events += utterance.add(chunk, now_s)
        if not chunk.last:
            self._open[chunk.session_id] = utterance
        return events

    def expire(self, now_s: float) -> list[IntakeEvent]:
        """Drop what has waited `IDLE_S` for its rest."""
        events: list[IntakeEvent] = []
        while self._open and now_s - next(iter(self._open.values())).touched_s > IDLE_S:
            _, utterance = self._open.popitem(last=False)
            events += utterance.drop(f"its end did not come within {IDLE_S:g} s")
        return events

    def forget(self, partitions: Iterable[int]) -> None:
        """Let go of what was read of these partitions: it is read anew, by whoever has them next."""
        gone = frozenset(partitions)
        for session_id, utterance in list(self._open.items()):
            if utterance.origin.partition in gone:
                del self._open[session_id]

    def _make_room(self) -> list[UtteranceDropped]:
        if len(self._open) < MOST_SESSIONS:
            return []
        _, utterance = self._open.popitem(last=False)
        return utterance.drop(f"more than {MOST_SESSIONS} sessions speak at once")


class _OpenUtterance:
    """What has come of one utterance. Once dropped it goes on to swallow its records."""

    def __init__(self, session_id: str, number: int, origin: Place, trace: TraceContext | None) -> None:
        self._session_id = session_id
        self.number = number
        self.origin = origin
        self._trace = trace
        self._pcm = bytearray()
        self._records = 0
        self._dropped = False
        self.touched_s = 0.0

    def add(self, chunk: AudioChunk, now_s: float) -> list[Utterance | UtteranceDropped]:
        self.touched_s = now_s
        if self._dropped:
            return []
        self._records += 1
        self._pcm += chunk.pcm
        if len(self._pcm) > LONGEST_MS * BYTES_PER_MS:
            return [*self.drop(f"longer than {LONGEST_MS // 1000} s")]
        if not chunk.last:
            return []
        pcm, records = bytes(self._pcm), self._records
        return [Utterance(self._session_id, self.number, pcm, records, self.origin, self._trace)]

    def drop(self, reason: str) -> list[UtteranceDropped]:
        self._pcm.clear()
        if self._dropped:
            return []
        self._dropped = True
        records = self._records
        return [UtteranceDropped(self._session_id, self.number, records, reason, self.origin, self._trace)]
