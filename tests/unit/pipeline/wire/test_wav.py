"""WAV: one format, and every other one is refused in words."""

from __future__ import annotations

import io
import wave

import pytest

from pipeline.wire.wav import WavError, read_wav, to_wav


def _wav(rate: int, channels: int, width: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as writer:
        writer.setparams((channels, width, rate, 0, "NONE", ""))
        writer.writeframes(bytes(width * channels * 4))
    return target.getvalue()


def test_pcm_survives() -> None:
    """What one service packs, the next one unpacks."""
    assert read_wav(to_wav(b"\x01\x02\x03\x04")) == b"\x01\x02\x03\x04"


@pytest.mark.parametrize("form", [(8000, 1, 2), (16000, 2, 2), (16000, 1, 1)])
def test_another_format_is_refused(form: tuple[int, int, int]) -> None:
    """The error says which one it is."""
    with pytest.raises(WavError, match=f"{form[0]} Hz, {form[1]} channels, {8 * form[2]} bits"):
        read_wav(_wav(*form))


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"no WAV at all", to_wav(b"ab")[:30], b"RIFF\x00\x00\x00\x00WAVE"]
)
def test_what_is_no_wav_is_refused(data: bytes) -> None:
    """Truncated or something else altogether."""
    with pytest.raises(WavError, match="not a PCM WAV file"):
        read_wav(data)


def test_a_cut_file_ends_at_a_whole_sample() -> None:
    """Half a sample at the end is left out."""
    assert read_wav(to_wav(b"abcd")[:-1]) == b"ab"
