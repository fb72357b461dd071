"""Clients that open a connection and do not ask, or stop in the middle: let go after a while, and nobody else is."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import web

from pipeline.wire import waiting
from pipeline.wire.environment import Listen
from pipeline.wire.log_lines import Log
from pipeline.wire.refusals import refuse_in_one_shape
from pipeline.wire.serving import start
from pipeline.wire.waiting import HEAD_S, SilentConnections, read_body

PATIENCE_S = 60


class FakeConnection:
    """One that tells whether it was closed."""

    closed = False

    def force_close(self) -> None:
        self.closed = True


def test_who_has_asked_may_be_quiet_afterwards_and_who_has_not_may_not() -> None:
    """Counted from when the connection was first seen; one that is gone is forgotten."""
    silent, asking, mute, late = SilentConnections(), FakeConnection(), FakeConnection(), FakeConnection()
    silent.note(asking)
    silent.close_late([asking, mute], 0)
    silent.close_late([asking, mute, late], HEAD_S - 1)
    assert not mute.closed
    silent.close_late([asking, mute, late], HEAD_S)

    assert (asking.closed, mute.closed, late.closed) == (False, True, False)
    silent.close_late([late], HEAD_S)
    assert (len(silent._spoke), list(silent._since)) == (0, [late])


async def test_a_head_that_never_ends_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is closed; one that has asked before goes on to be served."""
    monkeypatch.setattr(waiting, "_LOOK_EVERY_S", 0.01)
    app = web.Application()
    app.router.add_get("/", _answer)
    runner = await start(app, Listen("127.0.0.1", 0), Log("llm-service"))
    asking = await asyncio.open_connection(*runner.addresses[0])
    halting = await asyncio.open_connection(*runner.addresses[0])
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await _ask(*asking) == b"hello"
            halting[1].write(b"GET / HTTP/1.1\r\nHost: ")
            monkeypatch.setattr(waiting, "HEAD_S", 0.0)
            assert await halting[0].read() == b""
            assert await _ask(*asking) == b"hello"
    finally:
        for _, writer in (asking, halting):
            writer.close()
        await runner.cleanup()


async def test_a_body_that_never_comes_is_answered(start_client, monkeypatch: pytest.MonkeyPatch) -> None:
    """408, in the service's own shape."""
    monkeypatch.setattr(waiting, "BODY_S", 0.05)

    async def take(request: web.Request) -> web.Response:
        return web.Response(body=await read_body(request))

    app = web.Application(middlewares=[refuse_in_one_shape(Log("llm-service"))])
    app.router.add_post("/", take)
    client = await start_client(app)

    async def body():
        yield b"half"
        await asyncio.Event().wait()

    async with aclosing(body()) as half:
        refused = await client.post("/", data=half)
        assert refused.status == 408
        assert await refused.json() == {"error": "the body did not come within 0.05 s"}
    assert await (await client.post("/", data=b"whole")).read() == b"whole"


async def _answer(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The body of the answer to one more request on this connection."""
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    return await reader.readexactly(len("hello"))
