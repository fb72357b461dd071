"""Delivers replies to exactly the session that they belong to, wherever its caller is.

A caller whose connection broke is waited for a moment. A session that no caller is bound to gets
nothing: that is said in the log and counted, and no other socket is tried.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from pipeline.orchestrator import protocol
from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.failures import Failure
from pipeline.orchestrator.memory import SentMessage
from pipeline.orchestrator.protocol import REPLY_AUDIO
from pipeline.orchestrator.replicas import ReplicaLink
from pipeline.orchestrator.sent import message_id_of
from pipeline.orchestrator.sockets import ClientSockets, SendError
from pipeline.orchestrator.turn import Outcome, Turn
from pipeline.orchestrator.whereabouts import Here, There
from pipeline.wire.correlation import Correlation
from pipeline.wire.kafka import OutgoingRecord, Publisher, PublishError
from pipeline.wire.log_lines import BoundLog, Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.records import AUDIO_OUT, ReplyAudio, SessionEvent

# A caller who moves in the middle of a delivery is followed once.
_ATTEMPTS = 2


class TextDelivery:
    """Sends the messages of turns by sockets: by one of this replica, or by another replica's."""

    def __init__(
        self, callers: Callers, sockets: ClientSockets, link: ReplicaLink, metrics: SessionMetrics, log: Log
    ) -> None:
        self._callers = callers
        self._sockets = sockets
        self._link = link
        self._metrics = metrics
        self._log = log

    async def deliver(self, message: SessionEvent) -> Outcome:
        """Bring `message`, of kind ``reply``, to the caller of its session."""
        log, message_type = self._bind(message), message.message_type
        if self._was_sent(message, log):
            return Outcome.DELIVERED
        for _ in range(_ATTEMPTS):
            match await self._callers.locate(message.session_id):
                case Here() as here:
                    if await self._send(message, here, log):
                        return Outcome.DELIVERED
                case There() as there:
                    if await self._forward(message, there, log):
                        return Outcome.DELIVERED
                case None:
                    self.withhold(log, message_type)
                    return Outcome.WITHHELD
        return Outcome.FAILED

    async def deliver_here(self, message: SessionEvent) -> bool:
        """Send what another replica has forwarded; False if its caller is not here any more."""
        place = self._callers.find(message.session_id)
        log = self._bind(message)
        if self._was_sent(message, log):
            return True
        return isinstance(place, Here) and await self._send(message, place, log)

    async def notify(self, session_id: str, text: str) -> None:
        """Tell the caller of a session something that is no part of a reply, if that can be done now."""
        match self._callers.find(session_id):
            case Here(connection_id):
                with suppress(SendError):  # it is closed; that has its own line
                    await self._sockets.send(connection_id, text)
            case There(replica):
                self._link.announce(
                    SessionEvent("notice", session_id, self._callers.replica, to=replica, text=text)
                )

    async def notify_here(self, notice: SessionEvent) -> None:
        """Pass on what another replica has to tell; the caller may have moved on meanwhile."""
        if isinstance(self._callers.find(notice.session_id), Here):
            await self.notify(notice.session_id, notice.text)

    def withhold(self, log: BoundLog, message_type: str) -> None:
        """Say that a message is for nobody."""
        self._metrics.unmapped.inc()
        log.write("reply-addressed", message_type=message_type)
        log.write("reply-withheld", message_type=message_type)

    def _was_sent(self, message: SessionEvent, log: BoundLog) -> bool:
        """Whether an earlier attempt at the turn has sent it, here or on another replica."""
        if not self._callers.sent.has(message.session_id, _id_of(message)):
            return False
        log.write("reply-repeated", message_type=message.message_type)
        return True

    async def _send(self, message: SessionEvent, here: Here, log: BoundLog) -> bool:
        log.write("reply-addressed", message_type=message.message_type)
        about = {"connection_id": here.connection_id, "message_type": message.message_type}
        try:
            await self._sockets.send(here.connection_id, message.text)
        except SendError as error:
            log.write("reply-undelivered", **about, error=str(error))
            self._callers.miss(message.session_id, here)
            return False
        self._callers.sent.note(SentMessage(_id_of(message), message.session_id, message.text))
        log.write("reply-delivered", **about)
        return True

    async def _forward(self, message: SessionEvent, there: There, log: BoundLog) -> bool:
        about = {"replica": there.replica, "message_type": message.message_type}
        log.write("reply-forwarded", **about)
        if await self._link.forward(_addressed(message, there)):
            return True
        log.write("reply-not-taken", **about)
        self._callers.miss(message.session_id, there)
        return False

    def _bind(self, message: SessionEvent) -> BoundLog:
        return Correlation(message.session_id, message.turn_id, message.trace).bind(self._log)


class ReplyDelivery:
    """Texts go by the session's socket, audio by audio-out to whichever media server has the session."""

    def __init__(
        self,
        texts: TextDelivery,
        callers: Callers,
        publisher: Publisher,
        *,
        metrics: SessionMetrics,
        log: Log,
    ) -> None:
        self._texts = texts
        self._callers = callers
        self._publisher = publisher
        self._metrics = metrics
        self._log = log

    async def send_text(self, turn: Turn, message_type: str, text: str) -> Outcome:
        """As `Delivery.send_text`."""
        message = protocol.turn_text(message_type, turn.session_id, turn.turn_id, text)
        return await self._deliver(turn, message_type, message)

    async def send_audio(self, turn: Turn, pcm: bytes) -> Outcome:
        """As `Delivery.send_audio`."""
        log = turn.correlation.bind(self._log)
        if await self._callers.locate(turn.session_id) is None:
            self._texts.withhold(log, REPLY_AUDIO)
            return Outcome.WITHHELD
        log.write("reply-addressed", message_type=REPLY_AUDIO)
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

    async def send_failure(self, turn: Turn, failure: Failure) -> None:
        """As `Delivery.send_failure`; it is counted, too."""
        self._metrics.failed.labels(failure.stage).inc()
        message = protocol.turn_failed(turn.session_id, turn.turn_id, failure)
        await self._deliver(turn, protocol.TURN_FAILED, message)

    async def _deliver(self, turn: Turn, message_type: str, message: str) -> Outcome:
        return await self._texts.deliver(
            SessionEvent(
                "reply",
                turn.session_id,
                self._callers.replica,
                turn_id=turn.turn_id,
                message_type=message_type,
                text=message,
                trace=turn.utterance.trace,
            )
        )


def _id_of(message: SessionEvent) -> str:
    return message_id_of(message.turn_id, message.message_type)


def _addressed(message: SessionEvent, there: There) -> SessionEvent:
    return replace(message, to=there.replica)
