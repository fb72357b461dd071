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
from pipeline.wire.identifiers import mint_turn_id
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import Log
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

    def interrupt(self, chunk: AudioChunk) -> None:
        """The caller speaks over the replies of the turns that `chunk` names."""
        ...

    def end_session(self, end: SessionEnd) -> None:
        """The caller's media connection is gone."""
        ...


class AudioIntake:
    """What the consumer of audio-in reports to."""

    def __init__(self, events: CallerEvents, log: Log) -> None:
        self._events = events
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
            self._take_chunk(heard, place)

    def _take_chunk(self, chunk: AudioChunk, place: dict[str, str | int]) -> None:
        if chunk.interrupts:
            self._events.interrupt(chunk)
        for event in self._assembler.take(chunk, time.monotonic()):
            if isinstance(event, UtteranceBegun):
                log = self._log.bind(event.trace, session_id=event.session_id)
                log.write("audio-consumed", utterance=event.utterance, **place)
            else:
                self._handle(event)

    def expire(self) -> None:
        """Drop what waits too long for its rest; to be called now and then."""
        for event in self._assembler.expire(time.monotonic()):
            self._handle(event)

    def assigned(self, partitions: tuple[int, ...]) -> None:
        """The group has assigned partitions, maybe none."""
        if not self._consuming:
            self._consuming = True
            self._log.write("consumption-started", topic=AUDIO_IN, group=ORCHESTRATOR_GROUP)
        self._log.write("partitions-assigned", group=ORCHESTRATOR_GROUP, partitions=list(partitions))

    def failed(self, error: str) -> None:
        """Consuming has failed; it is tried again."""
        self._consuming = False
        self._log.write("consumption-failed", error=error)

    def _handle(self, event: IntakeEvent) -> None:
        match event:
            case Utterance():
                self._begin_turn(event)
            case UtteranceDropped(session_id, utterance, records, reason, trace):
                log = self._log.bind(trace, session_id=session_id)
                log.write("utterance-dropped", utterance=utterance, records=records, reason=reason)

    def _begin_turn(self, utterance: Utterance) -> None:
        turn = Turn(mint_turn_id(), utterance)
        log = self._log.bind(utterance.trace, session_id=utterance.session_id)
        number, records = utterance.utterance, utterance.records
        log.write(
            "audio-complete",
            turn_id=turn.turn_id,
            utterance=number,
            records=records,
            audio_ms=utterance.audio_ms,
        )
        if not self._events.begin(turn):
            log.write(
                "utterance-dropped", utterance=number, records=records, reason="too many turns are waiting"
            )
