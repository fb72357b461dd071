"""What services write without any caller: starts, idle polls, health checks, the broker's own lines."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.accuracy.cluster import BEGIN_NS, Cluster
from tests.accuracy.truth import NS_PER_S, Line, Pod

_STARTS = {
    ("media-server", "ref"): "Starting Voice Agent Media Server (Phase 2)...",
    ("orchestrator", "ref"): "Starting Voice Agent Orchestrator (Phase 2) with gRPC support...",
    ("logging-service", "ref"): "Logging service started successfully",
    ("stt-service", "fixed"): "Service started",
    ("llm-service", "fixed"): "Service started",
    ("tts-service", "fixed"): "Service started",
    ("media-server", "fixed"): "Service started",
    ("orchestrator", "fixed"): "Service started",
}
_BROKER_TEXTS = (
    "INFO  2025-07-28 10:53:20,004 [shard 0] raft - consensus.cc:1234 - [group_id:1] becoming leader",
    "INFO  2025-07-28 10:53:20,811 [shard 0] storage - segment.cc:784 - creating new segment",
    "WARN  2025-07-28 10:53:21,377 [shard 0] kafka - connection_context.cc:92 - request took long",
)
_IDLE_S = 31
_HEALTH_S = 60


def tell_background(rng: random.Random, cluster: Cluster, end_ns: int) -> list[Line]:
    """Every pod's own lines until the last session's end."""
    return [line for pod in cluster.all_pods() for line in _tell_pod(rng, pod, end_ns)]


def _tell_pod(rng: random.Random, pod: Pod, end_ns: int) -> Iterator[Line]:
    begin = BEGIN_NS - rng.randint(60, 300) * NS_PER_S
    start = _STARTS.get((pod.service, "fixed" if pod.era == "fixed" else "ref"))
    if start:
        yield _line(pod, begin, start, "info")
    if pod.service == "orchestrator":
        error = "fetching message: context deadline exceeded"
        for at in range(begin + NS_PER_S, end_ns, _IDLE_S * NS_PER_S):
            yield _line(pod, at + rng.randrange(NS_PER_S), "Failed to consume audio", "error", error=error)
    elif pod.service == "logging-service" and pod.era != "fixed":
        error = "fetching message: context deadline exceeded"
        for at in range(begin + NS_PER_S, end_ns, _IDLE_S * NS_PER_S):
            yield _line(pod, at, "Error reading message", "error", topic="stt-results", error=error)
    elif pod.service == "redpanda":
        for at in range(begin, end_ns, _HEALTH_S * NS_PER_S):
            yield _line(pod, at + rng.randrange(NS_PER_S), rng.choice(_BROKER_TEXTS), "", text=True)
    elif pod.service in ("stt-service", "tts-service", "llm-service"):
        for at in range(begin, end_ns, _HEALTH_S * NS_PER_S):
            text = f'INFO:     10.8.0.1:{rng.randint(30000, 60000)} - "GET /health HTTP/1.1" 200 OK'
            yield _line(pod, at + rng.randrange(NS_PER_S), text, "", text=True)


def _line(pod: Pod, at: int, message: str, level: str, *, text: bool = False, **fields: object) -> Line:
    return Line(at, pod, message, level, {}, dict(fields), "", None, (), text)
