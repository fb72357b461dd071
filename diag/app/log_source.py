"""Where log lines come from: files, the nodes of a cluster, or Cloud Logging."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diag.app.pod_logs import open_pod_logs, reads_pods
from diag.app.request import Request
from diag.errors import UsageError
from diag.model.catalogue import Catalogue
from diag.model.queries import LogSource
from diag.model.records import POD_LOGS
from diag.sources.files import Files, NarrowedFiles

if TYPE_CHECKING:
    from diag.sources.cloud_logging import CloudLogging

_MOST_READ = 32 << 20
"""Bytes of files that are read as a whole; of more one session's lines are searched for."""


def open_source(request: Request, catalogue: Catalogue) -> LogSource:
    """The files that are given, else the nodes or Cloud Logging; raises `UsageError` where none is named."""
    if request.files:
        return Files(request.files, request.progress)
    if reads_pods(request):
        return open_pod_logs(request, catalogue)
    return open_live(request, catalogue)


def open_narrowed(request: Request, catalogue: Catalogue) -> LogSource:
    """The same for one session: files that are too much to be read for it are searched."""
    source = open_source(request, catalogue)
    if isinstance(source, Files) and (large := source.split_large(_MOST_READ)):
        return NarrowedFiles(source, large, catalogue, request.progress)
    return source


def open_live(request: Request, catalogue: Catalogue) -> CloudLogging:
    """Cloud Logging, not yet asked for anything; raises `UsageError` where no project is named."""
    if not request.settings.logging.project:
        raise UsageError(
            "nothing to read: no log files were given and no project is known",
            hint="give FILE or -, or --project, or a kubeconfig whose context is a GKE one",
        )
    from diag.sources.cloud_logging import CloudLogging

    return CloudLogging(request.settings.logging, request.settings.cluster, catalogue, request.progress)


def sees_others(source: LogSource) -> bool:
    """Whether every line around the session was read, whoever wrote it."""
    if source.coverage().source == POD_LOGS:
        return True
    return isinstance(source, Files) or (isinstance(source, NarrowedFiles) and not source.chose)
