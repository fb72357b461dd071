"""What the TTS service takes."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.tts.core import Order, read_order
from pipeline.wire.refusals import RequestRefusedError


def test_the_voice_has_a_default() -> None:
    """Named or not."""
    assert read_order({"text": "hello"}, "rms") == Order("hello", "rms")
    assert read_order({"text": "hello", "voice": "slt"}, "rms") == Order("hello", "slt")


def test_control_characters_become_spaces() -> None:
    """They would be read aloud, or worse."""
    assert read_order({"text": "a\x00b\nc"}, "rms").text == "a b c"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"text": ""}, 400),
        ({"text": " .!? "}, 400),
        ({"text": 7}, 400),
        ({"text": "x" * 501}, 413),
        ({"text": "hello", "voice": "kal"}, 400),
        ({"text": "hello", "voice": "/etc/voice.flitevox"}, 400),
        ({"text": "hello", "voice": ["rms"]}, 400),
    ],
)
def test_anything_else_is_refused(fields: dict[str, Any], status: int) -> None:
    """A voice that is not one of ours could be a path or a URL to flite."""
    with pytest.raises(RequestRefusedError) as refused:
        read_order(fields, "rms")
    assert refused.value.status == status
