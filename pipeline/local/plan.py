"""What a stack is to be made of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.local.back_off import RestartPolicy
from pipeline.local.cloud_logging.switches import list_switches
from pipeline.local.kafka_admin import STANDING_TOPICS, Topic
from pipeline.local.services import SERVICES, Service
from pipeline.local.state import DEFAULT_FOLDER


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        folder: the stack's folder.
        topics: those to create.
        services: those to run.
        bootstrap: a broker to use; None to start one.
        restarts: the restart policy of all containers.
        switches: of the logging server, as variables of its environment.
        ready_s: how long each part may take to be ready.
    """

    folder: Path = DEFAULT_FOLDER
    topics: tuple[Topic, ...] = STANDING_TOPICS
    services: tuple[Service, ...] = SERVICES
    bootstrap: str | None = None
    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    switches: Mapping[str, str] = field(default_factory=dict)
    ready_s: float = 60.0


def plan_from_environment(folder: Path, topics: tuple[Topic, ...] = STANDING_TOPICS) -> Plan:
    """The plan of a whole stack.

    ``KAFKA_BOOTSTRAP`` names a broker to use instead of an own one, ``LOGGING_LATENCY_S`` and the like are
    switches of the logging server.
    """
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP") or None
    return Plan(folder, topics, bootstrap=bootstrap, switches=dict(_read_switches(os.environ)))


def _read_switches(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in map(str.upper, list_switches()):
        text = variables.get(f"LOGGING_{name}", "")
        if text:
            yield name, text
