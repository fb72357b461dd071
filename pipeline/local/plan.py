"""What a stack is to be made of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.local.back_off import RestartPolicy
from pipeline.local.cloud_logging.switches import list_switches
from pipeline.local.kafka_admin import ALL_TOPICS, STANDING_TOPICS, Topic
from pipeline.local.services import ORCHESTRATOR, SERVICES, Service, replicate
from pipeline.local.state import DEFAULT_FOLDER
from pipeline.wire.records import AUDIO_IN

# so that a rebalance can share them out evenly
PARTITIONS_EACH = 2


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
        wanted: the topics that should be there, whatever of them is created.
    """

    folder: Path = DEFAULT_FOLDER
    topics: tuple[Topic, ...] = STANDING_TOPICS
    services: tuple[Service, ...] = SERVICES
    bootstrap: str | None = None
    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    switches: Mapping[str, str] = field(default_factory=dict)
    ready_s: float = 60.0
    wanted: tuple[Topic, ...] = ALL_TOPICS


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


def with_replicas(plan: Plan, counts: Mapping[str, int]) -> Plan:
    """`plan` with several replicas of some services, and partitions for each orchestrator; `StackError`."""
    orchestrators = counts.get(ORCHESTRATOR, 1)

    def share_out(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
        several = 1 if orchestrators == 1 else PARTITIONS_EACH * orchestrators
        return tuple(
            replace(topic, partitions=several) if topic.name == AUDIO_IN else topic for topic in topics
        )

    return replace(
        plan,
        services=replicate(plan.services, counts),
        topics=share_out(plan.topics),
        wanted=share_out(plan.wanted),
    )
