"""The WebSocket from outside: every message has an answer, and no message closes it but a huge one."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import WSMsgType

from pipeline.orchestrator import sockets as sockets_module
from pipeline.orchestrator.callers import Callers
from pipeline.orchestrator.memory import SentMessage
from pipeline.orchestrator.service import build_app
from pipeline.orchestrator.sockets import ClientSockets, SendError
from pipeline.orchestrator.whereabouts import Away, Here
from pipeline.wire.identifiers import mint_session_id
from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.serving import Probes
from pipeline.wire.tracing import start_trace


@pytest.fixture
def callers() -> Callers:
    """Who is where, as one orchestrator knows it."""
    return Callers("orchestrator-a")


@pytest.fixture
def sockets(callers, lines) -> ClientSockets:
    """The sockets of one orchestrator."""
    return ClientSockets(callers, SessionMetrics(), Log("orchestrator"))


def _find(sockets: ClientSockets, session_id: str) -> str | None:
    place = sockets._callers.find(session_id)
    return place.connection_id if isinstance(place, Here) else None


@pytest.fixture
async def client(sockets, start_client):
    """A client of it."""
    return await start_client(build_app(sockets, Probes(), SessionMetrics(), Log("orchestrator")))


async def _bind(socket, session_id: str, **more: str) -> dict:
    await socket.send_json({"event": "session_info", "session_id": session_id, **more})
    return await socket.receive_json(timeout=60)


async def test_a_socket_is_bound_to_a_session(client, sockets, lines) -> None:
    """The answer names both; from then on the socket's lines have the session's trace."""
    session_id, trace = mint_session_id(), start_trace()
    async with client.ws_connect("/ws") as socket:
        answer = await _bind(socket, session_id, traceparent=trace.to_header())
        assert answer["event"] == "session_confirmed"
        assert answer["session_id"] == session_id
        assert _find(sockets, session_id) == answer["connection_id"]

        await sockets.send(answer["connection_id"], '{"event": "x"}')
        assert await socket.receive_json(timeout=60) == {"event": "x"}
    bound = lines.one("socket-bound")

    assert TRACE_KEY not in lines.one("socket-opened")
    assert (bound["connection_id"], bound["session_id"]) == (answer["connection_id"], session_id)
    assert bound[TRACE_KEY] == trace.trace_id


async def test_ping_has_a_pong(client) -> None:
    """Bound or not."""
    async with client.ws_connect("/ws") as socket:
        await socket.send_json({"event": "ping"})

        assert await socket.receive_json(timeout=60) == {"event": "pong"}


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"event": "nope"}',
        '{"event": "session_info"}',
        b"binary",
        "\x00",
        "[" * 60_000,
    ],
)
async def test_a_message_that_is_not_understood_is_answered(client, lines, message: str | bytes) -> None:
    """With an error, a line, and a socket that lives on."""
    async with client.ws_connect("/ws") as socket:
        await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
        answer = await socket.receive_json(timeout=60)
        assert answer["event"] == "error"
        assert answer["error"] == lines.one("socket-message-refused")["error"]

        await socket.send_json({"event": "ping"})
        assert await socket.receive_json(timeout=60) == {"event": "pong"}


async def test_a_session_id_that_is_not_believed_binds_nothing(client, sockets, lines) -> None:
    """The line has what was brought, cut and escaped."""
    async with client.ws_connect("/ws") as socket:
        answer = await _bind(socket, "undefined\n" + "x" * 500)
    line = lines.one("socket-message-refused")

    assert answer["event"] == "error"
    assert line["session_id"].startswith("undefined\\nxxx")
    assert len(line["session_id"]) == 80
    assert line["event"] == "session_info"
    assert lines.named("socket-bound") == []


async def test_a_huge_message_closes_the_socket(client, lines, eventually) -> None:
    """1009, with its line; the server takes no more than the bound."""
    async with client.ws_connect("/ws") as socket:
        await socket.send_str("x" * (64 * 1024 + 1))
        closed = await socket.receive(timeout=60)
        assert closed.type is WSMsgType.CLOSE
        assert closed.data == 1009
    await eventually(lambda: lines.named("socket-closed"))

    assert lines.one("socket-message-refused")
    assert lines.one("socket-closed")["code"] == 1009


async def test_a_second_socket_takes_the_session_over(client, sockets, lines, eventually) -> None:
    """The first one is closed with 4000, and its end does not unbind the second."""
    session_id = mint_session_id()
    async with client.ws_connect("/ws") as first, client.ws_connect("/ws") as second:
        await _bind(first, session_id)
        answer = await _bind(second, session_id)
        closed = await first.receive(timeout=60)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, 4000)
        await eventually(lambda: lines.named("socket-closed"))

        assert _find(sockets, session_id) == answer["connection_id"]
    assert lines.named("socket-closed")[0]["code"] == 4000
    assert lines.named("socket-closed")[0]["session_id"] == session_id


async def test_a_slow_socket_does_not_take_the_session_back(client, sockets, eventually, monkeypatch) -> None:
    """It was bound first and had its answer last: the caller is at the second one, and so are the replies."""
    session_id, go, waiting = mint_session_id(), asyncio.Event(), []
    confirm = ClientSockets._confirm

    async def confirm_slowly(self, connection, info, *, resumed: bool) -> None:
        await confirm(self, connection, info, resumed=resumed)
        if not waiting:  # what it was sent is not taken yet
            waiting.append(connection)
            await go.wait()

    monkeypatch.setattr(ClientSockets, "_confirm", confirm_slowly)
    monkeypatch.setattr(sockets_module, "_CLOSE_TIMEOUT_S", 0.1)
    async with client.ws_connect("/ws") as slow, client.ws_connect("/ws") as fast:
        await _bind(slow, session_id)
        await eventually(lambda: waiting)
        answer = await _bind(fast, session_id)
        go.set()
        assert (await slow.receive(timeout=60)).data == 4000
        await eventually(lambda: len(sockets._open) == 1)

        assert _find(sockets, session_id) == answer["connection_id"]


async def test_a_socket_may_turn_to_another_session(client, sockets) -> None:
    """The last one wins."""
    earlier, later = mint_session_id(), mint_session_id()
    async with client.ws_connect("/ws") as socket:
        await _bind(socket, earlier)
        answer = await _bind(socket, later)

        assert _find(sockets, earlier) is None
        assert _find(sockets, later) == answer["connection_id"]


async def test_a_closed_socket_is_unbound(client, sockets, lines, eventually) -> None:
    """And what is sent to it is an error."""
    session_id = mint_session_id()
    async with client.ws_connect("/ws") as socket:
        answer = await _bind(socket, session_id)
    await eventually(lambda: lines.named("socket-closed"))

    assert _find(sockets, session_id) is None
    assert (lines.one("socket-closed")["code"], lines.one("socket-closed")["session_id"]) == (
        1000,
        session_id,
    )
    with pytest.raises(SendError):
        await sockets.send(answer["connection_id"], "{}")


async def test_a_client_that_vanishes_is_noticed(client, sockets, lines, eventually) -> None:
    """1006, as no close ever came."""
    session_id = mint_session_id()
    socket = await client.ws_connect("/ws")
    await _bind(socket, session_id)
    socket._response.connection.transport.abort()
    await eventually(lambda: lines.named("socket-closed"))

    assert lines.one("socket-closed")["code"] == 1006
    assert _find(sockets, session_id) is None


async def test_a_client_that_does_not_read_is_given_up(client, sockets, monkeypatch) -> None:
    """A send is bounded: one caller's network must not hold a turn up for ever."""
    monkeypatch.setattr(sockets_module, "_SEND_TIMEOUT_S", 0.05)
    session_id = mint_session_id()
    async with client.ws_connect("/ws") as socket:
        answer = await _bind(socket, session_id)
        socket._response.connection.transport.pause_reading()
        sends = [sockets.send(answer["connection_id"], json.dumps("x" * 1_000_000)) for _ in range(40)]
        with pytest.raises(SendError):
            await asyncio.gather(*sends)
        socket._response.connection.transport.abort()


