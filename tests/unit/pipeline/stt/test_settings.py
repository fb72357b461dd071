"""Settings of the STT service."""

from __future__ import annotations

from pipeline.stt.settings import Settings, read_settings
from pipeline.wire.environment import Environment, Listen


def test_settings_come_from_the_environment() -> None:
    """It needs nothing but a port."""
    assert read_settings(Environment({"PORT": "1", "HOST": "127.0.0.2"})) == Settings(Listen("127.0.0.2", 1))
