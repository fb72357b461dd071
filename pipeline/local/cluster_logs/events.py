"""One event of the cluster -> one entry, as the event exporter of GKE makes it. Pure.

Facts: GoogleCloudPlatform/k8s-stackdriver, ``event-exporter/sinks/stackdriver``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from pipeline.local.cluster_logs.origin import Origin
from pipeline.local.pods import read_deployment

# an event that comes again is an entry each time: how often, and since when, is not in them
_LEFT_OUT = ("count", "firstTimestamp")

Event = Mapping[str, Any]


def build_event_entry(event: Event, origin: Origin) -> dict[str, Any]:
    """The entry in REST form."""
    metadata = event["metadata"]
    payload = {name: value for name, value in event.items() if name not in _LEFT_OUT}
    version = f"{metadata['uid']} {metadata['resourceVersion']}"
    return {
        "logName": f"projects/{origin.project}/logs/events",
        "resource": _find_resource(event, origin),
        "severity": "WARNING" if event.get("type") == "Warning" else "INFO",
        "timestamp": _find_time(event),
        "insertId": hashlib.sha256(version.encode()).hexdigest()[:16],
        "labels": _find_labels(event),
        "jsonPayload": {"apiVersion": "v1", "kind": "Event", **payload},
    }


def _find_time(event: Event) -> str:
    """When it came last, to the second; what has come once may have only the time of the event."""
    series = event.get("series") or {}
    return str(
        event.get("lastTimestamp")
        or series.get("lastObservedTime")
        or event.get("eventTime")
        or event["metadata"]["creationTimestamp"]
    )


def _find_resource(event: Event, origin: Origin) -> dict[str, Any]:
    involved = event["involvedObject"]
    match involved.get("kind"):
        case "Pod" if involved.get("namespace") == event["metadata"]["namespace"]:
            return origin.pod_resource(involved["namespace"], involved["name"])
        case "Node":
            return origin.node_resource(involved["name"])
    return origin.cluster_resource()


def _find_labels(event: Event) -> dict[str, str]:
    """The controller of a pod, which its name tells."""
    involved = event["involvedObject"]
    deployment = read_deployment(involved["name"]) if involved.get("kind") == "Pod" else None
    if deployment is None:
        return {}
    return {
        "logging.gke.io/top_level_controller_name": deployment.name,
        "logging.gke.io/top_level_controller_type": "Deployment",
    }
