"""What clients should not do to the orchestrator's WebSocket: told what is wrong, and nobody else is harmed."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import WSMsgType

from tests.e2e.conftest import Live
from tests.e2e.watching import unharmed

pytestmark = [
    pytest.mark.part("kafka"),
    pytest.mark.part("flite"),
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("hung_up"),
]

REFUSED = "WebSocket message not understood"
CLOSED = "WebSocket client disconnected"
SAID = "what-was-said-is-nobodys-business"
PING = json.dumps({"event": "ping"})
MOST_S = 60

WRONG_TEXTS = [
    "",
    "null",
    "[]",
    '"ping"',
    "{" * 60_000,
    "[" * 60_000,
    '{"event": NaN',
    '{"event": 7}',
    '{"event": {"event": "ping"}}',
    '{"event": "\\ud800\\u0000"}',
    json.dumps({"event": SAID * 100}),
    json.dumps({"event": "trigger_llm", "final_transcript": SAID}),
    json.dumps({"type": "session_info", "session_id": "session_1"}),
    json.dumps({"event": "session_info"}),
    json.dumps({"event": "session_info", "session_id": ["session_1"]}),
    json.dumps({"event": "session_info", "session_id": "undefined"}),
    json.dumps({"event": "session_info", "session_id": "session_" + "9" * 60_000}),
    '{"event": "session_info", "session_id": ' + "9" * 5_000 + "}",
]


def socket_url(url: str) -> str:
    return url.replace("http:", "ws:") + "/ws"


async def test_a_wrong_message_is_answered_and_the_socket_stays(stack: Live) -> None:
    """Each has its error and its line, none of which holds what was sent beyond a few characters."""
    with unharmed(stack, "orchestrator") as watched:
        async with aiohttp.ClientSession() as client, client.ws_connect(socket_url(watched.url)) as socket:
            for text in WRONG_TEXTS:
                await socket.send_str(text)
                answer = json.loads((await socket.receive(MOST_S)).data)
                assert answer["event"] == "error", text[:80]
                assert 0 < len(answer["error"]) < 200
            await socket.send_bytes(b"\x00\xff")
            assert json.loads((await socket.receive(MOST_S)).data)["event"] == "error"
            await socket.send_str(PING)
            assert json.loads((await socket.receive(MOST_S)).data)["event"] == "pong"
        lines = watched.find(REFUSED, len(WRONG_TEXTS) + 1)

    assert len(lines) == len(WRONG_TEXTS) + 1
    assert all(len(json.dumps(line)) < 500 for line in lines)


@pytest.mark.parametrize(
    ("compress", "size"), [(0, 2**20), (0, 2**26), (15, 2**26)], ids=["large", "huge", "compressed"]
)
async def test_a_message_that_is_too_large_closes_the_socket(stack: Live, compress: int, size: int) -> None:
    """With an error and code 1009 where the client still listens; packed small it is no smaller."""
    with unharmed(stack, "orchestrator") as watched:
        async with aiohttp.ClientSession() as client:
            socket = await client.ws_connect(socket_url(watched.url), compress=compress)
            try:
                await socket.send_str(SAID + "a" * size)
                answers = [message async for message in socket if message.type is WSMsgType.TEXT]
            except (aiohttp.ClientConnectionError, ConnectionError):
                answers = []  # it was closed while the message was still being sent
            await socket.close()
        (line,) = watched.find(REFUSED)
        watched.find(CLOSED)

    assert all(json.loads(answer.data)["event"] == "error" for answer in answers)
    assert socket.close_code in (1009, 1006)
    assert SAID not in json.dumps(line)


HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@asynccontextmanager
async def connect_raw(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A socket whose frames are the test's own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
    writer.write(HANDSHAKE.encode())
    assert b"101" in await reader.readline()
    while (await reader.readline()).strip():
        pass
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    "frame",
    [
        b"\x83\x80\x00\x00\x00\x00",  # an opcode that is reserved
        b"\xf1\x80\x00\x00\x00\x00",  # reserved bits
        b"\x89\xff" + b"\xff" * 12,  # a ping of an impossible length
        b"\x80\x80\x00\x00\x00\x00",  # the rest of a message that never began
        b"\x81\x82\x00\x00\x00\x00\xc3\x28",  # text that is no UTF-8
    ],
    ids=["opcode", "reserved", "length", "rest", "utf-8"],
)
async def test_a_broken_frame_closes_the_socket(stack: Live, frame: bytes) -> None:
    """And only that one: another that is open goes on."""
    with unharmed(stack, "orchestrator") as watched:
        async with aiohttp.ClientSession() as client, client.ws_connect(socket_url(watched.url)) as other:
            async with connect_raw(watched.url) as (reader, writer), asyncio.timeout(MOST_S):
                writer.write(frame)
                await reader.read()  # to its end
            await other.send_str(PING)
            assert json.loads((await other.receive(MOST_S)).data)["event"] == "pong"
        watched.find(CLOSED, 2)


async def test_a_client_that_never_reads_is_let_go(stack: Live) -> None:
    """Its answers fill what the system buffers, and no more: the socket is closed, the memory is not taken."""
    message = json.dumps({"event": "ping"}).encode()
    mask = secrets.token_bytes(4)
    masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(message))
    frames = (b"\x81" + bytes([0x80 | len(message)]) + mask + masked) * 4_000
    with unharmed(stack, "orchestrator") as watched:
        async with connect_raw(watched.url) as (_, writer), asyncio.timeout(MOST_S):
            with suppress(ConnectionError):
                while not writer.is_closing():
                    writer.write(frames)
                    await writer.drain()
        watched.find(CLOSED)
