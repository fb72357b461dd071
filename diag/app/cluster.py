"""The cluster: what a session's services were while it ran, and ``diag cluster``, which shows all of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Self

import diag
from diag.app.cluster_events import Logged, ask_for_events, find_place, read_logged_events
from diag.app.cluster_export import judge_export, read_export, wait_for_export
from diag.app.discovery import discover, excuse
from diag.app.entries import INTERRUPTED, Entries
from diag.app.request import Request
from diag.catalogue import load_catalogue
from diag.cluster import look_back
from diag.errors import SourceError, UsageError
from diag.model.catalogue import Catalogue
from diag.model.cluster import SLUG, ClusterFacts
from diag.model.cluster_view import ClusterReport, ClusterView, LogExport
from diag.model.coverage import Coverage, SourceCoverage, State
from diag.model.window import Window
from diag.normalise.services import ServiceNames

CLOUD_LOGGING = "cloud-logging"
NOBODY = "no cluster is named (--context), and the kubeconfig has none of GKE's that fits"
_FILES = "log files were given; the cluster is read beside them where --context or --kubeconfig names it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRequest(Request):
    """What is asked of a cluster: its objects in a window, or now where none is given."""


class Cluster:
    """What the cluster gave so far. A failure is an answer, too; nothing is raised."""

    def __init__(self, request: Request) -> None:
        self.facts: ClusterFacts | None = None
        self._request = request
        self._named = request.names_cluster
        self._logged = Logged()
        self._problem = ""
        self._interrupted = False
        self._reading: asyncio.Task[ClusterFacts | None] | None = None
        self._asking: asyncio.Task[LogExport | None] | None = None
        self._export: LogExport | None = None

    async def __aenter__(self) -> Self:
        """Begin to read, beside everything else that is read."""
        if self._request.ask_cluster:
            self._reading = asyncio.create_task(read_facts(self._request))
            self._asking = asyncio.create_task(read_export(self._request))
        return self

    async def __aexit__(self, *_: object) -> None:
        """What is still under way is of no use to anybody."""
        for task in (self._reading, self._asking):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def finish(self, *, interrupted: bool = False) -> None:
        """Wait for what was begun; an interrupted run takes what is there."""
        if self._reading is None or self._asking is None:
            return
        if interrupted and not self._reading.done():
            self._reading.cancel()
        try:
            self.facts = await self._reading
            if self.facts is not None and not interrupted:
                self._export = await wait_for_export(self._asking)
        except asyncio.CancelledError:
            self._interrupted = True
        except SourceError as error:
            self._problem = f"{error}; {error.hint}" if error.hint else str(error)

    async def recall_events(self, entries: Entries, window: Window | None) -> None:
        """What the cluster has forgotten of the window and its log service has not."""
        if self.facts is None or entries.interrupted or entries.coverage().source != CLOUD_LOGGING:
            return
        try:
            place = find_place(self.facts, self._request.settings)
            self._logged = await read_logged_events(entries.source, window, self._request.now_ns, place)
        except asyncio.CancelledError:
            self._interrupted = True

    @property
    def has_pods(self) -> bool:
        """Whether pods were seen, so that their nodes can be asked for what they wrote."""
        return self.facts is not None and bool(self.facts.pods)

    def view(self, window: Window | None, coverage: Coverage, catalogue: Catalogue) -> ClusterView | None:
        """What the known services were in the window; None where nothing was read."""
        if self.facts is None:
            return None
        names, settings = ServiceNames(catalogue), self._request.settings
        # before a name that several have stands what tells them apart
        heard = {pod.rpartition("/")[2] for _, pods in coverage.pods for pod in pods}
        return look_back(
            self.facts,
            window,
            logged=self._logged.events,
            changes=self._logged.changes,
            heard=heard,
            alone=len(settings.logging.resources) < 2 and len(settings.cluster.names) < 2,
            is_ours=lambda name: bool(names.resolve(name)) or name in heard,
            export=judge_export(self._export, self.facts, coverage.find(CLOUD_LOGGING)),
        )

    def coverage(self) -> SourceCoverage:
        """What was asked and what came. What nobody named is not asked for, whatever became of it."""
        if not self._request.ask_cluster:
            return SourceCoverage(SLUG, State.NOT_ASKED, notes=(_FILES,))
        if self._interrupted:
            return SourceCoverage(SLUG, State.PARTIAL, notes=(INTERRUPTED,))
        if self._problem:
            state = State.FAILED if self._named else State.NOT_ASKED
            return SourceCoverage(SLUG, state, notes=(self._problem,))
        if self.facts is None:
            return SourceCoverage(SLUG, State.NOT_ASKED, notes=(NOBODY,))
        return cover_facts(self.facts)


async def read_facts(request: Request) -> ClusterFacts | None:
    """The cluster that is named, or found; None where there is none. Raises `SourceError`."""
    settings = request.settings
    context = await asyncio.to_thread(find_context, request)
    if context is None:
        return None
    from diag.sources.kube.source import read_cluster

    request.progress("reading Kubernetes")
    return await read_cluster(settings.kubernetes, context, settings.cluster.namespaces, request.now_ns)


def find_context(request: Request) -> str | None:
    """The context to use, empty for the current one; None where no cluster is meant.

    The client is loaded with it: in a thread that is half a second beside the first answers of others.
    """
    from diag.sources.kube import find_fitting, runs_in_cluster

    settings = request.settings
    if request.names_cluster:
        context: str | None = settings.kubernetes.context or find_fitting(settings)
    else:
        context = find_fitting(settings) or ("" if runs_in_cluster() else None)
    if context is not None:
        import diag.sources.kube.client  # noqa: F401  loaded here, so that nobody waits for it later
    return context


def cover_facts(facts: ClusterFacts) -> SourceCoverage:
    """What a cluster gave, in words."""
    counts = (
        (len(facts.workloads), "workload"),
        (len(facts.pods), "pod"),
        (len(facts.services), "service"),
        (len(facts.autoscalers), "autoscaler"),
        (len(facts.events), "event"),
    )
    notes = (f"{one.reason}; {one.remedy}" if one.remedy else one.reason for one in facts.unread)
    return SourceCoverage(
        source=SLUG,
        state=State.PARTIAL if facts.unread else State.COMPLETE,
        asked=f"{facts.place}, {', '.join(facts.namespaces) or 'all namespaces'}",
        got=", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts),
        objects=facts.objects,
        notes=tuple(dict.fromkeys(notes)),
    )


async def look_at_cluster(request: ClusterRequest) -> ClusterReport:
    """What the cluster held in the window; raises `DiagError` where nothing can be had.

    Whoever asks for the cluster means the current context, be it one of GKE's or not.
    """
    from diag.sources.kube.source import read_cluster

    settings, window = request.settings, find_window(request)
    request.progress("reading Kubernetes")
    where = settings.kubernetes.context, settings.cluster.namespaces
    exporting = asyncio.create_task(read_export(discover(request)))
    try:
        facts = await read_cluster(settings.kubernetes, *where, request.now_ns)
        logged, sources = await _recall(request, window, facts)
        export = await wait_for_export(exporting)
    finally:
        exporting.cancel()
    view = look_back(facts, window, logged=logged.events, changes=logged.changes, export=export)
    return ClusterReport(view, (cover_facts(facts), *sources), diag.__version__)


async def _recall(
    request: ClusterRequest, window: Window | None, facts: ClusterFacts
) -> tuple[Logged, tuple[SourceCoverage, ...]]:
    """The window's events that the cluster has forgotten; the account of the log service if it was asked."""
    found = discover(request)
    settings = found.settings
    if ask_for_events(window, request.now_ns) is None or not settings.logging.project:
        return Logged(), ()
    from diag.sources.cloud_logging import CloudLogging

    where = settings.cluster.namespace or ",".join(facts.namespaces)
    cluster = replace(settings.cluster, namespace=where)
    service = CloudLogging(settings.logging, cluster, load_catalogue(), request.progress)
    logged = await read_logged_events(service, window, request.now_ns, find_place(facts, settings))
    counts = len(logged.events), len(logged.changes)
    got = f"{counts[0]} events" + (f", {counts[1]} changes" if counts[1] else "")
    told = replace(service.coverage(), objects=sum(counts), got=got)
    return logged, (excuse(told) if found.discovered else told,)


def find_window(request: Request) -> Window | None:
    """From --since to --until, or to now; None where neither is given."""
    since, until = request.bounds
    if since is None and until is None:
        return None
    if since is None:
        raise UsageError("--until alone bounds nothing", hint="add --since")
    return Window(since, min(until or request.now_ns, request.now_ns))
