"""Where entries come from, as monitored resources name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """The cluster."""

    project: str
    location: str
    cluster: str

    def cluster_resource(self) -> dict[str, Any]:
        """The cluster itself."""
        return self._resource("k8s_cluster")

    def node_resource(self, node: str) -> dict[str, Any]:
        """One of its nodes."""
        return self._resource("k8s_node", node_name=node)

    def pod_resource(self, namespace: str, pod: str) -> dict[str, Any]:
        """One of its pods."""
        return self._resource("k8s_pod", namespace_name=namespace, pod_name=pod)

    def _resource(self, type_: str, **labels: str) -> dict[str, Any]:
        where = {"project_id": self.project, "location": self.location, "cluster_name": self.cluster}
        return {"type": type_, "labels": where | labels}
