"""The tunnel that the cluster opens, for the broker to be read through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diag.errors import SourceError

if TYPE_CHECKING:
    from diag.model.settings import Settings
    from diag.model.tunnel import Tunnel


def find_tunnel(settings: Settings) -> Tunnel | None:
    """The way to the broker that the settings name, not yet gone; None: straight.

    Raises `SourceError` where the cluster that is meant is not among those of the kubeconfig. Reads files
    and loads a client: half a second that belongs into a thread.
    """
    if not settings.kafka.via:
        return None
    from diag.sources.kube.port_forward import PortForward

    return PortForward(settings.kubernetes, _find_context(settings), settings.cluster.namespaces)


def _find_context(settings: Settings) -> str:
    """The context to use, empty for the current one. Another cluster's broker would be worse than none."""
    from diag.sources.kube import find_fitting, find_gke_context, runs_in_cluster

    context = settings.kubernetes.context or find_fitting(settings)
    if context or settings.kubernetes.is_named or runs_in_cluster():
        return context
    if settings.cluster.name or (settings.logging.project and find_gke_context(settings.kubernetes)):
        named = settings.cluster.name or f"project {settings.logging.project}"
        raise SourceError(
            f"kafka.via: the kubeconfig has no context for {named}",
            hint="name one with --context, or gcloud container clusters get-credentials",
        )
    return ""
