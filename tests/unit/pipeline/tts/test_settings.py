"""Settings of the TTS service."""

from __future__ import annotations

import pytest

from pipeline.tts.settings import Settings, read_settings
from pipeline.wire.environment import Environment, Listen, SettingsError


def test_settings_come_from_the_environment() -> None:
    """The voice has a default."""
    assert read_settings(Environment({"PORT": "1"})) == Settings(Listen("127.0.0.1", 1), "rms")
    assert read_settings(Environment({"PORT": "1", "TTS_VOICE": "slt"})).voice == "slt"


def test_only_16_khz_voices_are_allowed() -> None:
    """The voice kal speaks at 8 kHz, which nothing else here understands."""
    with pytest.raises(SettingsError, match="TTS_VOICE"):
        read_settings(Environment({"PORT": "1", "TTS_VOICE": "kal"}))
