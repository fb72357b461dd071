"""The caller's connections: made within their deadlines, ended in good order, failing in words."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from pipeline.frontend import connection
from pipeline.frontend.connection import open_call, open_socket
from pipeline.frontend.errors import ConnectError
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"
TRACE = start_trace()


class Server:
    """A WHIP endpoint and a socket that do what the test wants."""

    def __init__(self) -> None:
        self.answer = web.Response(status=503, text="full")
        self.confirm: object = {"event": "session_confirmed"}
        self.requests: list[web.BaseRequest] = []
        self.hold: asyncio.Event | None = None

    async def whip(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.hold is not None:
            await self.hold.wait()
        return self.answer

    async def delete(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        return web.Response()

    async def ws(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        if self.confirm is None:
            await socket.close()
        else:
            await socket.send_json(self.confirm)
        async for _ in socket:
            pass
        return socket


@pytest.fixture
async def server(start_client, monkeypatch):
    """The server, its URL, and a client session."""
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_S", 0.5)
    server = Server()
    app = web.Application()
    app.router.add_post("/whip", server.whip)
    app.router.add_delete("/whip/{id}", server.delete)
    app.router.add_get("/ws", server.ws)
    server.url = str((await start_client(app)).make_url("")).rstrip("/")
    return server


@pytest.fixture
async def client():
    """An HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


async def _call(client, server, path: str = "/whip") -> None:
    async with open_call(client, server.url + path, SESSION, TRACE):
        pytest.fail("there is no call")


async def test_the_offer_carries_session_and_trace(client, server) -> None:
    """And a refusal is told with its status."""
    with pytest.raises(ConnectError, match="WHIP answered 503: full"):
        await _call(client, server)
    headers = server.requests[0].headers

    assert headers["Content-Type"] == "application/sdp"
    assert (headers["X-Session-ID"], headers["traceparent"]) == (SESSION, TRACE.to_header())


async def test_an_answer_without_candidates_is_not_waited_for(client, server) -> None:
    """ICE would never say that it failed."""
    server.answer = web.Response(status=201, text="v=0\r\n", headers={"Location": "/whip/1"})

    with pytest.raises(ConnectError, match="the answer has no candidate"):
        await _call(client, server)


async def test_an_answer_that_is_no_answer_is_told_and_deleted(client, server) -> None:
    """The resource was made; it must not be left behind."""
    text = "v=0\r\nm=audio 9 x 0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
    server.answer = web.Response(status=201, text=text, headers={"Location": "/whip/1"})

    with pytest.raises(ConnectError):
        await _call(client, server)
    assert [request.method for request in server.requests] == ["POST", "DELETE"]


async def test_a_resource_elsewhere_is_refused(client, server) -> None:
    """The caller talks to this machine only."""
    server.answer = web.Response(status=201, text="v=0\r\n", headers={"Location": "http://example.com:80/1"})

    with pytest.raises(ConnectError):
        await _call(client, server)


async def test_nobody_there_is_told(client, server) -> None:
    """For both connections."""
    with pytest.raises(ConnectError, match="no WHIP at"):
        async with open_call(client, "http://127.0.0.1:9/whip", SESSION, TRACE):
            pass
    with pytest.raises(ConnectError, match="no WebSocket at"):
        async with open_socket(client, ["ws://127.0.0.1:9/ws"], SESSION, TRACE):
            pass


async def test_a_server_that_never_answers_is_given_up(client, server) -> None:
    """Within the caller's own deadline."""
    server.hold = asyncio.Event()

    with pytest.raises(ConnectError, match="no connection within"):
        await _call(client, server)
    server.hold.set()


async def test_a_bound_socket_is_open(client, server) -> None:
    """And closed with 1000 at the end."""
    async with open_socket(client, [server.url.replace("http", "ws") + "/ws"], SESSION, TRACE) as socket:
        assert not socket._socket.closed
    assert socket._socket.close_code == 1000


@pytest.mark.parametrize("confirm", [None, {"event": "error", "error": "no"}, [], 7])
async def test_a_socket_that_is_not_bound_is_told(client, server, confirm: object) -> None:
    """Whatever came instead of the confirmation."""
    server.confirm = confirm

    with pytest.raises(ConnectError, match="the socket was not bound"):
        async with open_socket(client, [server.url.replace("http", "ws") + "/ws"], SESSION, TRACE):
            pytest.fail("it is not bound")
