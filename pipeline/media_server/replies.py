"""Brings the spoken replies of audio-out to the sessions of this server and plays them in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from pipeline.wire.audio_tracks import PacedTrack
from pipeline.wire.kafka_consumer import ConsumedRecord
from pipeline.wire.log_lines import BoundLog, Log
from pipeline.wire.records import BYTES_PER_MS, RecordError, ReplyAudio, read_reply_audio

_WAITING_REPLIES = 8
_SPOKEN_OVER = "the caller spoke"
_REMEMBERED_TURNS = 32

TakeReply = Callable[[ReplyAudio], None]


class ReplyDesk:
    """The one consumer of audio-out of this process hands its records out here, by session.

    A turn that was cut off is led once more, and its reply may come twice: it is played once.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._sessions: dict[str, TakeReply] = {}
        self._taken: dict[str, deque[str]] = {}

    def register(self, session_id: str, take: TakeReply) -> None:
        """Give the replies of `session_id` to `take` from now on."""
        self._sessions[session_id] = take
        self._taken[session_id] = deque(maxlen=_REMEMBERED_TURNS)

    def unregister(self, session_id: str) -> bool:
        """Whether `session_id` was registered; it is no more."""
        self._taken.pop(session_id, None)
        return self._sessions.pop(session_id, None) is not None

    def take(self, record: ConsumedRecord) -> None:
        """Hand one record of audio-out to its session, if that is here."""
        try:
            reply = read_reply_audio(record.key, record.value, record.headers)
        except RecordError as error:
            self._log.write(
                "record-refused",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                error=str(error),
            )
            return
        take = self._sessions.get(reply.session_id)
        log = self._log.bind(reply.trace, session_id=reply.session_id)
        if take is None:
            log.write("reply-not-here")
        elif reply.turn_id and reply.turn_id in self._taken[reply.session_id]:
            log.write("reply-known", turn_id=reply.turn_id)
        else:
            self._taken[reply.session_id].append(reply.turn_id)
            take(reply)

    def assigned(self, partitions: tuple[int, ...]) -> None:
        """Which partitions this server reads makes no difference to it."""

    async def revoked(self, partitions: tuple[int, ...]) -> None:
        """Nothing is under way that another reader could finish."""

    def failed(self, error: str) -> None:
        """Consuming has failed; it is tried again."""
        self._log.write("reply-read-failed", error=error)


class ReplyPlayer:
    """Plays the replies of one session, one after the other; `run` is to be a task of the session."""

    def __init__(self, track: PacedTrack, log: BoundLog) -> None:
        self._track = track
        self._log = log
        self._waiting: asyncio.Queue[ReplyAudio] = asyncio.Queue(_WAITING_REPLIES)
        self._playing: ReplyAudio | None = None

    def put(self, reply: ReplyAudio) -> None:
        """Queue `reply`; never waits."""
        try:
            self._waiting.put_nowait(reply)
        except asyncio.QueueFull:
            self._log.write("reply-dropped", turn_id=reply.turn_id)

    def interrupt(self, utterance: int) -> tuple[str, ...]:
        """Fall silent for `utterance`; the turns whose replies were playing or waiting."""
        stopped: list[ReplyAudio] = []
        played = self._track.fall_silent()
        if self._playing is not None and played is not None:
            self._note_stop(self._playing, played, utterance)
            stopped.append(self._playing)
            self._playing = None
        while not self._waiting.empty():
            stopped.append(self._waiting.get_nowait())
            self._note_stop(stopped[-1], 0, utterance)
        return tuple(reply.turn_id for reply in stopped)

    async def run(self) -> None:
        """Play until cancelled, or until the track is stopped."""
        while True:
            reply = self._playing = await self._waiting.get()
            await self._track.play(reply.pcm)
            if self._playing is not reply:
                continue  # interrupted: that has its line
            self._playing = None
            self._log.write(
                "reply-played",
                turn_id=reply.turn_id,
                bytes=len(reply.pcm),
                audio_ms=len(reply.pcm) // BYTES_PER_MS,
            )

    def _note_stop(self, reply: ReplyAudio, played: int, utterance: int) -> None:
        self._log.write(
            "reply-stopped",
            turn_id=reply.turn_id,
            utterance=utterance,
            played_ms=played // BYTES_PER_MS,
            audio_ms=len(reply.pcm) // BYTES_PER_MS,
            reason=_SPOKEN_OVER,
        )
