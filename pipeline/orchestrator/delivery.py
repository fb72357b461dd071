"""Delivers replies to exactly the session that they belong to; without a socket nothing is sent."""

from __future__ import annotations

from pipeline.orchestrator import protocol
from pipeline.orchestrator.protocol import REPLY_AUDIO
from pipeline.orchestrator.sockets import ClientSockets, SendError
from pipeline.orchestrator.turn import Outcome, Turn
from pipeline.wire.kafka import OutgoingRecord, Publisher, PublishError
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.records import AUDIO_OUT, ReplyAudio


class ReplyDelivery:
    """Texts go by the session's socket, audio by audio-out to whichever media server has the session."""

    def __init__(
        self, sockets: ClientSockets, publisher: Publisher, metrics: SessionMetrics, log: Log
    ) -> None:
        self._sockets = sockets
        self._publisher = publisher
        self._metrics = metrics
        self._log = log

    async def send_text(self, turn: Turn, message_type: str, text: str) -> Outcome:
        """As `Delivery.send_text`."""
        connection_id = self._address(turn, message_type)
        if connection_id is None:
            return Outcome.WITHHELD
        log = turn.correlation.bind(self._log)
        message = protocol.turn_text(message_type, turn.session_id, turn.turn_id, text)
        about = {"connection_id": connection_id, "message_type": message_type}
        try:
            await self._sockets.send(connection_id, message)
        except SendError as error:
            log.write("reply-undelivered", **about, error=str(error))
            return Outcome.FAILED
        log.write("reply-delivered", **about)
        return Outcome.DELIVERED

    async def send_audio(self, turn: Turn, pcm: bytes) -> Outcome:
        """As `Delivery.send_audio`."""
        if self._address(turn, REPLY_AUDIO) is None:
            return Outcome.WITHHELD
        log = turn.correlation.bind(self._log)
        reply = ReplyAudio(turn.session_id, turn.turn_id, pcm, turn.utterance.trace)
        try:
            answer = await self._publisher.send(
                OutgoingRecord(AUDIO_OUT, turn.session_id, pcm, reply.to_headers())
            )
            place = await answer.placed()
        except PublishError as error:
            log.write("reply-audio-failed", topic=AUDIO_OUT, error=str(error))
            return Outcome.FAILED
        log.write(
            "reply-audio-published",
            topic=AUDIO_OUT,
            partition=place.partition,
            offset=place.offset,
            bytes=len(pcm),
        )
        return Outcome.DELIVERED

    def _address(self, turn: Turn, message_type: str) -> str | None:
        """The connection of the turn's session at this moment."""
        log = turn.correlation.bind(self._log)
        log.write("reply-addressed", message_type=message_type)
        connection_id = self._sockets.find_connection(turn.session_id)
        if connection_id is None:
            self._metrics.unmapped.inc()
            log.write("reply-withheld", message_type=message_type)
        return connection_id
