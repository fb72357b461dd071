"""The LLM service from outside: two APIs, plain and streamed, errors in the shape of each."""

from __future__ import annotations

import json

import pytest

from pipeline.llm.service import build_service
from pipeline.llm.settings import Settings
from pipeline.wire.correlation import Correlation
from pipeline.wire.environment import Listen
from pipeline.wire.identifiers import derive_turn_id, mint_session_id
from pipeline.wire.log_lines import Log

MODEL = "restaurant-desk"
SAID = "Do you have a table for two tonight"
REPLY = "Yes, I can book a table for you. At what time would you like to come?"
MESSAGES = {"model": MODEL, "messages": [{"role": "user", "content": SAID}]}
PROMPT = {"model": MODEL, "prompt": SAID}


@pytest.fixture
async def client(start_client, lines):
    """A client of the service."""
    return await start_client(build_service(Settings(Listen("127.0.0.1", 0), MODEL), Log("llm-service")))


async def test_the_models_are_listed(client) -> None:
    """In both APIs."""
    openai = await (await client.get("/v1/models")).json()
    ollama = await (await client.get("/api/tags")).json()

    assert openai["data"][0]["id"] == ollama["models"][0]["name"] == MODEL


async def test_a_chat_completion(client, lines) -> None:
    """The reply with its usage; the lines have lengths and the caller's IDs, and no words."""
    correlation = Correlation(mint_session_id(), derive_turn_id("session", 0, 0), None)
    response = await client.post("/v1/chat/completions", json=MESSAGES, headers=correlation.to_headers())
    body = await response.json()
    done = lines.one("generation-completed")

    assert body["choices"][0]["message"]["content"] == REPLY
    assert (done["chars"], done["tokens"]) == (len(REPLY), body["usage"]["completion_tokens"])
    assert (done["session_id"], done["turn_id"]) == (correlation.session_id, correlation.turn_id)
    assert lines.one("generation-started")["chars"] == len(SAID)
    assert "book" not in str(lines.all)


async def test_a_streamed_chat_completion(client) -> None:
    """Server-sent events."""
    response = await client.post("/v1/chat/completions", json={**MESSAGES, "stream": True})
    events = (await response.text()).strip().split("\n\n")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]

    assert response.content_type == "text/event-stream"
    assert events[-1] == "data: [DONE]"
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == REPLY


@pytest.mark.parametrize(("path", "body"), [("/api/generate", PROMPT), ("/api/chat", MESSAGES)])
async def test_ollamas_endpoints(client, path: str, body: dict) -> None:
    """Streamed unless told otherwise, as one object if so."""

    def text(answer: dict) -> str:
        return answer["response"] if "response" in answer else answer["message"]["content"]

    streamed = await client.post(path, json=body)
    lines = [json.loads(line) for line in (await streamed.text()).splitlines()]
    plain = await (await client.post(path, json={**body, "stream": False})).json()

    assert streamed.content_type == "application/x-ndjson"
    assert "".join(map(text, lines)) == text(plain) == REPLY
    assert lines[-1]["done"]
    assert plain["done"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v1/chat/completions", {**MESSAGES, "model": "gpt"}, (404, "model_not_found")),
        ("/v1/chat/completions", {"model": MODEL}, (400, None)),
        ("/v1/nowhere", {}, (404, "unknown_url")),
    ],
)
async def test_openais_errors(client, lines, path: str, body: dict, expected: tuple[int, str | None]) -> None:
    """An object with type and code, and a line."""
    response = await client.post(path, json=body)
    error = (await response.json())["error"]

    assert (response.status, error["code"]) == expected
    assert error["type"] == "invalid_request_error"
    assert lines.one("request-refused")["error"] == error["message"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/generate", {**PROMPT, "model": "qwen3:0.6b"}, 404),
        ("/api/generate", {"model": MODEL}, 400),
        ("/api/chat", {**MESSAGES, "stream": "yes"}, 400),
        ("/api/nowhere", {}, 404),
    ],
)
async def test_ollamas_errors(client, lines, path: str, body: dict, status: int) -> None:
    """A plain text under `error`, and a line."""
    response = await client.post(path, json=body)

    assert response.status == status
    assert (await response.json())["error"] == lines.one("request-refused")["error"]


async def test_a_huge_request_is_refused(client) -> None:
    """413, in the API's shape."""
    response = await client.post("/v1/chat/completions", data=b"x" * 300_000)

    assert (response.status, "message" in (await response.json())["error"]) == (413, True)


async def test_it_is_ready_at_once(client) -> None:
    """It has nothing to wait for."""
    assert (await client.get("/readyz")).status == 200
