"""Which cluster a kubeconfig names. Nothing is asked of anybody."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diag.model.settings import KubernetesSettings, Settings

_GKE_PARTS = 4
_DEFAULT = "~/.kube/config"
_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class GkeContext:
    """What a context of the form ``gke_PROJECT_LOCATION_CLUSTER`` names."""

    project: str
    location: str
    cluster: str
    namespace: str

    @property
    def name(self) -> str:
        """As the kubeconfig calls it."""
        return f"gke_{self.project}_{self.location}_{self.cluster}"


def find_gke_context(settings: KubernetesSettings) -> GkeContext | None:
    """The context that is named, else the current one, if there is a kubeconfig and it is one of GKE's."""
    contexts = _read_contexts(find_kubeconfig(settings.kubeconfig))
    wanted = (one for one in contexts if settings.context in ("", one.get("name")))
    found = next(wanted, None)
    return None if found is None else _to_gke(found)


def find_fitting(settings: Settings) -> str:
    """The context of GKE's that is, or may be, the cluster that the settings name; empty if none is.

    The current one comes first. A cluster that nobody named fits the current one alone.
    """
    named, projects = settings.cluster, settings.logging.projects
    file = find_kubeconfig(settings.kubernetes.kubeconfig)
    contexts = [_to_gke(one) for one in _read_contexts(file)]
    for context in contexts if projects and named.names else contexts[:1]:
        if context is not None and all(
            not wanted or actual in wanted
            for wanted, actual in (
                (projects, context.project),
                (named.names, context.cluster),
                (named.locations, context.location),
            )
        ):
            return context.name
    return ""


def read_place(context: str) -> tuple[str, str, str] | None:
    """Project, location and name of the cluster that a context of GKE's form names; None of another one."""
    found = _to_gke({"name": context})
    return None if found is None else (found.project, found.location, found.cluster)


def name_cluster(settings: Settings) -> tuple[str, str, str] | None:
    """Project, location and name of the cluster that is meant; None where they are not all known.

    Of several that are named it is the one whose objects are read: the one that the context says.
    """
    named = settings.cluster
    places = settings.logging.projects, named.locations, named.names
    if not all(places):
        return None
    if all(len(one) == 1 for one in places):
        return places[0][0], places[1][0], places[2][0]
    wanted = settings.kubernetes.context or find_fitting(settings)
    return read_place(wanted) or (places[0][0], places[1][0], places[2][0])


def find_kubeconfig(named: str) -> str:
    """The files that the client reads: what is named, else the variable's, else the usual one."""
    return os.path.expanduser(named) if named else os.environ.get("KUBECONFIG") or _DEFAULT  # noqa: PTH111


def runs_in_cluster() -> bool:
    """Whether this process is a pod's, with an account of its own."""
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and _TOKEN.exists()


def _read_contexts(file: str) -> Iterator[Mapping[str, Any]]:
    """The contexts, the current one first; none where the file is missing or no kubeconfig."""
    if not any(os.path.exists(os.path.expanduser(one)) for one in file.split(os.pathsep)):  # noqa: PTH110, PTH111
        return
    from kubernetes import config  # noqa: PLC0415  a quarter of a second, only where it is asked
    from kubernetes.config.config_exception import ConfigException  # noqa: PLC0415  as above
    from yaml import YAMLError  # noqa: PLC0415  as above

    try:
        contexts, current = config.list_kube_config_contexts(file)  # type: ignore[no-untyped-call]  # no types
    except (ConfigException, OSError, TypeError, ValueError, AttributeError, YAMLError, RecursionError):
        return  # there is none, or what stands there is no kubeconfig
    rows = [current, *(one for one in contexts if one != current)]
    yield from (one for one in rows if isinstance(one, Mapping))


def _to_gke(context: Mapping[str, Any]) -> GkeContext | None:
    parts = str(context.get("name", "")).split("_")
    if len(parts) != _GKE_PARTS or parts[0] != "gke":
        return None
    namespace = (context.get("context") or {}).get("namespace") or ""
    return GkeContext(parts[1], parts[2], parts[3], str(namespace))
