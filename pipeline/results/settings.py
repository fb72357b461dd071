"""Settings of the results service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.wire.environment import Environment, Kafka, Listen, SettingsError

SERVICE = "results"
_MOST_HOURS = 24 * 365


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service is told.

    Attributes:
        listen: HOST, PORT.
        kafka: KAFKA_BOOTSTRAP, POD_NAME.
        folder: where the stored records are (STATE_DIR), made if it is missing.
        retention: how long they are kept (RETENTION_HOURS). By default a day, as the topics keep theirs:
            a service that has lost its folder is then soon as it was.
    """

    listen: Listen
    kafka: Kafka
    folder: Path
    retention: timedelta


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(
        listen=environment.read_listen(),
        kafka=environment.read_kafka(SERVICE),
        folder=Path(environment.read_text("STATE_DIR")),
        retention=_read_retention(environment.read_text("RETENTION_HOURS", "24")),
    )


def _read_retention(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_HOURS):
        raise SettingsError(f"RETENTION_HOURS={text!r} is not a number of hours up to {_MOST_HOURS}")
    return timedelta(hours=int(text))
