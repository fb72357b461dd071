"""The page by itself in a real Chromium: its files from memory, its services played by the test."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from pipeline.frontend.page_service import load_page
from tests.e2e.browser import PATIENCE_MS, open_browser

pytestmark = [pytest.mark.part("flite"), pytest.mark.part("chromium"), pytest.mark.timeout(600)]
ORIGIN = "http://127.0.0.1:9"  # nobody is asked: every request is answered here
CONFIG = json.dumps({"whip_url": f"{ORIGIN}/whip", "ws_url": "ws://127.0.0.1:9/ws"})
SOCKET = """async () => {
    const { SessionSocket } = await import("/page/socket.js");
    window.states = [];
    window.socket = new SessionSocket("ws://127.0.0.1:9/ws", "session_1", "");
    window.socket.addEventListener("state", ({ detail }) => window.states.push(detail.state));
    window.socket.open();
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Page]]:
    with open_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield [browser.new_page() for _ in range(2)]


@pytest.fixture
def page(pages: list[Page]) -> Page:
    """A fresh page; its clock is the test's."""
    page = pages.pop()
    page.set_default_timeout(PATIENCE_MS)
    page.route(f"{ORIGIN}/**", _serve)
    page.clock.install()
    page.goto(ORIGIN)
    return page


def _serve(route: Route) -> None:
    file = load_page()[route.request.url.rpartition("/")[2] or "index.html"]
    route.fulfill(body=file.body, content_type=file.content_type)


def test_an_impatient_second_click_hangs_up(page: Page) -> None:
    """While the page still looks for the services: no call comes of it, and no microphone is opened."""
    waiting: list[Route] = []
    page.route("**/config.json", lambda route: waiting.append(route))  # noqa: PLW0108 - a builtin cannot be its handler
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { window.asked = true; throw Error() } }"
    )
    with page.expect_request("**/config.json"):
        page.get_by_role("button").first.click()
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#status")).to_have_text("The call is over")
    for route in waiting:
        route.fulfill(body=CONFIG, content_type="application/json")
    assert page.evaluate("async () => (await fetch('page/icon.svg')).ok")  # the page has seen the answers

    assert len(waiting) == 1
    assert page.evaluate("window.asked") is None
    expect(page.locator("#status")).to_have_text("The call is over")


def test_an_orchestrator_that_does_not_answer_is_tried_again(page: Page) -> None:
    """Also before it has answered for the first time."""
    page.route_web_socket("**/ws", lambda _socket: None)
    page.evaluate(SOCKET)
    page.clock.fast_forward(11_000)

    page.wait_for_function("window.states.includes('reconnecting')", timeout=PATIENCE_MS)
