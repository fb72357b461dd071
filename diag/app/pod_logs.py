"""When lines are read from the cluster's nodes, and not from the log service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from diag.app.cluster import CLOUD_LOGGING, Cluster, find_context
from diag.app.entries import Entries
from diag.app.request import Request
from diag.errors import SettingsError
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.queries import LogSource
from diag.model.records import POD_LOGS
from diag.normalise.services import ServiceNames

if TYPE_CHECKING:
    from diag.sources.kube.logs import PodLogs

KUBERNETES = "kubernetes"
_INSTEAD = "the logs of the pods were read from their nodes instead"


def reads_pods(request: Request) -> bool:
    """Whether the nodes are asked first: by the settings, or because no log service is known."""
    chosen = request.settings.logging.source
    if chosen not in ("", CLOUD_LOGGING, KUBERNETES):
        raise SettingsError(
            f"logging.source {chosen!r} is no source of lines", hint=f"{CLOUD_LOGGING} or {KUBERNETES}"
        )
    if request.files or chosen == CLOUD_LOGGING:
        return False
    return chosen == KUBERNETES or (not request.settings.logging.project and request.names_cluster)


def open_pod_logs(request: Request, catalogue: Catalogue) -> PodLogs:
    """The logs of the known services' pods, not yet asked for."""
    from diag.sources.kube.logs import PodLogs

    names = ServiceNames(catalogue)
    return PodLogs(
        request.settings.kubernetes,
        find_context(request) or "",
        request.settings.cluster.namespaces,
        lambda pod: bool(names.resolve(pod)),
        request.progress,
    )


def is_needed_instead(request: Request, entries: Entries, cluster: Cluster) -> bool:
    """Whether the log service had nothing of a window in which the cluster may have."""
    return (
        not request.files
        and not request.settings.logging.source
        and not entries.interrupted
        and entries.frame.is_empty()
        and entries.coverage().source != POD_LOGS
        and cluster.has_pods
    )


def are_needed_instead(request: Request, source: LogSource, entries: int) -> bool:
    """Whether the log service had nothing of a window, and a cluster is named whose pods may have."""
    return (
        not request.files
        and not request.settings.logging.source
        and not entries
        and request.names_cluster
        and source.coverage().source != POD_LOGS
    )


def explain_instead(source: SourceCoverage, *, narrowed: bool = False) -> SourceCoverage:
    """The account of the log service, of which the nodes took the place.

    Of a service that could not be asked, or was asked for a part alone, nobody knows that it has none.
    """
    why = "no entry of the window is there"
    if source.state is State.FAILED:
        why = "it could not be read"
    elif narrowed:
        why = "no entry of the window is what --where asks for"
    return replace(source, got=f"no entries, {source.got}", notes=(*source.notes, f"{why}: {_INSTEAD}"))
