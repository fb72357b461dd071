"""A caller for the media server: a real WebRTC connection over the loopback interface."""

from __future__ import annotations

import asyncio
import math
import struct
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from pipeline.media_server.replies import ReplyDesk
from pipeline.media_server.service import WhipEndpoint, build_app
from pipeline.wire.audio_tracks import PacedTrack, read_frames
from pipeline.wire.log_lines import Log
from pipeline.wire.loopback_ice import new_peer_connection
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.records import SAMPLE_RATE_HZ
from pipeline.wire.serving import Probes


def _tone(ms: int) -> bytes:
    """A tone of 440 Hz, which webrtcvad takes for speech."""
    samples = range(SAMPLE_RATE_HZ * ms // 1000)
    return b"".join(
        struct.pack("<h", int(9000 * math.sin(2 * math.pi * 440 * n / SAMPLE_RATE_HZ))) for n in samples
    )


@pytest.fixture(scope="session")
def tone() -> Callable[[int], bytes]:
    """PCM of so many milliseconds that counts as speech."""
    return _tone


@dataclass
class Caller:
    """A peer that speaks and listens."""

    peer: RTCPeerConnection
    voice: PacedTrack
    offer: str = ""
    peaks: list[int] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def prepare(self) -> str:
        """The offer."""
        self.peer.addTrack(self.voice)
        self.peer.on("track", lambda track: self.tasks.add(asyncio.create_task(self.listen(track))))
        await self.peer.setLocalDescription(await self.peer.createOffer())
        self.offer = self.peer.localDescription.sdp
        return self.offer

    async def accept(self, answer: str) -> None:
        """Take the answer and wait until media flows."""
        connected = asyncio.Event()
        self.peer.on(
            "connectionstatechange",
            lambda: connected.set() if self.peer.connectionState == "connected" else None,
        )
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(60):
            await connected.wait()

    async def listen(self, track: MediaStreamTrack) -> None:
        """Note the loudest sample of each frame."""
        async for frame in read_frames(track, 1.0):
            if frame is not None:
                self.peaks.append(max(map(abs, array("h", frame))))

    async def hang_up(self) -> None:
        """End the connection without a word to WHIP."""
        self.voice.stop()
        await self.peer.close()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=30)


NewCaller = Callable[[], Awaitable[Caller]]


@pytest.fixture
async def new_caller() -> AsyncIterator[NewCaller]:
    """Callers with their offers ready."""
    callers: list[Caller] = []

    async def build() -> Caller:
        caller = Caller(new_peer_connection(), PacedTrack())
        await caller.prepare()
        callers.append(caller)
        return caller

    yield build
    for caller in callers:
        await caller.hang_up()


@dataclass
class Server:
    """The media server of a test, and what it can be looked at with."""

    whip: WhipEndpoint
    replies: ReplyDesk
    metrics: SessionMetrics
    client: Any
    publisher: Any
    lines: Any
    new_caller: NewCaller

    async def connect(self, **headers: str) -> tuple[Caller, aiohttp.ClientResponse]:
        """A caller that is connected, and WHIP's answer to it."""
        caller = await self.new_caller()
        response = await self.post(caller.offer, **headers)
        assert response.status == 201
        await caller.accept(await response.text())
        return caller, response

    async def post(self, offer: str, **headers: str) -> aiohttp.ClientResponse:
        """Post an offer."""
        sdp = {"Content-Type": "application/sdp"}
        return await self.client.post("/whip", data=offer, headers={**sdp, **headers})


@pytest.fixture
async def server(lines, publisher, start_client, new_caller) -> Server:
    """A media server with Kafka in memory."""
    log = Log("media-server")
    replies = ReplyDesk(log)
    metrics = SessionMetrics()
    whip = WhipEndpoint(publisher, replies, metrics, log)
    client = await start_client(build_app(whip, Probes(), metrics, log))
    return Server(whip, replies, metrics, client, publisher, lines, new_caller)
