"""Settings of the LLM service."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.wire.environment import Environment, Listen

SERVICE = "llm-service"


@dataclass(frozen=True, slots=True)
class Settings:
    """Attributes: `listen` (HOST, PORT), `model` (LLM_MODEL), the name it answers to."""

    listen: Listen
    model: str


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(environment.read_listen(), environment.read_text("LLM_MODEL", "restaurant-desk"))
