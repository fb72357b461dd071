"""Pods, their clocks, and the topics: the stage on which sessions play."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.accuracy.truth import NS_PER_S, Pod

BEGIN_NS = 1_753_700_000 * NS_PER_S
"""2025-07-28T10:53:20Z, the days of the reference system."""

ERAS = ("A", "B", "C", "fixed")
ERA_WEIGHTS = (20, 20, 35, 25)
REPLICAS = {
    "frontend-gateway": 2,
    "media-server": 2,
    "orchestrator": 3,
    "stt-service": 2,
    "llm-service": 2,
    "tts-service": 2,
    "logging-service": 1,
}
BROKERS = 3

MOST_AHEAD_NS = 5 * NS_PER_S
MOST_DRIFT_PPM = 20.0
MOST_LOSS = 0.05


@dataclass(slots=True)
class Socket:
    """One WebSocket of one pod, with what was bound to it and when; `closed_ns` 0 while open."""

    pod: Pod
    connection: str
    opened_ns: int
    owner: int
    bound: list[tuple[int, str]] = field(default_factory=list)
    closed_ns: int = 0

    def bound_at(self, true_ns: int) -> str:
        """The session ID that it stood for at a time."""
        return next((text for since, text in reversed(self.bound) if since <= true_ns), "")

    def is_open(self, true_ns: int) -> bool:
        """Whether a client was there."""
        return self.opened_ns <= true_ns and not (self.closed_ns and self.closed_ns <= true_ns)


@dataclass(slots=True)
class Cluster:
    """All pods by service and era; the brokers serve every era."""

    pods: dict[tuple[str, str], tuple[Pod, ...]]
    brokers: tuple[Pod, ...]
    sockets: dict[str, list[Socket]] = field(default_factory=dict)

    def pick(self, rng: random.Random, service: str, era: str) -> Pod:
        """The replica that a load balancer gives."""
        return rng.choice(self.pods[service, era])

    def all_pods(self) -> tuple[Pod, ...]:
        """Every pod of every era, brokers last."""
        return (*(pod for pods in self.pods.values() for pod in pods), *self.brokers)


def build_cluster(rng: random.Random) -> Cluster:
    """Every era's deployments at once, as during a long canary."""
    pods = {
        (service, era): tuple(_replicas(rng, service, era, count))
        for era in ERAS
        for service, count in REPLICAS.items()
    }
    brokers = tuple(_build_pod(rng, f"redpanda-{n}", "redpanda", "") for n in range(BROKERS))
    return Cluster(pods, brokers)


def _replicas(rng: random.Random, service: str, era: str, count: int) -> Iterator[Pod]:
    template = f"{rng.getrandbits(40):010x}"
    for _ in range(count):
        tail = "".join(rng.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))
        yield _build_pod(rng, f"{service}-{template}-{tail}", service, era)


def _build_pod(rng: random.Random, name: str, service: str, era: str) -> Pod:
    return Pod(
        name=name,
        service=service,
        era=era,
        ahead_ns=rng.randint(-MOST_AHEAD_NS, MOST_AHEAD_NS),
        drift_ppm=rng.uniform(-MOST_DRIFT_PPM, MOST_DRIFT_PPM),
        since_ns=BEGIN_NS,
        loss=rng.uniform(0, MOST_LOSS),
    )
