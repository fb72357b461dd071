"""Settings of the logging server."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.wire.environment import Environment, Listen, SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server answers.

    Attributes:
        listen: where it listens (HOST, PORT).
        project: the only project that has entries (GOOGLE_CLOUD_PROJECT).
        reads_per_minute: the quota of read requests; 0 for none (READ_REQUESTS_PER_MINUTE). A real
            project has 60.
        ingestion_delay_s: how long after its arrival an entry can be read (INGESTION_DELAY_S). In a
            real project 3 to 5 seconds.
    """

    listen: Listen
    project: str
    reads_per_minute: int = 0
    ingestion_delay_s: float = 0.0


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(
        environment.read_listen(),
        environment.read_text("GOOGLE_CLOUD_PROJECT"),
        int(_read_number(environment, "READ_REQUESTS_PER_MINUTE")),
        _read_number(environment, "INGESTION_DELAY_S"),
    )


def _read_number(environment: Environment, name: str) -> float:
    text = environment.read_text(name, "0")
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise SettingsError(f"{name}={text!r} is not a number from 0 on")
    return number
