"""Sends one session's utterances and its end to Kafka, beside the audio: a slow broker stops no frame."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pipeline.media_server.core import SpeechChunk
from pipeline.wire.kafka import Acknowledgement, OutgoingRecord, Placed, Publisher, PublishError
from pipeline.wire.log_lines import BoundLog
from pipeline.wire.records import AUDIO_IN, AudioChunk, SessionEnd
from pipeline.wire.tracing import TraceContext

# 40 s of audio; beyond it chunks are lost and the utterance counts as not published.
_QUEUE_CHUNKS = 400


@dataclass(slots=True)
class _Utterance:
    number: int
    records: int = 0
    size: int = 0
    answers: list[Acknowledgement] = field(default_factory=list)
    places: list[Placed] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    chunk: SpeechChunk
    interrupts: tuple[str, ...]


class UtterancePublisher:
    """Takes chunks in order; `run` is to be a task of the session."""

    def __init__(
        self, publisher: Publisher, session_id: str, trace: TraceContext | None, log: BoundLog
    ) -> None:
        self._publisher = publisher
        self._session_id = session_id
        self._trace = trace
        self._log = log
        self._queue: asyncio.Queue[_Piece | None] = asyncio.Queue()
        self._overflown: set[int] = set()
        self._interrupts: tuple[str, ...] = ()
        self._end_reason: str | None = None

    def interrupt(self, turn_ids: tuple[str, ...]) -> None:
        """Say with the next chunk over which turns' replies the caller speaks."""
        self._interrupts += turn_ids

    def put(self, chunk: SpeechChunk) -> None:
        """Queue `chunk`; never waits."""
        if self._queue.qsize() >= _QUEUE_CHUNKS and not chunk.last:
            self._overflown.add(chunk.utterance)
            return
        self._queue.put_nowait(_Piece(chunk, self._interrupts))
        self._interrupts = ()

    def finish(self, end_reason: str | None = None) -> None:
        """No chunk comes any more: `run` returns after the queued ones, and the end, if that has a reason."""
        self._end_reason = end_reason
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Publish until `finish`; one line for each utterance, and one for the end."""
        utterance: _Utterance | None = None
        try:
            while (piece := await self._queue.get()) is not None:
                if utterance is None:
                    utterance = _Utterance(piece.chunk.utterance)
                await self._send(utterance, piece)
                if piece.chunk.last:
                    await self._collect(utterance)
                    self._report(utterance)
                    utterance = None
            if self._end_reason is not None:
                await self._send_end(self._end_reason)
        except asyncio.CancelledError:
            if utterance is not None:
                utterance.error = utterance.error or "the session ended before Kafka had answered"
                self._report(utterance)
            raise

    async def _send_end(self, reason: str) -> None:
        """Tell the orchestrator that nothing comes any more."""
        headers = SessionEnd(self._session_id, reason, self._trace).to_headers()
        try:
            answer = await self._publisher.send(OutgoingRecord(AUDIO_IN, self._session_id, b"", headers))
            place = await answer.placed()
        except PublishError as error:
            self._log.write("session-end-not-published", topic=AUDIO_IN, error=str(error))
            return
        self._log.write(
            "session-end-published",
            topic=AUDIO_IN,
            partition=place.partition,
            offset=place.offset,
            reason=reason,
        )

    async def _send(self, utterance: _Utterance, piece: _Piece) -> None:
        chunk = piece.chunk
        utterance.records += 1
        utterance.size += len(chunk.pcm)
        if chunk.utterance in self._overflown:
            utterance.error = "too much audio was waiting for Kafka"
        if utterance.error is not None:
            return
        record = AudioChunk(
            self._session_id, chunk.utterance, chunk.last, chunk.pcm, self._trace, piece.interrupts
        )
        outgoing = OutgoingRecord(AUDIO_IN, self._session_id, chunk.pcm, record.to_headers())
        try:
            utterance.answers.append(await self._publisher.send(outgoing))
        except PublishError as error:
            utterance.error = str(error)

    async def _collect(self, utterance: _Utterance) -> None:
        """Wait for all answers at once, also after one has failed: none may be left unread."""
        answers = await asyncio.gather(
            *(answer.placed() for answer in utterance.answers), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, Placed):
                utterance.places.append(answer)
            elif isinstance(answer, PublishError):
                utterance.error = utterance.error or str(answer)
            else:
                raise answer

    def _report(self, utterance: _Utterance) -> None:
        self._overflown.discard(utterance.number)
        if utterance.error is not None:
            self._log.write(
                "publish-failed",
                utterance=utterance.number,
                topic=AUDIO_IN,
                records=utterance.records,
                error=utterance.error,
            )
            return
        self._log.write(
            "utterance-published",
            utterance=utterance.number,
            records=utterance.records,
            bytes=utterance.size,
            topic=AUDIO_IN,
            partition=utterance.places[0].partition,
            first_offset=utterance.places[0].offset,
            last_offset=utterance.places[-1].offset,
        )
