"""What is judged and said without I/O: uploads in, PCM out; transcripts in, answers out."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

from pipeline.wire.records import BYTES_PER_MS
from pipeline.wire.refusals import RequestRefusedError
from pipeline.wire.wav import WavError, read_wav

MODEL = "pocketsphinx-en-us"
LARGEST_BYTES = 2 * 1024 * 1024

# Shorter than any word
_SHORTEST_MS = 50
# Softer than this (of 32767) nothing was said; pocketsphinx makes a word of silence too.
_SOFTEST_PEAK = 100


@dataclass(frozen=True, slots=True)
class Speech:
    """An upload that can be transcribed."""

    pcm: bytes

    @property
    def audio_ms(self) -> int:
        """Its length."""
        return len(self.pcm) // BYTES_PER_MS

    @property
    def is_wordless(self) -> bool:
        """Whether it is too short, or too soft, to hold a word: the recogniser need not be asked."""
        samples = array("h", self.pcm)
        return self.audio_ms < _SHORTEST_MS or max(map(abs, samples)) < _SOFTEST_PEAK


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was understood; an empty text where nothing was."""

    text: str
    audio_ms: int
    processing_ms: int

    def to_body(self) -> dict[str, Any]:
        """The answer's JSON."""
        return {
            "text": self.text,
            "audio_ms": self.audio_ms,
            "processing_ms": self.processing_ms,
            "model": MODEL,
        }


def read_upload(upload: bytes | None) -> Speech:
    """The speech of the field ``file``; raises `RequestRefusedError` (400)."""
    if upload is None:
        raise RequestRefusedError(400, "the form has no field named file")
    try:
        return Speech(read_wav(upload))
    except WavError as error:
        raise RequestRefusedError(400, str(error)) from error
