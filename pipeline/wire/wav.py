"""PCM in and out of WAV: 16 kHz, mono, 16 bits, the one format that the services exchange."""

from __future__ import annotations

import io
import wave

from pipeline.wire.records import SAMPLE_RATE_HZ

_SAMPLE_BYTES = 2


class WavError(ValueError):
    """Not a WAV of the agreed format; the text says what is wrong, in words for the client."""


def to_wav(pcm: bytes) -> bytes:
    """`pcm` with a WAV header."""
    target = io.BytesIO()
    with wave.open(target, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(_SAMPLE_BYTES)
        writer.setframerate(SAMPLE_RATE_HZ)
        writer.writeframes(pcm)
    return target.getvalue()


def read_wav(data: bytes) -> bytes:
    """The PCM of a WAV; raises `WavError`."""
    try:
        with wave.open(io.BytesIO(data)) as reader:
            form = (reader.getframerate(), reader.getnchannels(), reader.getsampwidth())
            pcm: bytes = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError) as error:
        raise WavError(f"not a PCM WAV file: {error or 'it ends too early'}") from error
    if form != (SAMPLE_RATE_HZ, 1, _SAMPLE_BYTES):
        given = f"{form[0]} Hz, {form[1]} channels, {8 * form[2]} bits"
        raise WavError(f"{given}: {SAMPLE_RATE_HZ} Hz, mono, 16 bits expected")
    return pcm[: len(pcm) // _SAMPLE_BYTES * _SAMPLE_BYTES]
