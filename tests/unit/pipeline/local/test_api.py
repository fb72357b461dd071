"""The API server as the stack asks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pipeline.local.control_plane import api as api_module
from pipeline.local.control_plane.api import Api, ApiError


async def test_a_refusal_in_plain_text_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is too busy says so in one line: whoever asked is to try again, not to fall over."""

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=429, text="Too many requests, please try again later.")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    server = TestServer(app)
    await server.start_server()
    kubeconfig = _write_kubeconfig(tmp_path, str(server.make_url("")), monkeypatch)
    async with server, Api(kubeconfig) as api:
        with pytest.raises(ApiError, match="Too Many Requests") as refusal:
            await api.get("/api/v1/nodes")
        with pytest.raises(ApiError):
            [piece async for piece in api.stream("/api/v1/nodes", {})]

    assert refusal.value.status == 429


def _write_kubeconfig(folder: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a server without TLS."""
    monkeypatch.setattr(api_module.ssl, "create_default_context", lambda **_: True)
    path = folder / "admin.kubeconfig"
    cluster = {"server": server.rstrip("/"), "certificate-authority": ""}
    config = {"clusters": [{"cluster": cluster}], "users": [{"user": {"token": "t"}}]}
    path.write_text(json.dumps(config), "utf-8")
    return path
