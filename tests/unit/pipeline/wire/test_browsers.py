"""Pages of this machine may use the services, other pages may not."""

from __future__ import annotations

import pytest
from aiohttp import web

from pipeline.wire.browsers import allow_pages, is_allowed_origin


@pytest.mark.parametrize(
    "origin", [None, "http://127.0.0.1:8080", "http://localhost:5173", "https://127.0.0.2"]
)
def test_this_machine_is_allowed(origin: str | None) -> None:
    """A program, which sends no origin, and any page that is served from here."""
    assert is_allowed_origin(origin)


@pytest.mark.parametrize(
    "origin", ["null", "", "https://example.com", "http://127.0.0.1.example.com", "http://[::1"]
)
def test_foreign_pages_are_not(origin: str) -> None:
    """Also those whose name looks like an address of ours."""
    assert not is_allowed_origin(origin)


async def test_a_page_may_read_what_is_exposed(start_client) -> None:
    """The page's own origin is allowed, and no other one with it."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(middlewares=[allow_pages(("GET",), ("Location",))])
    app.router.add_get("/", answer)
    client = await start_client(app)
    ours = await client.get("/", headers={"Origin": "http://localhost:5173"})
    foreign = await client.get("/", headers={"Origin": "https://example.com"})

    assert ours.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert ours.headers["Access-Control-Expose-Headers"] == "Location"
    assert "Access-Control-Allow-Origin" not in foreign.headers


def test_a_deployment_has_one_page_of_its_own() -> None:
    """That origin, to the letter, beside those of this machine."""
    page = "https://voice.example.com"

    assert is_allowed_origin(page, page)
    assert is_allowed_origin("http://127.0.0.1:5173", page)
    for other in (
        "http://voice.example.com",
        "https://voice.example.com:8443",
        "https://example.com",
        "null",
    ):
        assert not is_allowed_origin(other, page)
