"""Audio tracks: paced by the clock, silent when empty, and sure of what was played."""

from __future__ import annotations

import asyncio

import pytest
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from pipeline.wire.audio_tracks import FRAME_BYTES, SILENCE, PacedTrack, Playout, read_frames


def _bytes(frame: AudioFrame) -> bytes:
    return bytes(frame.planes[0])[:FRAME_BYTES]


async def test_pieces_are_played_in_order_and_padded() -> None:
    """A piece is done when its last sample was handed out, silence fills its last frame."""
    playout = Playout()
    first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
    playout.add(b"\x01" * (FRAME_BYTES + 2), first)
    playout.add(b"\x02" * FRAME_BYTES, second)

    assert playout.next_frame() == b"\x01" * FRAME_BYTES
    assert not first.done()
    assert playout.next_frame() == b"\x01\x01".ljust(FRAME_BYTES, b"\0")
    assert first.done()
    assert not second.done()
    assert playout.next_frame() == b"\x02" * FRAME_BYTES
    assert second.done()
    assert playout.next_frame() == SILENCE


async def test_a_track_is_paced_by_the_clock() -> None:
    """Ten frames take the time of ten frames, however fast they are asked for."""
    track = PacedTrack()
    loop = asyncio.get_running_loop()
    started = loop.time()
    frames = [await track.recv() for _ in range(11)]
    elapsed = loop.time() - started
    track.stop()

    assert 0.19 < elapsed < 5
    assert [frame.pts for frame in frames] == [n * 320 for n in range(11)]
    assert _bytes(frames[0]) == SILENCE


async def test_a_track_that_was_held_up_does_not_catch_up() -> None:
    """After a stall frames come at their pace again, not in a burst."""
    track = PacedTrack()
    loop = asyncio.get_running_loop()
    await track.recv()
    track._started_at -= 10  # as if ten seconds had passed
    started = loop.time()
    for _ in range(6):
        await track.recv()
    track.stop()

    assert loop.time() - started > 0.09


async def test_what_is_not_played_at_the_end_is_cancelled() -> None:
    """Nobody waits for a reply that will never be heard, queued before the end or after it."""
    track = PacedTrack()
    before = track.play(b"\x01" * FRAME_BYTES)
    track.stop()
    after = track.play(b"\x01" * FRAME_BYTES)

    assert before.cancelled()
    assert after.cancelled()
    with pytest.raises(MediaStreamError):
        await track.recv()


class _Received(MediaStreamTrack):
    """An incoming track as Opus decoding gives it: 48 kHz, stereo."""

    kind = "audio"

    def __init__(self, frames: int) -> None:
        super().__init__()
        self._frames = frames

    async def recv(self) -> AudioFrame:
        if not self._frames:
            raise MediaStreamError
        self._frames -= 1
        frame = AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(b"\x10\x00" * 1920)
        frame.sample_rate = 48_000
        frame.pts = None
        return frame


async def test_incoming_audio_becomes_frames_of_20_ms() -> None:
    """16 kHz, mono, without the padding of the planes; the end of the track is the end."""
    frames = [frame async for frame in read_frames(_Received(10), 1.0)]

    assert len(frames) >= 9
    assert {len(frame or b"") for frame in frames} == {FRAME_BYTES}


async def test_a_gap_in_the_packets_is_told() -> None:
    """None stands for each time without a packet, so that an utterance can end."""

    class Silent(_Received):
        async def recv(self) -> AudioFrame:
            await asyncio.Event().wait()
            raise MediaStreamError

    frames = read_frames(Silent(1), 0.01)

    assert [await anext(frames), await anext(frames)] == [None, None]
    await frames.aclose()
