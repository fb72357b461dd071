"""One caller's connection, from the offer to the last line about it.

`CallerSession.answer` negotiates; `CallerSession.run` then owns everything that the session has: the
peer connection, the task that reads the caller's track, the one that publishes, the one that plays
replies. Whatever ends the session (DELETE, ICE, DTLS, shutdown) sets one future, and `run` cleans up
in one place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum, auto
from typing import Any

from aiortc import MediaStreamTrack, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError

from pipeline.media_server.core import (
    END_SILENCE_MS,
    SpeechChunk,
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
from pipeline.wire.loopback_ice import keep_loopback_candidates, new_peer_connection
from pipeline.wire.refusals import RequestRefusedError
from pipeline.wire.tracing import TraceContext

CONNECT_TIMEOUT_S = 15.0

_CLOSE_TIMEOUT_S = 2.0
# A caller that is there sends packets also while silent.
_LOST_SILENCE_S = 5.0


class _Ending(Enum):
    REQUESTED = auto()
    FAILED = auto()
    CLOSED = auto()


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
        self._heard_at = loop.time()
        self._connected: asyncio.Future[None] = loop.create_future()
        self._ending: asyncio.Future[_Ending] = loop.create_future()
        self._peer = new_peer_connection()
        self._peer.on("connectionstatechange", self._note_state)
        self._peer.on("track", self._take_track)

    async def answer(self, offer: str) -> str:
        """The SDP answer; raises `RequestRefusedError` (400)."""
        self._peer.addTrack(self._outgoing)
        description = RTCSessionDescription(keep_loopback_candidates(offer), "offer")
        try:
            await self._peer.setRemoteDescription(description)
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except (ValueError, InternalError, InvalidAccessError, InvalidStateError, OperationError) as error:
            raise RequestRefusedError(400, "the offer cannot be answered", self.session_id) from error
        self._log.write("whip-established")
        return self._peer.localDescription.sdp

    def close(self) -> None:
        """End the session; `run` returns soon after."""
        self._end(_Ending.REQUESTED)

    async def abandon(self) -> None:
        """Leave nothing of a session that could not be answered and so never runs."""
        self.close()
        await self._clean_up(None, None)

    async def run(self, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        """Live until the session has ended, then leave nothing of it behind."""
        publishing = asyncio.create_task(self._publishing.run(), name=f"publishing {self.session_id}")
        playing = asyncio.create_task(self._player.run(), name=f"playing {self.session_id}")
        await self._wait_for_connection(connect_timeout_s)
        if self._connected.done():
            self._log.write("connection-ready")
            self._replies.register(self.session_id, self._player.put)
            self._log.write("reply-consumer-started")
        self._explain(await self._ending)
        await self._clean_up(publishing, playing)
        self._log.write("connection-closed")
        self._log.write("connection-cleaned")

    def _explain(self, ending: _Ending) -> None:
        """Say what nobody asked for: a connection that never was, a caller that vanished."""
        silent_s = asyncio.get_running_loop().time() - self._heard_at
        if ending is _Ending.REQUESTED:
            return
        if not self._connected.done():
            self._log.write("connection-failed")
        # when ICE consent expires aiortc 1.16 only says closed, as it does at a good end
        elif ending is _Ending.FAILED or silent_s > _LOST_SILENCE_S:
            self._log.write("connection-lost")

    async def _wait_for_connection(self, timeout_s: float) -> None:
        """ICE alone may never say that it failed: without candidates there is no event at all."""
        events: set[asyncio.Future[Any]] = {self._connected, self._ending}
        done, _ = await asyncio.wait(events, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            self._end(_Ending.FAILED)

    async def _clean_up(
        self, publishing: asyncio.Task[None] | None, playing: asyncio.Task[None] | None
    ) -> None:
        if self._replies.unregister(self.session_id):
            self._log.write("reply-consumer-stopped")
        self._outgoing.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._peer.close()
                # reading ends with the caller's track, publishing after the last chunk
                await _wait_for_end(self._reading)
                self._publishing.finish()
                await _wait_for_end(publishing)
        tasks = (self._reading, publishing, playing)
        await end_tasks({task for task in tasks if task is not None}, _CLOSE_TIMEOUT_S / 2)

    def _note_state(self) -> None:
        state = self._peer.connectionState
        self._log.write("connection-state", state=state)
        if state == "connected" and not self._connected.done():
            self._connected.set_result(None)
        elif state == "failed":
            self._end(_Ending.FAILED)
        elif state == "closed":
            self._end(_Ending.CLOSED)

    def _end(self, ending: _Ending) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)

    def _take_track(self, track: MediaStreamTrack) -> None:
        self._log.write("track-received", kind=track.kind)
        self._reading = asyncio.create_task(self._read(track), name=f"reading {self.session_id}")

    async def _read(self, track: MediaStreamTrack) -> None:
        loop = asyncio.get_running_loop()
        detector = UtteranceDetector(new_vad())
        try:
            async for frame in read_frames(track, END_SILENCE_MS / 1000):
                if frame is None:
                    self._handle(detector.finish())
                else:
                    self._heard_at = loop.time()
                    self._handle(detector.feed(frame))
        finally:
            self._handle(detector.finish())
            self._log.write("track-closed")

    def _handle(self, events: Iterable[SpeechEvent]) -> None:
        for event in events:
            match event:
                case SpeechStarted(utterance):
                    self._log.write("speech-started", utterance=utterance)
                case SpeechChunk():
                    self._publishing.put(event)
                case SpeechEnded(utterance, speech_ms):
                    self._log.write("speech-ended", utterance=utterance, speech_ms=speech_ms)


async def _wait_for_end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        await asyncio.wait({task})
