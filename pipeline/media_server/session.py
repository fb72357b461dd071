"""One caller's connection, from the offer to the last line about it.

`CallerSession.answer` negotiates; `CallerSession.run` then owns everything that the session has: the
peer connection, the task that reads the caller's track, the one that publishes, the one that plays
replies. Whatever ends the session (DELETE, ICE, DTLS, shutdown) sets one future, and `run` cleans up
in one place and has the orchestrator told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import Any

from aiortc import MediaStreamTrack, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError

from pipeline.media_server.core import (
    END_SILENCE_MS,
    SpeechChunk,
    SpeechContinues,
    SpeechEnded,
    SpeechEvent,
    SpeechStarted,
    UtteranceDetector,
    new_vad,
)
from pipeline.media_server.publishing import UtterancePublisher
from pipeline.media_server.replies import ReplyDesk, ReplyPlayer
from pipeline.wire.audio_tracks import PacedTrack, read_frames
from pipeline.wire.background import end_tasks
from pipeline.wire.kafka import Publisher
from pipeline.wire.log_lines import Log
from pipeline.wire.loopback_ice import has_lost_consent, keep_reachable_candidates, new_peer_connection
from pipeline.wire.refusals import RequestRefusedError
from pipeline.wire.tracing import TraceContext

CONNECT_TIMEOUT_S = 15.0

_ANSWER_TIMEOUT_S = 5.0
_CLOSE_TIMEOUT_S = 2.0
_CUT_OFF_S = 1.0
# What an ending takes at the longest
LONGEST_END_S = _CLOSE_TIMEOUT_S + _CUT_OFF_S
# What aiortc makes of offers that it cannot use; the first ones are its own surprise.
_UNUSABLE = (
    *(ValueError, LookupError, TypeError, AttributeError, AssertionError, TimeoutError),
    *(InternalError, InvalidAccessError, InvalidStateError, OperationError),
)


class Ending(StrEnum):
    """Why a session ended, in words for the log and for the caller."""

    DELETED = "deleted by the client"
    CLOSED = "closed by the client"
    LOST = "the client does not answer any more"
    NEVER_CONNECTED = "the client never connected"
    SHUTDOWN = "the media server shuts down"


class CallerSession:
    """The session of one caller on this server."""

    def __init__(
        self,
        session_id: str,
        trace: TraceContext | None,
        publisher: Publisher,
        replies: ReplyDesk,
        log: Log,
    ) -> None:
        self.session_id = session_id
        self._replies = replies
        self._log = log.bind(trace, session_id=session_id)
        self._outgoing = PacedTrack()
        self._player = ReplyPlayer(self._outgoing, self._log)
        self._publishing = UtterancePublisher(publisher, session_id, trace, self._log)
        self._reading: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        self._connected: asyncio.Future[None] = loop.create_future()
        self._ending: asyncio.Future[Ending] = loop.create_future()
        self._peer = new_peer_connection()
        self._peer.on("connectionstatechange", self._note_state)
        self._peer.on("track", self._take_track)

    async def answer(self, offer: str) -> str:
        """The SDP answer; raises `RequestRefusedError` (400)."""
        self._peer.addTrack(self._outgoing)
        description = RTCSessionDescription(keep_reachable_candidates(offer), "offer")
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                await self._peer.setRemoteDescription(description)
                await self._peer.setLocalDescription(await self._peer.createAnswer())
        except _UNUSABLE as error:
            raise RequestRefusedError(400, "the offer cannot be answered", self.session_id) from error
        self._log.write("whip-established")
        return self._peer.localDescription.sdp

    def close(self, ending: Ending) -> None:
        """End the session; `run` returns soon after."""
        if not self._ending.done():
            self._ending.set_result(ending)

    async def abandon(self) -> None:
        """Leave nothing of a session that could not be answered and so never runs."""
        self.close(Ending.NEVER_CONNECTED)
        await self._clean_up(None, None, Ending.NEVER_CONNECTED)

    async def run(self, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        """Live until the session has ended, then leave nothing of it behind."""
        publishing = asyncio.create_task(self._publishing.run(), name=f"publishing {self.session_id}")
        playing = asyncio.create_task(self._player.run(), name=f"playing {self.session_id}")
        await self._wait_for_connection(connect_timeout_s)
        if self._connected.done():
            self._log.write("connection-ready")
            self._replies.register(self.session_id, self._player.put)
            self._log.write("reply-consumer-started")
        ending = await self._ending
        if ending is Ending.NEVER_CONNECTED:
            self._log.write("connection-failed")
        elif ending is Ending.LOST:
            self._log.write("connection-lost", reason=ending.value)
        await self._clean_up(publishing, playing, ending)
        self._log.write("connection-closed", reason=ending.value)
        self._log.write("connection-cleaned")

    async def _wait_for_connection(self, timeout_s: float) -> None:
        """ICE alone may never say that it failed: without candidates there is no event at all."""
        events: set[asyncio.Future[Any]] = {self._connected, self._ending}
        done, _ = await asyncio.wait(events, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            self.close(Ending.NEVER_CONNECTED)

    async def _clean_up(
        self, publishing: asyncio.Task[None] | None, playing: asyncio.Task[None] | None, ending: Ending
    ) -> None:
        if self._replies.unregister(self.session_id):
            self._log.write("reply-consumer-stopped")
        self._outgoing.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._peer.close()
                if self._reading is not None and not self._connected.done():
                    self._reading.cancel()  # a track that never began does not end either
                # reading ends with the caller's track, publishing after the last chunk
                await _wait_for_end(self._reading)
                self._publishing.finish(ending.value if self._connected.done() else None)
                await _wait_for_end(publishing)
        tasks = (self._reading, publishing, playing)
        await end_tasks({task for task in tasks if task is not None}, _CUT_OFF_S)

    def _note_state(self) -> None:
        state = self._peer.connectionState
        self._log.write("connection-state", state=state)
        if state == "connected" and not self._connected.done():
            self._connected.set_result(None)
        elif state in {"failed", "closed"}:
            self.close(self._judge_loss(state))

    def _judge_loss(self, state: str) -> Ending:
        """When ICE consent expires aiortc 1.16 only says closed, as it does at a good end."""
        if not self._connected.done():
            return Ending.NEVER_CONNECTED
        lost = state == "failed" or has_lost_consent(self._peer)
        return Ending.LOST if lost else Ending.CLOSED

    def _take_track(self, track: MediaStreamTrack) -> None:
        self._log.write("track-received", kind=track.kind)
        self._reading = asyncio.create_task(self._read(track), name=f"reading {self.session_id}")

    async def _read(self, track: MediaStreamTrack) -> None:
        detector = UtteranceDetector(new_vad())
        try:
            async for frame in read_frames(track, END_SILENCE_MS / 1000):
                if frame is None:
                    self._handle(detector.finish())
                else:
                    self._handle(detector.feed(frame))
        finally:
            self._handle(detector.finish())
            self._log.write("track-closed")

    def _handle(self, events: Iterable[SpeechEvent]) -> None:
        for event in events:
            match event:
                case SpeechStarted(utterance):
                    self._log.write("speech-started", utterance=utterance)
                case SpeechContinues(utterance):
                    self._publishing.interrupt(self._player.interrupt(utterance))
                case SpeechChunk():
                    self._publishing.put(event)
                case SpeechEnded(utterance, speech_ms):
                    self._log.write("speech-ended", utterance=utterance, speech_ms=speech_ms)


async def _wait_for_end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        await asyncio.wait({task})
