"""Settings of the STT service."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.wire.environment import Environment, Listen

SERVICE = "stt-service"


@dataclass(frozen=True, slots=True)
class Settings:
    """Attributes: `listen` (HOST, PORT)."""

    listen: Listen


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(environment.read_listen())
