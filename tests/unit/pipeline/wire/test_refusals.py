"""Refusals: one line, one answer, whoever refuses."""

from __future__ import annotations

import pytest
from aiohttp import web

from pipeline.wire.log_lines import TRACE_KEY, Log
from pipeline.wire.refusals import RequestRefusedError, refuse_in_one_shape
from pipeline.wire.tracing import start_trace


async def _refuse(_request: web.Request) -> web.Response:
    raise RequestRefusedError(409, "not now", "session_1753615601372_cz4gw0fl5")


async def _read(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@pytest.fixture
async def client(start_client, lines):
    """A service that refuses."""
    app = web.Application(middlewares=[refuse_in_one_shape(Log("stt-service"))], client_max_size=10)
    app.router.add_get("/refuse", _refuse)
    app.router.add_post("/read", _read)
    return await start_client(app)


async def test_a_handlers_refusal_is_answered_and_logged(client, lines) -> None:
    """The client and the log read the same words; the line has the request's trace."""
    trace = start_trace()
    response = await client.get("/refuse", headers={"traceparent": trace.to_header()})
    line = lines.one("request-refused")

    assert (response.status, await response.json()) == (409, {"error": "not now"})
    assert (line["path"], line["status"], line["error"]) == ("/refuse", 409, "not now")
    assert line["session_id"] == "session_1753615601372_cz4gw0fl5"
    assert line[TRACE_KEY] == trace.trace_id


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/read", 405)])
async def test_what_is_not_served_is_refused_alike(
    client, lines, method: str, path: str, status: int
) -> None:
    """404 and 405 come as JSON and with their line too."""
    response = await client.request(method, path)

    assert response.status == status
    assert "error" in await response.json()
    assert lines.one("request-refused")["status"] == status
    assert ("Allow" in response.headers) == (status == 405)


async def test_a_body_that_is_too_large_is_refused_alike(client, lines) -> None:
    """413, as soon as the bound is passed."""
    response = await client.post("/read", data=b"x" * 100)

    assert response.status == 413
    assert lines.one("request-refused")["status"] == 413


async def test_a_hostile_path_is_cut_in_the_line(client, lines) -> None:
    """Neither its length nor its control characters get into the log."""
    await client.get("/%0a" + "x" * 500)

    assert len(lines.one("request-refused")["path"]) == 120
    assert "\n" not in lines.one("request-refused")["path"]
