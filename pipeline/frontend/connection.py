"""The caller's two connections: WebRTC by WHIP, and the WebSocket that is bound to the session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError, OperationError

from pipeline.frontend.errors import ConnectError
from pipeline.frontend.session_socket import SessionSocket
from pipeline.wire.audio_tracks import PacedTrack
from pipeline.wire.correlation import SESSION_HEADER
from pipeline.wire.environment import check_loopback_url
from pipeline.wire.loopback_ice import (
    has_candidate,
    keep_reachable_candidates,
    new_peer_connection,
    parse_sdp,
)
from pipeline.wire.tracing import TRACEPARENT, TraceContext

CONNECT_TIMEOUT_S = 10.0

_SDP = {"Content-Type": "application/sdp"}


@asynccontextmanager
async def open_socket(
    client: aiohttp.ClientSession,
    urls: Sequence[str],
    session_id: str,
    trace: TraceContext,
    note: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[SessionSocket]:
    """A WebSocket that is bound to `session_id`; raises `ConnectError`."""
    socket = SessionSocket(client, urls, session_id, trace, note=note)
    await socket.open()
    try:
        yield socket
    finally:
        await socket.close()


class Call:
    """A connected call: `voice` is what the caller says, `hearing` what the caller hears."""

    def __init__(self, peer: RTCPeerConnection, voice: PacedTrack) -> None:
        self.voice = voice
        self.hearing: MediaStreamTrack | None = None
        self._peer = peer
        self._connected = asyncio.Event()
        self._over = asyncio.Event()
        peer.on("track", self._take_track)
        peer.on("connectionstatechange", self._note_state)

    async def wait_connected(self) -> None:
        """Return when media can flow; raises `ConnectError` if it never will."""
        waits = {asyncio.create_task(event.wait()) for event in (self._connected, self._over)}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        if not self._connected.is_set():
            raise ConnectError("ICE or DTLS failed")

    def _take_track(self, track: MediaStreamTrack) -> None:
        self.hearing = track

    def _note_state(self) -> None:
        if self._peer.connectionState == "connected":
            self._connected.set()
        elif self._peer.connectionState in {"failed", "closed"}:
            self._over.set()


@asynccontextmanager
async def open_call(
    client: aiohttp.ClientSession, url: str, session_id: str, trace: TraceContext
) -> AsyncIterator[Call]:
    """A call by WHIP; its resource is deleted at the end. Raises `ConnectError`."""
    peer, voice = new_peer_connection(), PacedTrack()
    peer.addTrack(voice)
    call = Call(peer, voice)
    resource: str | None = None
    headers = {**_SDP, SESSION_HEADER: session_id, TRACEPARENT: trace.to_header()}
    try:
        await peer.setLocalDescription(await peer.createOffer())
        try:
            # ICE may never say that it failed: the deadline is ours
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                resource, answer = await _post_offer(client, url, peer.localDescription.sdp, headers)
                await peer.setRemoteDescription(_read_answer(answer))
                await call.wait_connected()
        except TimeoutError as error:
            raise ConnectError(f"no connection within {CONNECT_TIMEOUT_S:g} s") from error
        except (ValueError, InvalidStateError, OperationError) as error:
            raise ConnectError(f"the answer is not usable: {error}") from error
        yield call
    finally:
        if resource is not None:
            await _delete(client, resource)
        voice.stop()
        await peer.close()


async def _post_offer(
    client: aiohttp.ClientSession, url: str, offer: str, headers: dict[str, Any]
) -> tuple[str, str]:
    """The URL of the new resource, and the answer."""
    if not has_candidate(offer):
        raise ConnectError("the offer has no candidate")
    try:
        async with client.post(url, data=offer, headers=headers, allow_redirects=False) as response:
            body = await response.text()
            if response.status != 201 or "Location" not in response.headers:
                raise ConnectError(f"WHIP answered {response.status}: {body[:200]}")
            return check_loopback_url(urljoin(url, response.headers["Location"]), ("http",)), body
    except aiohttp.ClientError as error:
        raise ConnectError(f"no WHIP at {url}: {error}") from error


def _read_answer(body: str) -> RTCSessionDescription:
    """The answer to the offer; raises `ValueError`, or `ConnectError` where ICE could only wait."""
    answer = keep_reachable_candidates(body)
    parse_sdp(answer)
    if not has_candidate(answer):
        raise ConnectError("the answer has no candidate")
    return RTCSessionDescription(answer, "answer")


async def _delete(client: aiohttp.ClientSession, resource: str) -> None:
    """A media server that is gone has no resource any more either."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S), client.delete(resource):
            pass
    except (aiohttp.ClientError, TimeoutError):
        pass
