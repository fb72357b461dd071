"""What clients should not send over HTTP: a clear error, one bounded line, and the service lives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest

from pipeline.wire.wav import to_wav
from tests.e2e.conftest import Live
from tests.e2e.watching import unharmed

pytestmark = [
    pytest.mark.part("kafka"),
    pytest.mark.part("flite"),
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("hung_up"),
]

DEEP = b"[" * 100_000
SAID = "what-was-said-is-nobodys-business"
JSON_TYPE = {"Content-Type": "application/json"}
FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=x"}


def form(content: bytes, name: str = "file") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.wav"\r\n\r\n'
    return head.encode() + content + b"\r\n--x--\r\n"


CHAT = "/v1/chat/completions"
PROMPT = {"model": "restaurant-desk", "messages": [{"role": "user", "content": "hello"}]}

RUBBISH = [
    ("stt-service", "/transcribe", {}, b"", 415),
    ("stt-service", "/transcribe", {"Content-Type": "multipart/form-data"}, b"x", 400),
    ("stt-service", "/transcribe", FORM_TYPE, b"", 400),
    ("stt-service", "/transcribe", FORM_TYPE, b"\x00\xff" * 1_000, 400),
    ("stt-service", "/transcribe", FORM_TYPE, form(b"", "other"), 400),
    ("stt-service", "/transcribe", FORM_TYPE, form(SAID.encode()), 400),
    ("stt-service", "/transcribe", FORM_TYPE, form(to_wav(b"\0\0" * 999)[:30]), 400),
    ("stt-service", "/transcribe", FORM_TYPE, form(to_wav(b"\0\0" * 999).replace(b"fmt ", b"tmf ")), 400),
    ("stt-service", "/transcribe", FORM_TYPE, b"--x\r\n" + b"A: b\r\n" * 20_000, 400),
    ("llm-service", CHAT, JSON_TYPE, b"", 400),
    ("llm-service", CHAT, JSON_TYPE, SAID.encode(), 400),
    ("llm-service", CHAT, JSON_TYPE, DEEP, 400),
    ("llm-service", CHAT, JSON_TYPE, b"\xff\xfe\x00", 400),
    ("llm-service", CHAT, JSON_TYPE, json.dumps([PROMPT]).encode(), 400),
    ("llm-service", CHAT, JSON_TYPE, json.dumps({**PROMPT, "messages": SAID}).encode(), 400),
    ("llm-service", CHAT, JSON_TYPE, json.dumps({**PROMPT, "stream": "yes"}).encode(), 400),
    ("llm-service", CHAT, JSON_TYPE, json.dumps({**PROMPT, "model": SAID}).encode(), 404),
    ("llm-service", "/api/generate", JSON_TYPE, b'{"model": "restaurant-desk", "prompt": {}}', 400),
    ("llm-service", "/api/chat", JSON_TYPE, b'{"model": "restaurant-desk", "messages": [null]}', 400),
    ("tts-service", "/synthesize", JSON_TYPE, b"", 400),
    ("tts-service", "/synthesize", JSON_TYPE, DEEP[:10_000], 400),
    ("tts-service", "/synthesize", JSON_TYPE, b'{"text": 7}', 400),
    ("tts-service", "/synthesize", JSON_TYPE, b'{"text": "\\u0000\\ud800"}', 400),
    ("tts-service", "/synthesize", JSON_TYPE, json.dumps({"text": "a", "voice": SAID}).encode(), 400),
    ("tts-service", "/synthesize", JSON_TYPE, json.dumps({"text": "a" * 10_000}).encode(), 413),
]


@pytest.mark.parametrize("service", ["stt-service", "llm-service", "tts-service"])
async def test_rubbish_is_told_what_is_wrong_with_it(stack: Live, service: str) -> None:
    """Whatever the body: its status, a JSON error, and a line for each that says nothing of the content."""
    rubbish = [row for row in RUBBISH if row[0] == service]
    with unharmed(stack, service) as watched:
        async with aiohttp.ClientSession() as client:
            for _, path, headers, body, status in rubbish:
                async with client.post(watched.url + path, data=body, headers=headers) as answer:
                    assert answer.status == status, (path, body[:80])
                    assert (await answer.json())["error"]
        lines = watched.find("Request refused", len(rubbish))

    assert [line["status"] for line in lines] == [row[-1] for row in rubbish]
    assert SAID not in json.dumps(watched.lines)


async def flood(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield b"x" * 2**20


@pytest.mark.parametrize(
    ("service", "path", "headers"),
    [
        ("stt-service", "/transcribe", FORM_TYPE),
        ("llm-service", CHAT, JSON_TYPE),
        ("tts-service", "/synthesize", JSON_TYPE),
        ("media-server", "/whip", {"Content-Type": "application/sdp"}),
    ],
)
async def test_a_body_without_end_is_cut_off(
    stack: Live, service: str, path: str, headers: dict[str, str]
) -> None:
    """At the service's own bound: 200 MB cost it nothing."""
    with unharmed(stack, service) as watched:
        status = await _post_flood(watched.url + path, headers)
        (line,) = watched.find("Request refused")

    assert status in (413, None)
    assert line["status"] == 413


async def _post_flood(url: str, headers: dict[str, str]) -> int | None:
    """The answer's status; None if the connection was closed while the body was still being sent."""
    start = form(b"").split(b"\r\n\r\n")[0] + b"\r\n\r\n"

    async def body() -> AsyncIterator[bytes]:
        yield start
        async for piece in flood(200):
            yield piece

    try:
        async with (
            aiohttp.ClientSession() as client,
            client.post(url, data=body(), headers=headers) as answer,
        ):
            return answer.status
    except aiohttp.ClientError:
        return None


@pytest.mark.parametrize("service", ["media-server", "orchestrator", "stt-service", "results", "frontend"])
@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"GET / HTTP/1.1\r\n" + b"X-Session-ID: " + b"s" * 100_000 + b"\r\n\r\n",
        b"POST /whip HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["tls", "header", "length", "chunk", "path"],
)
async def test_what_is_not_http_is_answered_as_such(stack: Live, service: str, sent: bytes) -> None:
    """A status of the client's own fault; the next request is served."""
    with unharmed(stack, service) as watched:
        port = urlsplit(watched.url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        async with asyncio.timeout(60):
            status_line = await reader.readline()
        writer.close()
        async with aiohttp.ClientSession() as client, client.get(watched.url + "/healthz") as answer:
            assert answer.status == 200

    assert status_line.split()[1].startswith(b"4")
