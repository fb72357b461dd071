"""Settings of the exporter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.local.cluster_logs.origin import Origin
from pipeline.wire.environment import Environment


@dataclass(frozen=True, slots=True)
class Settings:
    """What it reads and where it sends.

    Attributes:
        kubeconfig: of a user who may watch events (KUBECONFIG).
        audit_log: the file that the API server writes (AUDIT_LOG).
        endpoint: the Logging API, ``http://address:port`` (LOGGING_ENDPOINT).
        origin: GOOGLE_CLOUD_PROJECT, CLUSTER_LOCATION and CLUSTER_NAME.
    """

    kubeconfig: Path
    audit_log: Path
    endpoint: str
    origin: Origin


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(
        Path(environment.read_text("KUBECONFIG")),
        Path(environment.read_text("AUDIT_LOG")),
        environment.read_url("LOGGING_ENDPOINT"),
        Origin(
            project=environment.read_text("GOOGLE_CLOUD_PROJECT"),
            location=environment.read_text("CLUSTER_LOCATION"),
            cluster=environment.read_text("CLUSTER_NAME"),
        ),
    )
