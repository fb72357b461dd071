"""The LLM service's HTTP side: OpenAI's API under ``/v1``, Ollama's under ``/api``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from pipeline.llm import ollama_api, openai_api
from pipeline.llm.core import Completion, complete, load_desk
from pipeline.llm.prompts import Prompt, parse_body
from pipeline.llm.settings import Settings
from pipeline.wire.correlation import correlate, correlation_of
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics, add_metrics
from pipeline.wire.refusals import RequestRefusedError, refuse_in_one_shape
from pipeline.wire.serving import Probes, add_probes
from pipeline.wire.waiting import read_body

_REQUEST_BYTES = 256 * 1024
_JSON_LINES = "application/x-ndjson"
_EVENTS = "text/event-stream"


class Generation:
    """Answers prompts in the shape in which they were asked."""

    def __init__(self, model: str, metrics: SessionMetrics, log: Log) -> None:
        self._model = model
        self._metrics = metrics
        self._log = log

    async def models(self, _request: web.Request) -> web.Response:
        """``GET /v1/models``."""
        return web.json_response(openai_api.to_models(self._model))

    async def tags(self, _request: web.Request) -> web.Response:
        """``GET /api/tags``."""
        return web.json_response(ollama_api.to_tags(self._model))

    async def completions(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/chat/completions``."""
        prompt = openai_api.read_prompt(parse_body(await read_body(request)))
        completion = self._complete(request, prompt)
        now_s = int(time.time())
        if prompt.stream:
            return await _stream(request, _EVENTS, openai_api.to_events(prompt, completion, now_s))
        return web.json_response(openai_api.to_completion(prompt, completion, now_s))

    async def generate(self, request: web.Request) -> web.StreamResponse:
        """``POST /api/generate``."""
        prompt = ollama_api.read_generate(parse_body(await read_body(request)))
        return await self._answer_ollama(request, prompt, ollama_api.generate_piece)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """``POST /api/chat``."""
        prompt = ollama_api.read_chat(parse_body(await read_body(request)))
        return await self._answer_ollama(request, prompt, ollama_api.chat_piece)

    async def _answer_ollama(
        self, request: web.Request, prompt: Prompt, piece: ollama_api.Piece
    ) -> web.StreamResponse:
        started_ns = time.monotonic_ns()
        completion = self._complete(request, prompt)
        now_s, elapsed_ns = time.time(), time.monotonic_ns() - started_ns
        if prompt.stream:
            lines = ollama_api.to_lines(prompt, completion, piece, now_s, elapsed_ns)
            return await _stream(request, _JSON_LINES, lines)
        return web.json_response(ollama_api.to_object(prompt, completion, piece, now_s, elapsed_ns))

    def _complete(self, request: web.Request, prompt: Prompt) -> Completion:
        started = time.monotonic()
        if prompt.model != self._model:
            raise RequestRefusedError(404, "the model does not exist")
        log = correlation_of(request).bind(self._log)
        log.write("generation-started", model=self._model, chars=prompt.chars)
        with self._metrics.time_stage("llm"):
            completion = complete(load_desk(), prompt.texts)
        log.write(
            "generation-completed",
            chars=len(completion.text),
            tokens=completion.tokens,
            processing_ms=round((time.monotonic() - started) * 1000),
        )
        return completion


async def _stream(request: web.Request, content_type: str, parts: Iterable[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-cache"})
    await response.prepare(request)
    for part in parts:
        await response.write(part)
    await response.write_eof()
    return response


def _error_body(request: web.Request, status: int, error: str) -> Mapping[str, Any]:
    """Errors too have each API's own shape."""
    if not request.path.startswith("/v1"):
        return ollama_api.to_error(error)
    is_route = request.match_info.http_exception is None
    not_found = "model_not_found" if is_route else "unknown_url"
    return openai_api.to_error(error, not_found if status == 404 else None)


def build_service(settings: Settings, log: Log) -> web.Application:
    """The whole LLM service."""
    load_desk()
    metrics = SessionMetrics()
    generation = Generation(settings.model, metrics, log)
    app = web.Application(middlewares=[refuse_in_one_shape(log, _error_body)], client_max_size=_REQUEST_BYTES)
    correlate(app, log, metrics)
    app.router.add_get("/v1/models", generation.models)
    app.router.add_post("/v1/chat/completions", generation.completions)
    app.router.add_get("/api/tags", generation.tags)
    app.router.add_post("/api/generate", generation.generate)
    app.router.add_post("/api/chat", generation.chat)
    add_probes(app, Probes())
    add_metrics(app, metrics)
    return app
