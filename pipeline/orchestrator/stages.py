"""The three stages over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp

from pipeline.orchestrator.settings import StageSettings
from pipeline.orchestrator.turn import StageError, Turn
from pipeline.wire.flite import LONGEST_CHARS
from pipeline.wire.wav import WavError, read_wav, to_wav

TIMEOUT_S = 30.0
# Before the second and the third attempt
BACK_OFF_S = (0.2, 0.6)

_LARGEST_BYTES = 4 * 1024 * 1024

Request = Callable[[], AbstractAsyncContextManager[aiohttp.ClientResponse]]


class HttpStages:
    """Asks STT, LLM and TTS; repeats where the connection failed or the service says 5xx."""

    def __init__(self, client: aiohttp.ClientSession, settings: StageSettings) -> None:
        self._client = client
        self._settings = settings

    async def transcribe(self, turn: Turn, pcm: bytes) -> str:
        """As `Stages.transcribe`."""
        wav = to_wav(pcm)

        def request() -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
            form = aiohttp.FormData()
            form.add_field("file", wav, filename="audio.wav", content_type="audio/wav")
            return self._post(f"{self._settings.stt_url}/transcribe", turn, data=form)

        return _read_field(await _ask(request), "text").strip()

    async def generate(self, turn: Turn, messages: list[dict[str, str]]) -> str:
        """As `Stages.generate`."""
        body = {"model": self._settings.llm_model, "messages": messages}
        url = f"{self._settings.llm_url}/v1/chat/completions"
        reply = _read_field(
            await _ask(lambda: self._post(url, turn, json=body)), "choices", 0, "message", "content"
        ).strip()
        if not reply:
            raise StageError("the reply is empty")
        return reply

    async def synthesize(self, turn: Turn, text: str) -> bytes:
        """As `Stages.synthesize`."""
        query = {"text": text[:LONGEST_CHARS], "voice": self._settings.tts_voice}
        url = f"{self._settings.tts_url}/synthesize"
        headers = turn.correlation.to_headers()
        answer = await _ask(
            lambda: self._client.get(url, params=query, headers=headers, allow_redirects=False)
        )
        try:
            return read_wav(answer)
        except WavError as error:
            raise StageError(f"the answer is no speech: {error}") from error

    def _post(self, url: str, turn: Turn, **body: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = turn.correlation.to_headers()
        return self._client.post(url, headers=headers, allow_redirects=False, **body)


async def _ask(request: Request) -> bytes:
    """The body of a 200; raises `StageError`."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _ask_with_patience(request)
    except TimeoutError as error:
        raise StageError(f"no answer within {TIMEOUT_S:g} s") from error


async def _ask_with_patience(request: Request) -> bytes:
    for pause_s in BACK_OFF_S:
        try:
            return await _ask_once(request)
        except _PassingError:
            await asyncio.sleep(pause_s)
    try:
        return await _ask_once(request)
    except _PassingError as error:
        raise StageError(f"{error} (attempt {len(BACK_OFF_S) + 1})") from error


class _PassingError(Exception):
    """The same request may succeed later."""


async def _ask_once(request: Request) -> bytes:
    try:
        async with request() as response:
            if response.status >= 500:
                raise _PassingError(f"status {response.status}")
            if response.status != 200:
                raise StageError(f"status {response.status}")
            return await _read_bounded(response.content)
    except TimeoutError:
        raise
    except aiohttp.ClientConnectionError as error:
        raise _PassingError(f"connection failed: {type(error).__name__}") from error
    except aiohttp.ClientError as error:
        raise StageError(f"the answer is not HTTP as it should be: {type(error).__name__}") from error


async def _read_bounded(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > _LARGEST_BYTES:
            raise StageError(f"the answer is larger than {_LARGEST_BYTES} bytes")
    return bytes(body)


def _read_field(body: bytes, *path: str | int) -> str:
    """The string at `path` in a JSON document; raises `StageError`."""
    try:
        value: Any = json.loads(body)
        for step in path:
            value = value[step]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise StageError("the answer is not of the agreed shape") from error
    if isinstance(value, str):
        return value
    raise StageError("the answer is not of the agreed shape")
