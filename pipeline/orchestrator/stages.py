"""The three stages over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp

from pipeline.orchestrator.failures import StageError, Trouble
from pipeline.orchestrator.settings import StageSettings
from pipeline.orchestrator.turn import Turn
from pipeline.wire.flite import LONGEST_CHARS
from pipeline.wire.wav import WavError, read_wav, to_wav

TIMEOUT_S = 30.0
# Before the second and the third attempt
BACK_OFF_S = (0.2, 0.6)

_LARGEST_BYTES = 4 * 1024 * 1024
_OTHER_SHAPE = "the answer is not of the agreed shape"

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
            raise StageError("the reply is empty", Trouble.EMPTY)
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
            speech = read_wav(answer)
        except WavError as error:
            raise StageError(f"the answer is no speech: {error}", Trouble.UNUSABLE) from error
        if not speech:
            raise StageError("the speech is empty", Trouble.EMPTY)
        return speech

    def _post(self, url: str, turn: Turn, **body: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers = turn.correlation.to_headers()
        return self._client.post(url, headers=headers, allow_redirects=False, **body)


async def _ask(request: Request) -> bytes:
    """The body of a 200; raises `StageError`."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _ask_with_patience(request)
    except TimeoutError as error:
        raise StageError(f"no answer within {TIMEOUT_S:g} s", Trouble.LATE) from error


async def _ask_with_patience(request: Request) -> bytes:
    for pause_s in BACK_OFF_S:
        try:
            return await _ask_once(request)
        except _PassingError:
            await asyncio.sleep(pause_s)
    try:
        return await _ask_once(request)
    except _PassingError as error:
        raise StageError(f"{error} (attempt {len(BACK_OFF_S) + 1})", error.trouble) from error


class _PassingError(Exception):
    """The same request may succeed later."""

    def __init__(self, detail: str, trouble: Trouble) -> None:
        super().__init__(detail)
        self.trouble = trouble


async def _ask_once(request: Request) -> bytes:
    try:
        async with request() as response:
            if response.status >= 500:
                raise _PassingError(f"status {response.status}", Trouble.REFUSED)
            if response.status != 200:
                raise StageError(f"status {response.status}", Trouble.REFUSED)
            return await _read_bounded(response.content)
    except TimeoutError:
        raise
    except aiohttp.ClientConnectionError as error:
        raise _PassingError(f"connection failed: {type(error).__name__}", Trouble.UNREACHABLE) from error
    except aiohttp.ClientError as error:
        detail = f"the answer is not HTTP as it should be: {type(error).__name__}"
        raise StageError(detail, Trouble.UNUSABLE) from error


async def _read_bounded(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > _LARGEST_BYTES:
            raise StageError(f"the answer is larger than {_LARGEST_BYTES} bytes", Trouble.UNUSABLE)
    return bytes(body)


def _read_field(body: bytes, *path: str | int) -> str:
    """The text at `path` in a JSON document; raises `StageError`."""
    try:
        value: Any = json.loads(body)
        for step in path:
            value = value[step]
        if isinstance(value, str):
            value.encode()  # JSON can write half a character, which nothing behind this could pass on
            return value
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise StageError(_OTHER_SHAPE, Trouble.UNUSABLE) from error
    raise StageError(_OTHER_SHAPE, Trouble.UNUSABLE)
