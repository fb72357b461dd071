"""Takes the records of audio-in in: to utterances, to turns, with a line for each step."""

from __future__ import annotations

import time
from collections.abc import Callable

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
from pipeline.wire.records import AUDIO_IN, ORCHESTRATOR_GROUP, RecordError, read_audio_chunk

Submit = Callable[[Turn], bool]


class AudioIntake:
    """What the consumer of audio-in reports to."""

    def __init__(self, submit: Submit, log: Log) -> None:
        self._submit = submit
        self._log = log
        self._assembler = UtteranceAssembler()
        self._consuming = False

    def take(self, record: ConsumedRecord) -> None:
        """Take one record in."""
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        try:
            chunk = read_audio_chunk(record.key, record.value, record.headers)
        except RecordError as error:
            self._log.write("record-refused", **place, error=str(error))
            return
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
        if not self._submit(turn):
            log.write(
                "utterance-dropped", utterance=number, records=records, reason="too many turns are waiting"
            )
