"""Whether the cluster's logs go to Cloud Logging: asked of the GKE API, beside all else that is read."""

from __future__ import annotations

import asyncio
from functools import partial

from diag.app.request import Request
from diag.cluster.export import infer_export
from diag.model.cluster import ClusterFacts
from diag.model.cluster_view import Export, LogExport
from diag.model.coverage import SourceCoverage, State

_LATE = LogExport(Export.UNKNOWN, note="the GKE API did not answer in time")
_GRACE_S = 3.0


async def read_export(request: Request) -> LogExport | None:
    """What the GKE API says; None of what is no cluster of Google's, or logs to another service."""
    settings = request.settings
    names = (settings.logging.projects, settings.cluster.locations, settings.cluster.names)
    if not all(names) or (settings.logging.endpoint and not settings.kubernetes.gke_endpoint):
        return None
    from diag.sources.aside import run_aside
    from diag.sources.kube.log_export import ask_log_export

    return await run_aside(partial(ask_log_export, settings))


async def wait_for_export(asked: asyncio.Task[LogExport | None]) -> LogExport | None:
    """The answer, or that it came too late: where all else was read nobody waits long for one fact."""
    done, _ = await asyncio.wait((asked,), timeout=_GRACE_S)
    return asked.result() if done else _LATE


def judge_export(
    told: LogExport | None, facts: ClusterFacts, logs: SourceCoverage | None
) -> LogExport | None:
    """With what was read of the log service, where that was read whole and the API did not tell."""
    if told is None or logs is None or logs.state is not State.COMPLETE:
        return told
    return infer_export(told, facts, logs.entries)
