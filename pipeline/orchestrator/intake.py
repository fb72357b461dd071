"""Takes the records of audio-in in: to utterances, to turns, with a line for each step."""

from __future__ import annotations

import time
from typing import Protocol

from pipeline.orchestrator.core import (
    IntakeEvent,
    Utterance,
    UtteranceAssembler,
    UtteranceBegun,
    UtteranceDropped,
)
from pipeline.orchestrator.turn import Turn
from pipeline.wire.identifiers import derive_turn_id
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import Log
from pipeline.wire.progress import Progress
from pipeline.wire.records import (
    AUDIO_IN,
    ORCHESTRATOR_GROUP,
    AudioChunk,
    RecordError,
    SessionEnd,
    read_audio_in,
)


class CallerEvents(Protocol):
    """What the caller's side brings about in the orchestrator."""

    def begin(self, turn: Turn) -> bool:
        """Lead `turn`, now or after the session's earlier ones; False if too many are waiting already."""
        ...

    def lose(self, session_id: str, turn_id: str, reason: str) -> None:
        """What the caller said, and what would have been this turn, is not led: have that told."""
        ...

    def interrupt(self, chunk: AudioChunk) -> None:
        """The caller speaks over the replies of the turns that `chunk` names."""
        ...

    def end_session(self, end: SessionEnd) -> None:
        """The caller's media connection is gone."""
        ...

    async def hand_over(self, partitions: tuple[int, ...]) -> None:
        """Somebody else reads these partitions from now on: finish the turns that came from them."""
        ...


# Speech that is older than this when it is read has no caller any more who waits for a reply.
STALE_S = 120.0


class AudioIntake:
    """What the consumer of audio-in reports to.

    An utterance holds its place in `progress` from its first record until its turn has ended.
    """

    def __init__(self, events: CallerEvents, progress: Progress, log: Log) -> None:
        self._events = events
        self._progress = progress
        self._log = log
        self._assembler = UtteranceAssembler()
        self._consuming = False

    def take(self, record: ConsumedRecord) -> None:
        """Take one record in."""
        place: dict[str, str | int] = {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
        }
        try:
            heard = read_audio_in(record.key, record.value, record.headers)
        except RecordError as error:
            self._log.write("record-refused", **place, error=str(error))
            return
        if isinstance(heard, SessionEnd):
            self._events.end_session(heard)
        else:
            self._take_chunk(heard, record, place)

    def _take_chunk(self, chunk: AudioChunk, record: ConsumedRecord, place: dict[str, str | int]) -> None:
        if chunk.interrupts:
            self._events.interrupt(chunk)
        for event in self._assembler.take(chunk, record.place, time.monotonic()):
            if isinstance(event, UtteranceBegun):
                self._progress.hold(event.origin)
                log = self._log.bind(event.trace, session_id=event.session_id)
                log.write("audio-consumed", utterance=event.utterance, **place)
            elif isinstance(event, Utterance) and _is_stale(record):
                self._drop(_to_dropped(event, f"it is older than {STALE_S:g} s"))
            else:
                self._handle(event)

    def expire(self) -> None:
        """Drop what waits too long for its rest; to be called now and then."""
        for event in self._assembler.expire(time.monotonic()):
            self._handle(event)

    def assigned(self, partitions: tuple[int, ...]) -> None:
        """The group has assigned partitions, maybe none; they are read from the last commit on."""
        self._assembler.forget(partitions)
        if not self._consuming:
            self._consuming = True
            self._log.write("consumption-started", topic=AUDIO_IN, group=ORCHESTRATOR_GROUP)
        self._log.write("partitions-assigned", group=ORCHESTRATOR_GROUP, partitions=list(partitions))

    async def revoked(self, partitions: tuple[int, ...]) -> None:
        """The group gives these partitions to another member: what is half heard is heard there."""
        self._log.write("partitions-revoked", group=ORCHESTRATOR_GROUP, partitions=list(partitions))
        self._assembler.forget(partitions)
        await self._events.hand_over(partitions)

    def failed(self, error: str) -> None:
        """Consuming has failed; it is tried again."""
        self._consuming = False
        self._log.write("consumption-failed", error=error)

    def _handle(self, event: IntakeEvent) -> None:
        match event:
            case Utterance():
                self._begin_turn(event)
            case UtteranceDropped():
                self._drop(event)

    def _begin_turn(self, utterance: Utterance) -> None:
        turn = Turn(_name_turn(utterance), utterance)
        self._log.bind(utterance.trace, session_id=utterance.session_id).write(
            "audio-complete",
            turn_id=turn.turn_id,
            utterance=utterance.utterance,
            records=utterance.records,
            audio_ms=utterance.audio_ms,
        )
        if not self._events.begin(turn):
            self._lose(_to_dropped(utterance, "too many turns are waiting"))

    def _drop(self, event: UtteranceDropped) -> None:
        self._lose(event)
        self._progress.release(event.origin)

    def _lose(self, event: UtteranceDropped) -> None:
        """Say that it is dropped: in the log, and to the caller, who waits for an answer."""
        log = self._log.bind(event.trace, session_id=event.session_id)
        log.write("utterance-dropped", utterance=event.utterance, records=event.records, reason=event.reason)
        self._events.lose(event.session_id, _name_turn(event), event.reason)


def _name_turn(speech: Utterance | UtteranceDropped) -> str:
    """By the place of its first record: read once more, it is the same turn."""
    return derive_turn_id(speech.session_id, speech.origin.partition, speech.origin.offset)


def _is_stale(record: ConsumedRecord) -> bool:
    """By the broker's time; a record without one is of now."""
    return record.timestamp_ms > 0 and time.time() - record.timestamp_ms / 1000 > STALE_S


def _to_dropped(utterance: Utterance, reason: str) -> UtteranceDropped:
    ids = (utterance.session_id, utterance.utterance, utterance.records)
    return UtteranceDropped(*ids, reason, utterance.origin, utterance.trace)
