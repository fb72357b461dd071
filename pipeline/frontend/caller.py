"""One scripted call: connect, speak, listen to the reply, next sentence, hang up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp

from pipeline.frontend.connection import Call, ConnectError, open_call, open_socket
from pipeline.frontend.core import CallReport, ReplyWatch, TurnReport, is_audible
from pipeline.frontend.settings import Settings
from pipeline.wire.audio_tracks import read_frames
from pipeline.wire.background import end_tasks
from pipeline.wire.flite import speak
from pipeline.wire.records import BYTES_PER_MS
from pipeline.wire.tracing import TraceContext, start_trace

Note = Callable[[str], None]

_GAP_S = 0.5
_PLAY_MARGIN_S = 5.0
_STOP_TIMEOUT_S = 1.0


class Listener:
    """Feeds what comes in on both connections to the watch of the current sentence."""

    def __init__(self) -> None:
        self._watch: ReplyWatch | None = None
        self._changed = asyncio.Event()

    def follow(self, watch: ReplyWatch) -> None:
        """Feed `watch` from now on."""
        self._watch = watch

    async def wait_over(self, watch: ReplyWatch, deadline: float) -> None:
        """Return when the reply has been heard to its end, or at `deadline` of the loop's clock."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):
                while not watch.is_over(loop.time()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass  # what came until now is the report

    async def read_socket(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Until it closes."""
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            content = json.loads(message.data)
            if self._watch is not None and isinstance(content, dict):
                self._watch.note_message(content, asyncio.get_running_loop().time())
                self._changed.set()

    async def read_audio(self, call: Call) -> None:
        """Until the track ends."""
        if call.hearing is None:
            return
        async for frame in read_frames(call.hearing, _GAP_S):
            if self._watch is not None and frame is not None:
                self._watch.note_frame(audible=is_audible(frame), now_s=asyncio.get_running_loop().time())
            self._changed.set()


async def make_call(settings: Settings, note: Note) -> CallReport:
    """Make the call; `note` is told of its progress. Raises `SpeechError` if flite cannot speak."""
    trace = start_trace()
    speeches = [await speak(sentence, settings.voice) for sentence in settings.sentences]
    turns: list[TurnReport] = []
    connected_ms: int | None = None
    started = asyncio.get_running_loop().time()
    try:
        async with _connect(settings, trace) as (call, listener):
            connected_ms = round((asyncio.get_running_loop().time() - started) * 1000)
            note(f"connected after {connected_ms} ms as {settings.session_id}")
            for sentence, speech in zip(settings.sentences, speeches, strict=True):
                note(f"says: {sentence}")
                turns.append(await _take_turn(sentence, speech, call, listener, settings.reply_timeout_s))
                note(f"hears: {turns[-1].reply or 'nothing'}")
    except ConnectError as error:
        note(str(error))
    return CallReport(
        settings.session_id, settings.socket_session_id, trace.trace_id, connected_ms, tuple(turns)
    )


@asynccontextmanager
async def _connect(settings: Settings, trace: TraceContext) -> AsyncIterator[tuple[Call, Listener]]:
    """Both connections with the same trace, and somebody who listens to them."""
    async with (
        aiohttp.ClientSession() as client,
        open_socket(client, settings.ws_url, settings.socket_session_id, trace) as socket,
        open_call(client, settings.whip_url, settings.session_id, trace) as call,
    ):
        listener = Listener()
        tasks = {
            asyncio.create_task(listener.read_socket(socket)),
            asyncio.create_task(listener.read_audio(call)),
        }
        try:
            yield call, listener
        finally:
            await end_tasks(tasks, _STOP_TIMEOUT_S)


async def _take_turn(
    sentence: str, speech: bytes, call: Call, listener: Listener, timeout_s: float
) -> TurnReport:
    loop = asyncio.get_running_loop()
    watch = ReplyWatch(sentence)
    listener.follow(watch)
    longest_s = len(speech) / BYTES_PER_MS / 1000 + _PLAY_MARGIN_S
    await asyncio.wait({call.voice.play(speech)}, timeout=longest_s)  # no end if the call is cut off
    spoken_at = loop.time()
    await listener.wait_over(watch, spoken_at + timeout_s)
    return watch.to_report(spoken_at, loop.time())
