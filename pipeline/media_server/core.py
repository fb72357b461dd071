"""Cuts a stream of 20 ms frames into utterances. Pure: frames in, events out.

A frame counts as speech if it and the one before are voiced: webrtcvad takes a click, or one frame
of noise, for voice. An utterance starts when most of the last `START_WINDOW` frames are speech and
ends `END_SILENCE_MS` after the last one. Its audio begins `PRE_ROLL_MS` before that window, so that
a soft first consonant is not lost.

To speak over a reply takes more than to start an utterance: `OVER_SPEECH` frames of speech among the
last `OVER_WINDOW`, so that a cough or a door does not silence the agent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import webrtcvad

from pipeline.wire.records import BYTES_PER_MS, SAMPLE_RATE_HZ

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
CHUNK_BYTES = 100 * BYTES_PER_MS

PRE_ROLL_MS = 200
START_WINDOW = 6
START_SPEECH = 4
END_SILENCE_MS = 600
LONGEST_MS = 20_000
OVER_WINDOW = 15
OVER_SPEECH = 10

_VAD_AGGRESSIVENESS = 2

IsVoiced = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller has begun to speak; utterances of a session count from 1."""

    utterance: int


@dataclass(frozen=True, slots=True)
class SpeechContinues:
    """The caller is speaking at this moment, and has been for long enough to mean it."""

    utterance: int


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """100 ms of an utterance; the last one may be shorter, or empty."""

    utterance: int
    pcm: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The caller has paused; `speech_ms` lie between the first and the last frame of speech."""

    utterance: int
    speech_ms: int


SpeechEvent = SpeechStarted | SpeechContinues | SpeechChunk | SpeechEnded


def new_vad() -> IsVoiced:
    """The VAD of WebRTC for frames of 20 ms at 16 kHz. It adapts to its input: one for each session."""
    vad = webrtcvad.Vad(_VAD_AGGRESSIVENESS)
    return lambda frame: bool(vad.is_speech(frame, SAMPLE_RATE_HZ))


class UtteranceDetector:
    """The state of one session's speech."""

    def __init__(self, is_voiced: IsVoiced) -> None:
        self._is_voiced = is_voiced
        self._voiced_before = False
        self._recent: deque[tuple[bytes, bool]] = deque(maxlen=PRE_ROLL_MS // FRAME_MS + START_WINDOW)
        self._count = 0
        self._open: _Utterance | None = None

    def feed(self, frame: bytes) -> Iterator[SpeechEvent]:
        """What one frame of `FRAME_BYTES` brings about."""
        speech = self._is_speech(frame)
        if self._open is None:
            self._recent.append((frame, speech))
            yield from self._start_if_speaking()
        else:
            yield from self._open.add(frame, speech=speech)
            if self._open.silence_ms >= END_SILENCE_MS or self._open.length_ms >= LONGEST_MS:
                yield from self.finish()

    def finish(self) -> Iterator[SpeechEvent]:
        """End the open utterance, if there is one: the audio has ended, or stopped for a while."""
        if self._open is not None:
            yield from self._open.end()
            self._open = None

    def _is_speech(self, frame: bytes) -> bool:
        voiced = self._is_voiced(frame)
        speech = voiced and self._voiced_before
        self._voiced_before = voiced
        return speech

    def _start_if_speaking(self) -> Iterator[SpeechEvent]:
        window = list(self._recent)[-START_WINDOW:]
        if sum(speech for _, speech in window) < START_SPEECH:
            return
        self._count += 1
        self._open = _Utterance(self._count)
        yield SpeechStarted(self._count)
        for frame, speech in self._recent:
            yield from self._open.add(frame, speech=speech)
        # An utterance that was cut for its length goes on as a new one, without its end once more.
        self._recent.clear()


class _Utterance:
    """The open utterance: what of it is not yet handed out, and how long it has been silent."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._pcm = bytearray()
        self._lately: deque[bool] = deque(maxlen=OVER_WINDOW)
        self._first_speech_ms: int | None = None
        self._last_speech_ms = 0
        self.length_ms = 0

    @property
    def silence_ms(self) -> int:
        return self.length_ms - self._last_speech_ms

    def add(self, frame: bytes, *, speech: bool) -> Iterator[SpeechContinues | SpeechChunk]:
        self._lately.append(speech)
        if speech and sum(self._lately) >= OVER_SPEECH:
            yield SpeechContinues(self._number)
        if speech:
            if self._first_speech_ms is None:
                self._first_speech_ms = self.length_ms
            self._last_speech_ms = self.length_ms + FRAME_MS
        self.length_ms += FRAME_MS
        self._pcm += frame
        if len(self._pcm) >= CHUNK_BYTES:
            yield SpeechChunk(self._number, bytes(self._pcm), last=False)
            self._pcm.clear()

    def end(self) -> Iterator[SpeechEvent]:
        yield SpeechChunk(self._number, bytes(self._pcm), last=True)
        yield SpeechEnded(self._number, self._last_speech_ms - (self._first_speech_ms or 0))
