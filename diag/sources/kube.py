"""The Kubernetes side: for now what the kubeconfig's context says of the cluster."""

from __future__ import annotations

from dataclasses import dataclass

_GKE_PARTS = 4


@dataclass(frozen=True, slots=True)
class GkeContext:
    """What a context of the form ``gke_PROJECT_LOCATION_CLUSTER`` names."""

    project: str
    location: str
    cluster: str
    namespace: str


def find_gke_context() -> GkeContext | None:
    """The current context, if there is a kubeconfig and its context is one of GKE's."""
    from kubernetes import config  # noqa: PLC0415  a quarter of a second, only where it is asked
    from kubernetes.config.config_exception import ConfigException  # noqa: PLC0415  as above
    from yaml import YAMLError  # noqa: PLC0415  as above

    try:
        _, current = config.list_kube_config_contexts()  # type: ignore[no-untyped-call]  # it has no types
    except (ConfigException, OSError, TypeError, ValueError, AttributeError, YAMLError):
        return None  # there is none, or what stands there is no kubeconfig
    if not isinstance(current, dict):
        return None
    parts = str(current.get("name", "")).split("_")
    if len(parts) != _GKE_PARTS or parts[0] != "gke":
        return None
    namespace = (current.get("context") or {}).get("namespace") or ""
    return GkeContext(parts[1], parts[2], parts[3], str(namespace))
