"""Settings of the TTS service."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.wire.environment import Environment, Listen
from pipeline.wire.flite import VOICES

SERVICE = "tts-service"


@dataclass(frozen=True, slots=True)
class Settings:
    """Attributes: `listen` (HOST, PORT), `voice` (TTS_VOICE) where a request names none."""

    listen: Listen
    voice: str


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(environment.read_listen(), environment.read_choice("TTS_VOICE", "rms", VOICES))
