"""The STT service's HTTP side: ``POST /transcribe``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError

from pipeline.stt.core import LARGEST_BYTES, Speech, Transcript, read_upload
from pipeline.stt.recogniser import Recogniser, RecogniserError
from pipeline.wire.background import Background
from pipeline.wire.correlation import correlate, correlation_of
from pipeline.wire.log_lines import Log
from pipeline.wire.metrics import SessionMetrics, add_metrics
from pipeline.wire.refusals import RequestRefusedError, refuse_in_one_shape
from pipeline.wire.serving import Probes, add_probes

_UPLOAD_TIMEOUT_S = 10.0


class Transcription:
    """Answers uploads with transcripts."""

    def __init__(self, recogniser: Recogniser, metrics: SessionMetrics, log: Log) -> None:
        self._recogniser = recogniser
        self._metrics = metrics
        self._log = log

    async def transcribe(self, request: web.Request) -> web.Response:
        """POST: multipart field ``file``, a WAV of 16 kHz, mono, 16 bits."""
        started = time.monotonic()
        log = correlation_of(request).bind(self._log)
        upload = await _receive_upload(request)
        log.write("transcription-requested", bytes=len(upload or b""))
        speech = read_upload(upload)
        try:
            with self._metrics.time_stage("stt"):
                text = await self._recognise(speech)
        except RecogniserError as error:
            log.write("transcription-failed", error=str(error))
            return web.json_response({"error": str(error)}, status=503)
        processing_ms = round((time.monotonic() - started) * 1000)
        transcript = Transcript(text, speech.audio_ms, processing_ms)
        log.write(
            "transcription-completed",
            chars=len(text),
            audio_ms=speech.audio_ms,
            processing_ms=processing_ms,
        )
        return web.json_response(transcript.to_body())

    async def _recognise(self, speech: Speech) -> str:
        return "" if speech.is_wordless else await self._recogniser.transcribe(speech.pcm)


async def _receive_upload(request: web.Request) -> bytes | None:
    """The bytes of the field ``file``; None if there is none."""
    if request.content_type != "multipart/form-data":
        raise RequestRefusedError(415, "the content type is not multipart/form-data")
    try:
        async with asyncio.timeout(_UPLOAD_TIMEOUT_S):
            return await _find_file(request)
    except TimeoutError as error:
        raise RequestRefusedError(408, "the upload took too long") from error
    except (ValueError, AssertionError, HttpProcessingError) as error:  # aiohttp's reader, at malformed parts
        raise RequestRefusedError(400, "the form is malformed") from error


async def _find_file(request: web.Request) -> bytes | None:
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == "file":
            return await _read_bounded(part)
    return None


async def _read_bounded(part: BodyPartReader) -> bytes:
    content = bytearray()
    while piece := await part.read_chunk():
        content += piece
        if len(content) > LARGEST_BYTES:
            raise RequestRefusedError(413, f"the file is larger than {LARGEST_BYTES} bytes")
    return bytes(content)


def build_service(log: Log) -> web.Application:
    """The whole STT service."""
    recogniser, metrics = Recogniser(log), SessionMetrics()
    background = Background()

    async def keep_recogniser(_app: web.Application) -> AsyncIterator[None]:
        background.start(recogniser.run(), "recogniser")
        yield
        await background.stop()

    app = web.Application(middlewares=[refuse_in_one_shape(log)])
    correlate(app, log, metrics)
    app.router.add_post("/transcribe", Transcription(recogniser, metrics, log).transcribe)
    add_probes(
        app,
        Probes(
            ready={"model": lambda: recogniser.ready},
            alive={"background-tasks": background.alive},
        ),
    )
    add_metrics(app, metrics)
    app.cleanup_ctx.append(keep_recogniser)
    return app
