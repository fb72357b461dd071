"""One scripted call: connect, speak, listen to the reply, next sentence, hang up.

A caller who interrupts does not listen to the end: the next sentence is spoken over the reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import aiohttp

from pipeline.frontend.connection import Call, open_call, open_socket
from pipeline.frontend.core import CallReport, ReplyWatch, TurnReport, is_audible
from pipeline.frontend.errors import ConnectError
from pipeline.frontend.session_socket import SessionSocket
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
    """Feeds what comes in on both connections to the watch of the current sentence.

    `note` is told where the other side has ended the call.
    """

    def __init__(self, note: Note) -> None:
        self._note = note
        self._watch: ReplyWatch | None = None
        self._changed = asyncio.Event()

    def follow(self, watch: ReplyWatch) -> None:
        """Feed `watch` from now on."""
        self._watch = watch

    async def wait_until(self, condition: Callable[[float], bool], deadline: float) -> bool:
        """Whether `condition` of the time came true before `deadline` of the loop's clock."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadline):
                while not condition(loop.time()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False  # what came until now is the report
        return True

    async def read_socket(self, socket: SessionSocket) -> None:
        """Until it closes for good."""
        async for message in socket.messages():
            if message.get("event") == "session_ended":
                self._note(f"the call was ended: {message.get('reason')}")
            if self._watch is not None:
                self._watch.note_message(message, asyncio.get_running_loop().time())
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
    turns: tuple[TurnReport, ...] = ()
    connected_ms: int | None = None
    started = asyncio.get_running_loop().time()
    try:
        async with _connect(settings, trace, note) as (call, listener):
            connected_ms = round((asyncio.get_running_loop().time() - started) * 1000)
            note(f"connected after {connected_ms} ms as {settings.session_id}")
            script = list(zip(settings.sentences, speeches, strict=True))
            turns = await _Conversation(call, listener, settings, note).hold(script)
    except ConnectError as error:
        note(str(error))
    return CallReport(settings.session_id, settings.socket_session_id, trace.trace_id, connected_ms, turns)


@asynccontextmanager
async def _connect(
    settings: Settings, trace: TraceContext, note: Note
) -> AsyncIterator[tuple[Call, Listener]]:
    """Both connections with the same trace, and somebody who listens to them."""
    async with (
        aiohttp.ClientSession() as client,
        open_socket(client, settings.ws_urls, settings.socket_session_id, trace, note) as socket,
        open_call(client, settings.whip_url, settings.session_id, trace) as call,
    ):
        listener = Listener(note)
        tasks = {
            asyncio.create_task(listener.read_socket(socket)),
            asyncio.create_task(listener.read_audio(call)),
        }
        try:
            yield call, listener
        finally:
            await end_tasks(tasks, _STOP_TIMEOUT_S)


class _Conversation:
    """Sentence after sentence on one call."""

    def __init__(self, call: Call, listener: Listener, settings: Settings, note: Note) -> None:
        self._call = call
        self._listener = listener
        self._settings = settings
        self._note = note
        self._now = asyncio.get_running_loop().time
        self._spoken_over: ReplyWatch | None = None

    async def hold(self, script: Sequence[tuple[str, bytes]]) -> tuple[TurnReport, ...]:
        """Say each sentence of `script`, a text and its sound; what came of each."""
        said: list[tuple[ReplyWatch, float, float]] = []
        for number, (sentence, speech) in enumerate(script, start=1):
            self._note(f"says: {sentence}")
            watch, spoken_at = await self._say(sentence, speech)
            await self._hear(watch, spoken_at, last=number == len(script))
            self._note(f"hears: {watch.reply or 'nothing'}" + (f" ({watch.failed})" if watch.failed else ""))
            said.append((watch, spoken_at, self._now()))
        # only now: how long a reply went on is known once the next sentence was spoken over it
        return tuple(watch.to_report(spoken_at, until) for watch, spoken_at, until in said)

    async def _say(self, sentence: str, speech: bytes) -> tuple[ReplyWatch, float]:
        """Speak; what is still heard of a reply that is spoken over counts as that reply's."""
        watch = ReplyWatch(sentence)
        if self._spoken_over is None:
            self._listener.follow(watch)
        else:
            self._spoken_over.note_spoken_over(self._now())
        longest_s = len(speech) / BYTES_PER_MS / 1000 + _PLAY_MARGIN_S
        # no end if the call is cut off
        await asyncio.wait({self._call.voice.play(speech)}, timeout=longest_s)
        self._listener.follow(watch)
        return watch, self._now()

    async def _hear(self, watch: ReplyWatch, spoken_at: float, *, last: bool) -> None:
        """Until the reply is over, or until there is enough of it to speak over it."""
        deadline = spoken_at + self._settings.reply_timeout_s
        interrupts = self._settings.interrupt and not last
        heard = await self._listener.wait_until(
            watch.can_be_spoken_over if interrupts else watch.is_over, deadline
        )
        self._spoken_over = watch if interrupts and heard and not watch.will_not_come else None
