"""A person calls from a browser: real Chromium, real stack, a sentence as microphone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from playwright.sync_api import Browser, WebSocketRoute, expect

from pipeline.local.kafka_admin import ALL_TOPICS
from tests.e2e.browser import SENTENCE, CallPage, open_browser, refuse
from tests.e2e.conftest import Live, eventually

pytestmark = [
    pytest.mark.part("kafka"),
    pytest.mark.part("flite"),
    pytest.mark.part("chromium"),
    pytest.mark.timeout(600),
]
TOPICS = ("audio-in", "audio-out", "llm-requests", "tts-results")
SERVICES = {"media-server", "orchestrator", "stt-service", "llm-service", "tts-service"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, stack: Live) -> Iterator[CallPage]:
    opened = CallPage.open(browser, f"http://127.0.0.1:{stack.state()['pods']['frontend']['port']}/")
    yield opened
    opened.page.close()


def test_a_spoken_question_gets_a_spoken_answer_under_one_id(page: CallPage, stack: Live) -> None:
    """On the page, in WHIP's answer, in every service's lines, in every record; hanging up ends all of it."""
    answer = page.call()
    page.says("#media", "connected")
    page.says("#socket", "connected")
    page.answers(1)
    page.hears()
    heard = page.page.locator("li .you span").all_inner_texts()
    session_id = page.session_id
    page.hang_up()

    assert answer.headers["x-session-id"] == answer.request.headers["x-session-id"] == session_id
    _, judged = stack.judge(session_id)
    # a machine that is too slow breaks the sentence in two, and the rest of it is not waited for
    assert judged["verdict"]["cause"] is None, judged["verdict"]
    assert "answered" in [turn["outcome"] for turn in judged["turns"]]
    assert heard == [SENTENCE] or len(judged["turns"]) > 1
    assert judged["session"]["id"] == session_id
    assert set(judged["session"]["services"]) >= SERVICES
    events = [entry["event"] for entry in judged["timeline"]]
    assert {"media.end_published", "media.cleanup", "audio.session_end", "ws.close"} <= set(events)
    records = read_records(stack.state()["kafka"], session_id)
    assert {record.topic for record in records} == set(TOPICS), judged["kafka"]
    for record in records:
        assert dict(record.headers)["session-id"].decode() == session_id
        if record.topic not in {"audio-in", "audio-out"}:
            assert json.loads(record.value)["session_id"] == session_id


def test_a_killed_orchestrator_comes_back_and_the_call_goes_on(page: CallPage, stack: Live) -> None:
    """The page says that it reconnects, has the same session again, and the next question is answered."""
    page.call()
    page.answers(1)
    session_id = page.session_id
    os.kill(stack.state()["pods"]["orchestrator"]["pid"], signal.SIGKILL)

    page.says("#socket", "reconnecting")
    page.says("#status", "Reconnecting")
    page.says("#socket", "connected")
    page.says("#status", "Speak any time")
    page.answers(2)
    assert page.session_id == session_id
    page.hang_up()


def test_leaving_the_page_ends_the_session(page: CallPage, stack: Live) -> None:
    """Nobody has to wait for a caller who closed the tab."""
    page.call()
    page.says("#media", "connected")
    session_id = page.session_id
    page.page.goto("about:blank")

    eventually(lambda: _has_ended(stack, session_id), 120)


def test_what_goes_wrong_is_told_in_words(page: CallPage) -> None:
    """A server that is away, one that is full, a microphone that is not there; each time one can call again."""
    page.page.route("**/whip", lambda route: route.abort())
    page.page.get_by_role("button", name="Call").click()
    page.says("#problem", "The media server cannot be reached")

    page.page.unroute("**/whip")
    page.page.route(
        "**/whip", lambda route: refuse(route, 503, "the server has as many sessions as it takes")
    )
    page.call()
    page.says("#problem", "takes no calls now: the server has as many sessions as it takes")

    page.page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') } }"
    )
    page.page.get_by_role("button", name="Call").click()
    page.says("#problem", "There is no microphone")
    page.says("#status", "The call could not be made")
    assert page.page.get_by_role("button", name="Call").is_enabled()


def test_what_services_send_is_shown_as_text(page: CallPage) -> None:
    """Markup does nothing, an interrupted reply is marked, a turn without one is told, what is no message changes nothing."""
    turn = {"session_id": "s", "turn_id": "turn_0a1b2c3d"}
    messages = [
        "no JSON",
        "null",
        json.dumps({"event": "final_transcript", "text": 7, **turn}),
        json.dumps({"event": "final_transcript", "text": "<img src=x onerror='window.hit = 1'>", **turn}),
        json.dumps({"event": "llm_response_text", "text": "<b>yes</b>", **turn}),
        json.dumps({"event": "turn_interrupted", **turn}),
        json.dumps({"event": "turn_interrupted", **turn}),
        json.dumps({"event": "turn_failed", "stage": "tts", "error": "<i>it</i> failed", **turn}),
        json.dumps({"event": "turn_failed", "error": "it was cut off twice", **turn, "turn_id": "turn_1"}),
        json.dumps({"event": "turn_empty", "text": "no words", **turn, "turn_id": "turn_2"}),
    ]
    page.page.route_web_socket(
        "**/ws", lambda socket: socket.on_message(lambda _text: [socket.send(text) for text in messages])
    )
    page.call()

    page.says("li .you", "<img src=x")
    page.says("li .agent", "<b>yes</b>")
    page.says("li .agent", "you spoke over this")
    page.says("[data-turn=turn_0a1b2c3d] .none", "Not spoken")
    page.says("[data-turn=turn_0a1b2c3d] .none", "<i>it</i> failed.")
    page.says("[data-turn=turn_1] .none", "No answer")
    page.says("[data-turn=turn_1] .none", "It was cut off twice.")
    page.says("[data-turn=turn_2] .none", "I heard no words")
    assert page.page.locator("li small").count() == 1
    assert page.page.locator("#turns img, #turns p > b > b").count() == 0
    assert page.page.evaluate("window.hit") is None
    page.hang_up()


def test_a_caller_who_cannot_be_heard_sees_it_until_it_is_over(page: CallPage) -> None:
    """Told with the first answer, or later; the call goes on, and nothing of it stays when that is over, too."""
    sockets: list[WebSocketRoute] = []

    def confirm(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.on_message(lambda _text: socket.send('{"event": "session_confirmed", "hearing": false}'))

    page.page.route_web_socket("**/ws", confirm)
    page.call()
    page.says("#problem", "cannot hear you just now")
    for able in (True, False, True, False):
        sockets[0].send(json.dumps({"event": "hearing", "able": able}))
        expect(page.page.locator("#problem")).to_be_visible(visible=not able)
        page.says("#status", "Speak any time" if able else "One moment")

    page.says("#socket", "connected")
    page.hang_up()
    expect(page.page.locator("#problem")).to_be_hidden()


def _has_ended(stack: Live, session_id: str) -> bool:
    logs = (log.read_text("utf-8") for log in (stack.folder / ".stack/pods").rglob("*.log"))
    return any(
        session_id in line and "Connection cleaned up" in line for log in logs for line in log.splitlines()
    )


def read_records(bootstrap: str, session_id: str) -> list[ConsumerRecord]:
    """All records of a session; in a thread, for the browser's driver has a loop here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _read_records(bootstrap, session_id.encode())).result()


async def _read_records(bootstrap: str, key: bytes) -> list[ConsumerRecord]:
    """From the first record to the last that is there now: other callers may go on speaking."""
    wanted = [topic for topic in ALL_TOPICS if topic.name in TOPICS]
    places = [TopicPartition(topic.name, number) for topic in wanted for number in range(topic.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, 0)
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(120):
            while unread := [place for place in places if await consumer.position(place) < ends[place]]:
                for batch in (await consumer.getmany(*unread, timeout_ms=1_000)).values():
                    found += [record for record in batch if record.key == key]
    return found
