"""What a stack is to be made of."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.local.back_off import RestartPolicy
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
        ready_s: how long each part may take to be ready.
    """

    folder: Path = DEFAULT_FOLDER
    topics: tuple[Topic, ...] = STANDING_TOPICS
    services: tuple[Service, ...] = SERVICES
    bootstrap: str | None = None
    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    ready_s: float = 60.0


def plan_from_environment(folder: Path, topics: tuple[Topic, ...] = STANDING_TOPICS) -> Plan:
    """The plan of a whole stack; ``KAFKA_BOOTSTRAP`` names a broker to use instead of an own one."""
    return Plan(folder, topics, bootstrap=os.environ.get("KAFKA_BOOTSTRAP") or None)
