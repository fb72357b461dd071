"""One line of a container's log file -> one log entry, as the agent of GKE makes it. Pure.

A JSON object becomes ``jsonPayload``, anything else ``textPayload``. The pieces of a line that the
runtime has cut are not joined: each becomes an entry, and since a piece of JSON is no JSON, a text.
Facts: GKE, "About GKE logs"; Cloud Logging, "Structured logging" and "Quotas and limits".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.local.cri import CriLine, read_pod
from pipeline.local.log_agent.severity import BY_STREAM
from pipeline.local.log_agent.special_fields import parse_time, promote
from pipeline.local.pods import Pod, read_deployment

# an entry may have 256 KiB; this leaves room for its labels and resource
LARGEST_PAYLOAD_BYTES = 252 * 1024
# protobuf parsers refuse more than 100 levels, and JSON in a Struct takes three a level
DEEPEST_PAYLOAD = 30

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FILE_CHARS, _OFFSET_CHARS = 9, 7


@dataclass(frozen=True, slots=True)
class Node:
    """Where the agent runs."""

    project: str
    cluster: str
    location: str
    name: str


@dataclass(frozen=True, slots=True)
class LogFile:
    """What is the same for all entries of one log file."""

    resource: dict[str, Any]
    labels: dict[str, str]
    log_prefix: str
    insert_prefix: str


def describe_file(path: Path, node: Node) -> LogFile | None:
    """What the path of a log file says; None for a file that is no container's."""
    pod = read_pod(path)
    if pod is None:
        return None
    resource_labels = {
        "project_id": node.project,
        "location": node.location,
        "cluster_name": node.cluster,
        "namespace_name": pod.namespace,
        "pod_name": pod.name,
        "container_name": pod.container,
    }
    key = "/".join(path.parts[-3:])  # not the folders above: they differ from stack to stack
    return LogFile(
        {"type": "k8s_container", "labels": resource_labels},
        _describe_pod(pod, node),
        f"projects/{node.project}/logs/",
        _to_digits(int.from_bytes(hashlib.sha256(key.encode()).digest()), _FILE_CHARS),
    )


def build_entry(file: LogFile, offset: int, line: CriLine) -> dict[str, Any] | None:
    """The entry of `line`, which begins at byte `offset` of its file, in REST form.

    None where Cloud Logging would not take it: a JSON payload over the limit is dropped, while a
    text is cut.
    """
    content = line.piece.content
    entry: dict[str, Any] = {
        "logName": file.log_prefix + line.stream,
        "resource": file.resource,
        "severity": BY_STREAM[line.stream],
        "timestamp": parse_time(line.time),
        "insertId": file.insert_prefix + _to_digits(offset, _OFFSET_CHARS),
        "labels": file.labels,
    }
    payload = _read_object(content)
    if payload is None:
        text = content[:LARGEST_PAYLOAD_BYTES].decode("utf-8", "replace")
        return entry | {"textPayload": text}
    if len(content) > LARGEST_PAYLOAD_BYTES:
        return None
    promoted = promote(payload)
    labels = file.labels | promoted.pop("labels", {})
    return entry | promoted | {"labels": labels} | _to_payload(payload)


def _to_payload(payload: dict[str, Any]) -> dict[str, Any]:
    """A message that stands alone is a text, whatever it was written in."""
    message = payload.get("message")
    if len(payload) == 1 and isinstance(message, str):
        return {"textPayload": message}
    return {"jsonPayload": payload}


def _read_object(content: bytes) -> dict[str, Any] | None:
    """The JSON object that the line is, if it is one that can be stored."""
    if not content.lstrip().startswith(b"{"):
        return None
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and is_shallow(value) else None


def is_shallow(value: dict[str, Any]) -> bool:
    """Whether no more than `DEEPEST_PAYLOAD` objects and arrays stand in one another."""
    level: list[Any] = [value]
    for _ in range(DEEPEST_PAYLOAD):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return True
    return False


def _describe_pod(pod: Pod, node: Node) -> dict[str, str]:
    labels = {"compute.googleapis.com/resource_name": node.name}
    deployment = read_deployment(pod.name)
    if deployment is None:
        return labels
    return labels | {
        "k8s-pod/app": deployment.name,
        "k8s-pod/pod-template-hash": deployment.template_hash,
        "logging.gke.io/top_level_controller_name": deployment.name,
        "logging.gke.io/top_level_controller_type": "Deployment",
    }


def _to_digits(number: int, width: int) -> str:
    """The last `width` digits to the base 36: sorted as text they are sorted as numbers."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
