"""PCM to a WebRTC track and back: 16 kHz, mono, 16 bits, in frames of 20 ms."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from fractions import Fraction

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler

from pipeline.wire.records import BYTES_PER_MS, SAMPLE_RATE_HZ

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
SILENCE = bytes(FRAME_BYTES)

_FRAME_S = FRAME_MS / 1000
_FRAME_SAMPLES = FRAME_BYTES // 2
# Later than this (the process was stopped, or the loop blocked) the track does not catch up.
_LATEST_S = 0.2


class Playout:
    """What a track is to play, one piece after the other, cut into frames. Pure."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bytes, asyncio.Future[None]]] = deque()
        self._position = 0

    def add(self, pcm: bytes, played: asyncio.Future[None]) -> None:
        """Queue `pcm`; `played` is set once its last sample was handed out."""
        self._waiting.append((pcm, played))

    def next_frame(self) -> bytes:
        """The next 20 ms; silence where there is nothing to play."""
        if not self._waiting:
            return SILENCE
        pcm, played = self._waiting[0]
        frame = pcm[self._position : self._position + FRAME_BYTES]
        self._position += FRAME_BYTES
        if self._position >= len(pcm):
            self._waiting.popleft()
            self._position = 0
            if not played.done():
                played.set_result(None)
        return frame.ljust(FRAME_BYTES, b"\0")

    def fall_silent(self) -> int | None:
        """Drop what is queued; how many bytes of the first piece were played, None if nothing was queued."""
        position = self._position if self._waiting else None
        for _, played in self._waiting:
            if not played.done():
                played.set_result(None)
        self._waiting.clear()
        self._position = 0
        return position

    def abandon(self) -> None:
        """Cancel what is still waiting."""
        for _, played in self._waiting:
            played.cancel()
        self._waiting.clear()


class PacedTrack(MediaStreamTrack):
    """An outgoing audio track, paced by the wall clock."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._playout = Playout()
        self._started_at: float | None = None
        self._frames = 0

    def play(self, pcm: bytes) -> asyncio.Future[None]:
        """Play `pcm` after what is queued; done once its last sample has left, cancelled at `stop`."""
        played: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.readyState == "live":
            self._playout.add(pcm, played)
        else:
            played.cancel()
        return played

    def fall_silent(self) -> int | None:
        """Silence from the next frame on; how many bytes of what played had left, None if nothing did."""
        return self._playout.fall_silent()

    def stop(self) -> None:
        """End the track."""
        super().stop()
        self._playout.abandon()

    async def recv(self) -> AudioFrame:
        """The next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        await self._wait_until_due()
        frame = _to_frame(self._playout.next_frame(), self._frames)
        self._frames += 1
        return frame

    async def _wait_until_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._started_at is None:
            self._started_at = now
        early_s = self._started_at + self._frames * _FRAME_S - now
        if early_s < -_LATEST_S:
            self._started_at -= early_s
        await asyncio.sleep(max(0.0, early_s))


def _to_frame(pcm: bytes, index: int) -> AudioFrame:
    frame = AudioFrame(format="s16", layout="mono", samples=_FRAME_SAMPLES)
    frame.planes[0].update(pcm)
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
    frame.pts = index * _FRAME_SAMPLES
    return frame


async def read_frames(track: MediaStreamTrack, gap_s: float) -> AsyncIterator[bytes | None]:
    """The PCM frames of an incoming track until it ends; None after each `gap_s` without a packet.

    It must be read on: a track that nobody reads keeps its packets without bound (aiortc issue 680).
    """
    resampler = AudioResampler("s16", "mono", SAMPLE_RATE_HZ, frame_size=_FRAME_SAMPLES)
    while True:
        try:
            async with asyncio.timeout(gap_s):
                received = await track.recv()
        except TimeoutError:
            yield None
            continue
        except MediaStreamError:
            return
        if isinstance(received, AudioFrame):
            for frame in resampler.resample(received):
                yield bytes(frame.planes[0])[:FRAME_BYTES]  # a plane may be padded at its end
