"""Sends the utterances of one session to Kafka, beside the audio: a slow broker stops no frame."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from pipeline.media_server.core import SpeechChunk
from pipeline.wire.kafka import Acknowledgement, OutgoingRecord, Placed, Publisher, PublishError
from pipeline.wire.log_lines import BoundLog
from pipeline.wire.records import AUDIO_IN, AudioChunk
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


class UtterancePublisher:
    """Takes chunks in order; `run` is to be a task of the session."""

    def __init__(
        self, publisher: Publisher, session_id: str, trace: TraceContext | None, log: BoundLog
    ) -> None:
        self._publisher = publisher
        self._session_id = session_id
        self._trace = trace
        self._log = log
        self._queue: asyncio.Queue[SpeechChunk | None] = asyncio.Queue()
        self._overflown: set[int] = set()

    def put(self, chunk: SpeechChunk) -> None:
        """Queue `chunk`; never waits."""
        if self._queue.qsize() >= _QUEUE_CHUNKS and not chunk.last:
            self._overflown.add(chunk.utterance)
        else:
            self._queue.put_nowait(chunk)

    def finish(self) -> None:
        """No chunk comes any more: `run` returns after the queued ones."""
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Publish until `finish`; one line for each utterance."""
        utterance: _Utterance | None = None
        try:
            while (chunk := await self._queue.get()) is not None:
                if utterance is None:
                    utterance = _Utterance(chunk.utterance)
                await self._send(utterance, chunk)
                if chunk.last:
                    await self._collect(utterance)
                    self._report(utterance)
                    utterance = None
        except asyncio.CancelledError:
            if utterance is not None:
                utterance.error = utterance.error or "the session ended before Kafka had answered"
                self._report(utterance)
            raise

    async def _send(self, utterance: _Utterance, chunk: SpeechChunk) -> None:
        utterance.records += 1
        utterance.size += len(chunk.pcm)
        if chunk.utterance in self._overflown:
            utterance.error = "too much audio was waiting for Kafka"
        if utterance.error is not None:
            return
        record = AudioChunk(self._session_id, chunk.utterance, chunk.last, chunk.pcm, self._trace)
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
