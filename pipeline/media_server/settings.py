"""Settings of the media server."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.wire.environment import Environment, Kafka, Listen

SERVICE = "media-server"


@dataclass(frozen=True, slots=True)
class Settings:
    """Attributes: `listen` (HOST, PORT), `kafka` (KAFKA_BOOTSTRAP, POD_NAME)."""

    listen: Listen
    kafka: Kafka


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(environment.read_listen(), environment.read_kafka(SERVICE))
