"""Settings of the log agent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.local.log_agent.entry import Node
from pipeline.wire.environment import Environment


@dataclass(frozen=True, slots=True)
class Settings:
    """What the agent reads, where it is and where it sends.

    Attributes:
        pods: the folder of the pods' logs (PODS_DIR).
        endpoint: the Logging API, ``http://address:port`` (LOGGING_ENDPOINT).
        node: GOOGLE_CLOUD_PROJECT, CLUSTER_NAME, CLUSTER_LOCATION and NODE_NAME.
    """

    pods: Path
    endpoint: str
    node: Node


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""
    return Settings(
        Path(environment.read_text("PODS_DIR")),
        environment.read_url("LOGGING_ENDPOINT"),
        Node(
            project=environment.read_text("GOOGLE_CLOUD_PROJECT"),
            cluster=environment.read_text("CLUSTER_NAME"),
            location=environment.read_text("CLUSTER_LOCATION"),
            name=environment.read_text("NODE_NAME"),
        ),
    )
