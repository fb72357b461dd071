"""What the STT service takes, and what it answers."""

from __future__ import annotations

import pytest

from pipeline.stt.core import Transcript, read_upload
from pipeline.wire.records import BYTES_PER_MS
from pipeline.wire.refusals import RequestRefusedError
from pipeline.wire.wav import to_wav


def test_a_wav_is_speech() -> None:
    """Its PCM, and how long it is."""
    speech = read_upload(to_wav(b"\x00\x10" * 24_000))

    assert (speech.audio_ms, speech.is_wordless) == (1500, False)


@pytest.mark.parametrize("ms", [0, 20])
def test_a_blink_is_too_short_for_a_word(ms: int) -> None:
    """No model need be asked."""
    assert read_upload(to_wav(b"\x00\x10" * (ms * BYTES_PER_MS // 2))).is_wordless


@pytest.mark.parametrize("sample", [b"\x00\x00", b"\x20\x00", b"\xe0\xff"])
def test_silence_holds_no_word(sample: bytes) -> None:
    """The model would find one in it all the same."""
    assert read_upload(to_wav(sample * 16_000)).is_wordless


@pytest.mark.parametrize(("upload", "error"), [(None, "no field named file"), (b"mp3", "not a PCM WAV file")])
def test_anything_else_is_refused_in_words(upload: bytes | None, error: str) -> None:
    """400, and why."""
    with pytest.raises(RequestRefusedError, match=error) as refused:
        read_upload(upload)
    assert refused.value.status == 400


def test_a_transcript_tells_its_model() -> None:
    """Beside the text and the times."""
    assert Transcript("hello", 1200, 150).to_body() == {
        "text": "hello",
        "audio_ms": 1200,
        "processing_ms": 150,
        "model": "pocketsphinx-en-us",
    }
