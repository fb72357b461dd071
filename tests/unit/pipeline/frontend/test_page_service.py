"""The page's server: its files, its bounds, and where it says that the services are."""

from __future__ import annotations

import re

import pytest

from pipeline.frontend.page_service import build_page_service, load_page
from pipeline.frontend.page_settings import PageSettings
from pipeline.wire.environment import Listen
from pipeline.wire.log_lines import Log

SETTINGS = PageSettings(Listen("127.0.0.1", 0), "http://127.0.0.1:8001/whip", "ws://127.0.0.1:8002/ws")


@pytest.fixture
async def client(lines, start_client):
    """A browser, as far as HTTP goes."""
    return await start_client(build_page_service(SETTINGS, Log("frontend")))


async def test_the_page_is_there_and_may_load_from_here_and_talk_to_the_services_alone(client) -> None:
    """Nothing inline, nothing foreign, no frame around it; on every answer."""
    for path, status in (("/", 200), ("/config.json", 200), ("/page/main.js", 200), ("/page/none.js", 404)):
        response = await client.get(path)
        policy = dict(
            directive.split(" ", 1) for directive in response.headers["Content-Security-Policy"].split("; ")
        )
        assert response.status == status
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["connect-src"] == "'self' http://127.0.0.1:8001 ws://127.0.0.1:8002"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_page_is_told_where_the_services_are(client) -> None:
    """As the browser reaches them."""
    config = await (await client.get("/config.json")).json()

    assert config == {"whip_url": SETTINGS.whip_url, "ws_url": SETTINGS.ws_url}


async def test_every_file_that_the_page_names_is_served_with_its_type(client) -> None:
    """What is imported or linked exists, and all that exists is used."""
    index = await (await client.get("/")).text()
    named = set(re.findall(r'(?:href|src)="page/([^"]+)"', index))
    for name, file in load_page().items():
        if name.endswith(".js"):
            named |= set(re.findall(r'from "\./([^"]+)"', file.body.decode()))
    types = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}

    assert named | {"index.html"} == set(load_page())
    for name in named:
        response = await client.get(f"/page/{name}")
        assert (response.status, response.content_type) == (200, types[name.rpartition(".")[2]])


async def test_an_unchanged_file_is_not_sent_again(client) -> None:
    """The browser asks each time: a page and its modules are of one version."""
    first = await client.get("/page/main.js")
    again = await client.get("/page/main.js", headers={"If-None-Match": first.headers["Etag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status, await again.read()) == (304, b"")


async def test_only_the_page_is_served(client, lines) -> None:
    """No other file of the machine, whatever the path says."""
    for path in ("/page/..%2f__main__.py", "/page/../../etc/passwd", "/page/", "/pipeline/__init__.py"):
        assert (await client.get(path)).status == 404
    assert len(lines.named("request-refused")) == 4


def test_no_text_becomes_markup() -> None:
    """What a service sends is put in as text: no module knows how to do otherwise."""
    for name, file in load_page().items():
        assert not re.search(
            rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", file.body
        ), name
    index = load_page()["index.html"].body.decode()
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", index)
    assert "http" not in index