async def test_a_foreign_page_may_not_connect(client, lines) -> None:
    """Its browser runs on this machine and would pass for a client of it."""
    response = await client.get(
        "/ws",
        headers={
            "Origin": "https://example.com",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    )

    assert response.status == 403
    assert lines.one("request-refused")["status"] == 403


async def test_plain_http_is_refused(client, lines) -> None:
    """With 400 and its line."""
    response = await client.get("/ws")

    assert response.status == 400
    assert lines.one("request-refused")["path"] == "/ws"


async def test_callers_are_told_while_nothing_of_them_arrives(client, sockets) -> None:
    """Those who are here, and those who come meanwhile, in their first answer; and once that it is over."""
    session_id = mint_session_id()
    async with client.ws_connect("/ws") as here, client.ws_connect("/ws") as later:
        await _bind(here, mint_session_id())
        for able in (True, False, False):
            await sockets.tell_hearing(able=able)
        assert await here.receive_json(timeout=60) == {"event": "hearing", "able": False}

        answer = await _bind(later, session_id)
        assert (answer["event"], answer["hearing"]) == ("session_confirmed", False)
        await sockets.tell_hearing(able=True)
        for socket in (here, later):
            assert await socket.receive_json(timeout=60) == {"event": "hearing", "able": True}


async def test_a_shutdown_tells_all_sockets(client, sockets, lines) -> None:
    """1001, going away."""
    async with client.ws_connect("/ws") as first, client.ws_connect("/ws") as second:
        received = asyncio.gather(first.receive(timeout=60), second.receive(timeout=60))
        await asyncio.sleep(0)
        await sockets.shut_down()

        assert [message.data for message in await received] == [1001, 1001]


async def test_a_caller_who_comes_back_gets_what_was_missed(client, callers, lines, eventually) -> None:
    """In order, after the confirmation, and no message twice; the line says how many."""
    session_id = mint_session_id()
    socket = await client.ws_connect("/ws")
    await _bind(socket, session_id)
    socket._response.connection.transport.abort()
    await eventually(lambda: isinstance(callers.find(session_id), Away))
    for number in (1, 2, 3):
        callers.sent.note(SentMessage(f"m{number}", session_id, f'{{"message_id": "m{number}"}}'))

    async with client.ws_connect("/ws") as again:
        answer = await _bind(again, session_id, last_message_id="m1")
        missed = [await again.receive_json(timeout=60) for _ in range(2)]

    assert (answer["resumed"], answer["missed"]) == (True, 2)
    assert [message["message_id"] for message in missed] == ["m2", "m3"]
    assert lines.one("socket-resumed")["missed"] == 2


async def test_a_caller_whose_past_nobody_knows_is_told_so(client) -> None:
    """What was missed is neither guessed nor called nothing."""
    async with client.ws_connect("/ws") as socket:
        answer = await _bind(socket, mint_session_id(), last_message_id="turn_0a1b2c3d/final_transcript")

    assert (answer["resumed"], answer["missed"]) == (False, None)


async def test_a_socket_that_was_closed_in_good_order_ends_its_session(client, callers, eventually) -> None:
    """Nothing of it is left; one that broke is waited for."""
    ended, broken = mint_session_id(), mint_session_id()
    async with client.ws_connect("/ws") as socket:
        await _bind(socket, ended)
    other = await client.ws_connect("/ws")
    await _bind(other, broken)
    other._response.connection.transport.abort()
    await eventually(lambda: isinstance(callers.find(broken), Away))

    assert callers.find(ended) is None


async def test_a_server_that_is_about_to_stop_takes_no_more_sockets(client, sockets) -> None:
    """The open ones stay open until they are told."""
    async with client.ws_connect("/ws") as socket:
        sockets.refuse_new()
        response = await client.get("/ws")
        await socket.send_json({"event": "ping"})

        assert (await socket.receive_json(timeout=60))["event"] == "pong"
    assert response.status == 503


async def test_sessions_that_are_over_leave_nothing(client, callers, sockets, eventually) -> None:
    """No table, task or socket grows with the number of calls."""
    tasks = len(asyncio.all_tasks())
    for _ in range(50):
        session_id = mint_session_id()
        async with client.ws_connect("/ws") as socket:
            await _bind(socket, session_id)
            callers.sent.note(SentMessage(f"{session_id}/x", session_id, "{}"))
    await eventually(lambda: not sockets._open)
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks + 1)  # aiohttp keeps one connection alive

    assert (len(callers), len(callers.sent), len(sockets._bindings)) == (0, 0, 0)
