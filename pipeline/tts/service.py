"""The TTS service's HTTP side: ``GET`` and ``POST /synthesize``."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from pipeline.tts.core import read_order
from pipeline.tts.settings import Settings
from pipeline.wire.correlation import correlate, correlation_of
from pipeline.wire.flite import SpeechError, find_flite, speak
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics, add_metrics
from pipeline.wire.refusals import RequestRefusedError, refuse_in_one_shape
from pipeline.wire.serving import Probes, add_probes
from pipeline.wire.waiting import read_body
from pipeline.wire.wav import to_wav

_REQUEST_BYTES = 16 * 1024
_AT_ONCE = 4


class Synthesis:
    """Answers texts with WAV files of 16 kHz, mono, 16 bits."""

    def __init__(self, voice: str, metrics: SessionMetrics, log: Log) -> None:
        self._voice = voice
        self._metrics = metrics
        self._log = log
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def get(self, request: web.Request) -> web.Response:
        """GET: ``text`` and ``voice`` in the query."""
        return await self._synthesize(request, request.query)

    async def post(self, request: web.Request) -> web.Response:
        """POST: ``text`` and ``voice`` in a JSON object."""
        try:
            fields = json.loads(await read_body(request))
        except (ValueError, RecursionError) as error:
            raise RequestRefusedError(400, "the body is not JSON") from error
        if not isinstance(fields, dict):
            raise RequestRefusedError(400, "the body is not a JSON object")
        return await self._synthesize(request, fields)

    async def _synthesize(self, request: web.Request, fields: Mapping[str, Any]) -> web.Response:
        started = time.monotonic()
        log = correlation_of(request).bind(self._log)
        order = read_order(fields, self._voice)
        log.write("synthesis-started", chars=len(order.text), voice=order.voice)
        try:
            async with self._places:
                with self._metrics.time_stage("tts"):
                    audio = to_wav(await speak(order.text, order.voice))
        except SpeechError as error:
            log.write("synthesis-failed", error=str(error))
            return web.json_response({"error": str(error)}, status=500)
        elapsed_s = time.monotonic() - started
        log.write("synthesis-completed", bytes=len(audio), processing_ms=round(elapsed_s * 1000))
        headers = {"X-Processing-Time": f"{elapsed_s:.3f}", "X-Audio-Size": str(len(audio))}
        return web.Response(body=audio, content_type="audio/wav", headers=headers)


def build_service(settings: Settings, log: Log) -> web.Application:
    """The whole TTS service."""
    metrics = SessionMetrics()
    synthesis = Synthesis(settings.voice, metrics, log)
    app = web.Application(middlewares=[refuse_in_one_shape(log)], client_max_size=_REQUEST_BYTES)
    correlate(app, log, metrics)
    app.router.add_get("/synthesize", synthesis.get)
    app.router.add_post("/synthesize", synthesis.post)
    add_probes(app, Probes(ready={"flite": lambda: find_flite() is not None}))
    add_metrics(app, metrics)
    return app
