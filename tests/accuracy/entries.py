"""Lines -> LogEntry objects as Cloud Logging returns them for GKE containers, duplicates included."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from tests.accuracy.truth import NS_PER_MS, NS_PER_S, Line, World

_PROJECT = "projects/p"
_STDERR = ("orchestrator", "logging-service")
_REDELIVERED = 0.01
_KEYS = {"session": "sessionID", "connection": "connID", "turn": "turnID"}
_FIXED_KEYS = {"session": "session_id", "connection": "connection_id", "turn": "turn_id"}
_MAPPING_KEYS = {"media": "mediaSessionID", "frontend": "frontendSessionID"}
_PYTHON = ("stt-service", "llm-service", "tts-service", "frontend-gateway")


def to_entries(world: World) -> list[dict[str, Any]]:
    """Every line that survived, by the clock of its pod; some come twice, later, as sinks deliver."""
    rng = random.Random(f"accuracy/{world.seed}/entries")
    entries = [_to_entry(line, rng) for line in world.lines if line.survived]
    again = [entry for entry in entries if rng.random() < _REDELIVERED]
    entries.sort(key=lambda entry: (entry["timestamp"], entry["insertId"]))
    return [*entries, *again]


def _to_entry(line: Line, rng: random.Random) -> dict[str, Any]:
    pod = line.pod
    received = line.true_ns + rng.randint(2900, 4500) * NS_PER_MS
    stream = "stderr" if pod.service in _STDERR and pod.era != "fixed" else "stdout"
    entry: dict[str, Any] = {
        "logName": f"{_PROJECT}/logs/{stream}",
        "insertId": line.insert_id,
        "timestamp": _format(pod.clock(line.true_ns)),
        "receiveTimestamp": _format(received),
        "severity": "ERROR" if stream == "stderr" else "INFO",
        "resource": {
            "type": "k8s_container",
            "labels": {
                "project_id": "p",
                "location": "europe-west1",
                "cluster_name": "voice",
                "namespace_name": "voice",
                "pod_name": pod.name,
                "container_name": pod.service,
            },
        },
        "labels": {"k8s-pod/app": pod.service},
    }
    if line.trace:
        entry["trace"] = f"{_PROJECT}/traces/{line.trace}"
    if line.text:
        return {**entry, "textPayload": line.message}
    if pod.era == "fixed" or pod.service == "frontend-gateway":
        entry["severity"] = line.level.upper()
    return {**entry, "jsonPayload": _to_payload(line)}


def _to_payload(line: Line) -> dict[str, Any]:
    fixed = line.pod.era == "fixed" or line.pod.service in _PYTHON
    keys = {**(_FIXED_KEYS if fixed else _KEYS), **_MAPPING_KEYS}
    named = {keys[role]: text for role, text in line.ids.items()}
    if fixed:
        return {"message": line.message, "service": line.pod.service, **named, **line.fields}
    return {"level": line.level, "msg": line.message, **named, **line.fields}


def _format(time_ns: int) -> str:
    """RFC 3339 with nanoseconds."""
    seconds, nanos = divmod(time_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"
