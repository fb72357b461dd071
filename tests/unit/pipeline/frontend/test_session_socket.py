"""A socket that breaks comes back on its session, says what it has, and repeats nothing."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from pipeline.frontend import session_socket
from pipeline.frontend.errors import ConnectError
from pipeline.frontend.session_socket import SessionSocket
from pipeline.wire.tracing import start_trace

SESSION = "session_1753615601372_cz4gw0fl5"


class Orchestrator:
    """Plays one scene for each socket that is opened: messages, then how it ends."""

    def __init__(self, *scenes: tuple[list[str], int | None]) -> None:
        self.scenes = list(scenes)
        self.infos: list[dict] = []

    async def ws(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.infos.append(await socket.receive_json())
        await socket.send_json({"event": "session_confirmed", "missed": 0})
        ids, code = self.scenes.pop(0)
        for message_id in ids:
            await socket.send_json({"event": "x", "message_id": message_id})
        if code is None:
            assert request.transport is not None
            request.transport.abort()
        else:
            await socket.close(code=code)
        return socket


@pytest.fixture
def listen(start_client, monkeypatch):
    """`listen(scenes)`: the IDs of the messages that reach the caller, and the orchestrator."""
    monkeypatch.setattr(session_socket, "BACK_OFF_S", (0.0,))

    async def run(*scenes: tuple[list[str], int | None], dead_first: bool = False):
        orchestrator, notes = Orchestrator(*scenes), []
        app = web.Application()
        app.router.add_get("/ws", orchestrator.ws)
        url = str((await start_client(app)).make_url("/ws"))
        async with aiohttp.ClientSession() as client, asyncio.timeout(60):
            socket = SessionSocket(client, [url], SESSION, start_trace(), note=notes.append)
            await socket.open()
            if dead_first:
                socket._urls = iter(["http://127.0.0.1:9/ws", url])
            got = [message["message_id"] async for message in socket.messages()]
            await socket.close()
        return got, orchestrator, notes

    return run


async def test_a_broken_socket_names_the_last_message_it_got(listen) -> None:
    """So that nothing is missed; what comes twice is told once."""
    got, orchestrator, notes = await listen((["a", "b"], None), (["b", "c"], 1000))

    assert got == ["a", "b", "c"]
    assert [info.get("last_message_id") for info in orchestrator.infos] == [None, "b"]
    assert {info["session_id"] for info in orchestrator.infos} == {SESSION}
    assert len(notes) == 2


async def test_a_caller_who_has_nothing_yet_says_so(listen) -> None:
    """Then all that was sent was missed."""
    _, orchestrator, _ = await listen(([], None), (["a"], 1000))

    assert orchestrator.infos[1]["last_message_id"] == ""


async def test_a_server_that_goes_away_is_left_for_the_next(listen) -> None:
    """1001 is no end of the session; an address where nobody is, is passed over."""
    got, orchestrator, _ = await listen((["a"], 1001), (["b"], 1000), dead_first=True)

    assert got == ["a", "b"]
    assert len(orchestrator.infos) == 2


async def test_a_session_that_was_taken_over_is_left_alone(listen) -> None:
    """Two sockets that take it from each other would never end."""
    got, orchestrator, _ = await listen((["a"], 4000))

    assert (got, len(orchestrator.infos)) == (["a"], 1)


async def test_coming_back_has_an_end(listen, monkeypatch) -> None:
    """And it is told."""
    monkeypatch.setattr(session_socket, "COME_BACK_S", 0.05)

    async def refuse(*_arguments: object) -> None:
        raise session_socket.ConnectError("nobody is there")

    async def break_off(self, request: web.Request) -> web.WebSocketResponse:
        response = await serve(self, request)
        monkeypatch.setattr(SessionSocket, "_connect", refuse)
        return response

    serve = Orchestrator.ws
    monkeypatch.setattr(Orchestrator, "ws", break_off)
    monkeypatch.setattr(session_socket, "BACK_OFF_S", (0.02,))
    _, _, notes = await listen((["a"], 1001))

    assert "did not come back" in notes[-1]


async def test_a_server_that_takes_connections_and_never_answers_is_named_so(monkeypatch) -> None:
    """As one that is stopped does: its error has no words of its own."""
    monkeypatch.setattr(session_socket, "CONNECT_TIMEOUT_S", 0.05)
    gone = asyncio.Event()

    async def read_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(read_only, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
    async with server, asyncio.timeout(60):
        async with aiohttp.ClientSession() as client:
            with pytest.raises(ConnectError, match="it does not answer"):
                await SessionSocket(client, [url], SESSION, start_trace()).open()
        await gone.wait()
