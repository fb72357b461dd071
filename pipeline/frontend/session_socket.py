"""The caller's WebSocket: bound to the session, and back on it when the connection breaks.

An orchestrator may be restarted, or its replica replaced, in the middle of a call. The socket then
comes back, to the next address it knows and with growing pauses, under the same session ID, and names
the last message that it got, so that the orchestrator sends what was missed. It does not come back
where another socket has taken the session over.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import cycle
from typing import Any

import aiohttp

from pipeline.frontend.errors import ConnectError
from pipeline.wire.tracing import TraceContext

CONNECT_TIMEOUT_S = 10.0
# An orchestrator that is restarted is back within this time, or it is not.
COME_BACK_S = 30.0
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)

_TAKEN_OVER = 4000
_FOR_GOOD = (1000, _TAKEN_OVER)
_LARGEST_MESSAGE = 64 * 1024
_REMEMBERED = 64

Message = dict[str, Any]


class SessionSocket:
    """A socket of `session_id`, at the first of `urls` that takes it; `note` is told when it is lost."""

    def __init__(
        self,
        client: aiohttp.ClientSession,
        urls: Sequence[str],
        session_id: str,
        trace: TraceContext,
        *,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._urls = cycle(urls)
        self._info = {"event": "session_info", "session_id": session_id, "traceparent": trace.to_header()}
        self._note = note
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._received: dict[str, None] = {}

    async def open(self) -> None:
        """Connect and bind; raises `ConnectError`."""
        self._socket = await self._connect(self._info)

    async def close(self) -> None:
        """Hang up: the session is over."""
        if self._socket is not None:
            await self._socket.close(code=1000)

    async def messages(self) -> AsyncIterator[Message]:
        """What the orchestrator says, each message once, until the socket is closed for good."""
        while self._socket is not None:
            async for message in _read(self._socket):
                if self._is_new(message):
                    yield message
            if self._socket.close_code in _FOR_GOOD:
                return
            self._note(f"the WebSocket broke ({self._socket.close_code}), coming back")
            self._socket = await self._come_back()

    async def _come_back(self) -> aiohttp.ClientWebSocketResponse | None:
        info = {**self._info, "last_message_id": next(reversed(self._received), "")}
        try:
            async with asyncio.timeout(COME_BACK_S):
                for attempt in range(1_000):
                    await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
                    try:
                        return await self._connect(info)
                    except ConnectError:
                        continue
        except TimeoutError:
            self._note(f"the WebSocket did not come back within {COME_BACK_S:g} s")
        return None

    async def _connect(self, info: dict[str, str]) -> aiohttp.ClientWebSocketResponse:
        url = next(self._urls)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                socket = await self._client.ws_connect(url, max_msg_size=_LARGEST_MESSAGE)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectError(f"no WebSocket at {url}: {str(error) or 'it does not answer'}") from error
        try:
            answer = await _bind(socket, info)
        except BaseException:
            await socket.close()
            raise
        if "last_message_id" in info:
            missed = answer.get("missed")
            self._note("back, " + ("what was missed is lost" if missed is None else f"missed {missed}"))
        return socket

    def _is_new(self, message: Message) -> bool:
        message_id = message.get("message_id")
        if not isinstance(message_id, str):
            return True
        if message_id in self._received:
            return False
        self._received[message_id] = None
        if len(self._received) > _REMEMBERED:
            del self._received[next(iter(self._received))]
        return True


async def _read(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[Message]:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            content = json.loads(message.data)
            if isinstance(content, dict):
                yield content


async def _bind(socket: aiohttp.ClientWebSocketResponse, info: dict[str, str]) -> Message:
    try:
        await socket.send_json(info)
        answer = await socket.receive_json(timeout=CONNECT_TIMEOUT_S)
    except (aiohttp.ClientError, TimeoutError, TypeError, ValueError, OSError) as error:
        raise ConnectError(f"the socket was not bound: {type(error).__name__}") from error
    if not isinstance(answer, dict) or answer.get("event") != "session_confirmed":
        raise ConnectError(f"the socket was not bound: {json.dumps(answer)[:200]}")
    return answer
