"""The cluster's objects of now and the events -> what held in a window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from diag.cluster.changes import UNMATCHED, find_deleted, find_end, to_change_events
from diag.cluster.events import find_in_window, join_events
from diag.cluster.own import Belongings, Makers, Own
from diag.cluster.pods import find_named, lived_in, view_gone, view_pod
from diag.cluster.revisions import find_in_force
from diag.model.cluster import Autoscaler, ClusterEvent, ClusterFacts, Service, Workload
from diag.model.cluster_change import ClusterChange
from diag.model.cluster_view import ClusterView, InForce, LogExport, PodView, WorkloadView
from diag.model.window import Window

_Object = TypeVar("_Object", Service, Autoscaler)
_BY_LOG, _BY_EVENT = "its log entries name it", "events name it"


def look_back(
    facts: ClusterFacts,
    window: Window | None,
    *,
    logged: Iterable[ClusterEvent] = (),
    changes: Sequence[ClusterChange] = (),
    heard: Iterable[str] = (),
    alone: bool = True,
    is_ours: Callable[[str], bool] = lambda _: True,
    export: LogExport | None = None,
) -> ClusterView:
    """What held in the window.

    Args:
        facts: what the cluster gave, now.
        window: None: as it is now.
        logged: events that the log service kept.
        changes: lines of the audit log that it kept.
        heard: pods that log entries of the window name.
        alone: these are of this cluster alone; else one that it does not list may run in another.
        is_ours: whether a workload or pod of this name is of interest; what is not is left out, and counted.
        export: whether its logs go to the log service.
    """
    events = join_events(facts.events, logged, to_change_events(changes))
    then = tuple(find_in_window(events, window))
    pods = [view_pod(pod, window) for pod in facts.pods if lived_in(pod, window)]
    deleted = [(one, notes) for one, notes in find_deleted(facts, changes, window) if is_ours(one.name)]
    known = (*facts.workloads, *(one for one, _ in deleted))
    pods += _find_gone(facts, then, heard, known, alone=alone)
    ours = [one for one in facts.workloads if is_ours(one.name)]
    services = _sort_ours(facts.services, is_ours)
    belongings = Belongings(events, changes, facts.pods, pods)
    rows = sorted((*((one, ()) for one in ours), *deleted), key=lambda row: _by_name(row[0]))
    workloads = tuple(_view(one, window, belongings.of(one), notes) for one, notes in rows)
    return ClusterView(
        place=facts.place,
        read_ns=facts.read_ns,
        window=window,
        namespaces=facts.namespaces,
        version=facts.version,
        workloads=workloads,
        others=_find_others(pods, workloads, is_ours),
        services=services,
        autoscalers=_sort_ours(facts.autoscalers, is_ours),
        events=tuple(event for event in then if is_ours(event.name)),
        unread=facts.unread,
        export=export,
        left_out=len(facts.workloads) - len(ours),
        services_left_out=len(facts.services) - len(services),
    )


def _sort_ours(objects: Iterable[_Object], is_ours: Callable[[str], bool]) -> tuple[_Object, ...]:
    return tuple(sorted((one for one in objects if is_ours(one.name)), key=lambda one: one.ref))


def _find_others(
    pods: Iterable[PodView], workloads: Iterable[WorkloadView], is_ours: Callable[[str], bool]
) -> tuple[PodView, ...]:
    """Those of no workload."""
    # of one that only a log names the workload told the namespace
    taken = {(space, pod.name) for one in workloads for pod in one.pods for space in (pod.namespace, "")}
    others = (pod for pod in pods if (pod.namespace, pod.name) not in taken and is_ours(pod.name))
    return tuple(sorted(others, key=_by_pod))


def _find_gone(
    facts: ClusterFacts,
    then: Iterable[ClusterEvent],
    heard: Iterable[str],
    workloads: Sequence[Workload],
    *,
    alone: bool,
) -> Iterator[PodView]:
    """Pods of the window that the cluster does not list any more. Where it lists none, nothing is gone.

    What may have run where nobody looked is not gone: a log entry does not tell its pod's namespace.
    """
    if any(one.may_hold("pods") for one in facts.unread):
        return
    known = {pod.name for pod in facts.pods}
    told = {name: space for space, name in find_named(then) if facts.covers(space)}
    namespace = facts.namespaces[0] if len(facts.namespaces) == 1 else ""
    logged, makers = frozenset(heard), Makers(workloads)
    for name in sorted((told.keys() | logged) - known):
        gone = view_gone(told.get(name, namespace), name, _BY_LOG if name in logged else _BY_EVENT)
        is_here = name in told or (alone and not facts.namespaces)
        if is_here or makers.has_one_of(gone):
            yield gone


def _view(workload: Workload, window: Window | None, own: Own, notes: Sequence[str]) -> WorkloadView:
    """With `notes` it is one that the cluster does not have any more."""
    in_force = find_in_force(workload, window, own.events, own.listed, own.changes)
    if notes and in_force and in_force[-1].until_ns is None:
        in_force = (*in_force[:-1], replace(in_force[-1], until_ns=find_end(workload, own.changes)))
    pods = (_complete(pod, workload, in_force) for pod in own.pods)
    told = (*notes, *_tell(workload, window, in_force))
    return WorkloadView(workload, in_force, tuple(sorted(pods, key=_by_pod)), told)


def _complete(pod: PodView, workload: Workload, in_force: Iterable[InForce]) -> PodView:
    """Of one that is gone the revision still tells what it ran, and the workload where."""
    if pod.pod is not None:
        return pod
    known = {one.name: one.images for one in in_force}
    known |= {one.name: one.images for one in workload.revisions}
    images = known.get(pod.revision, ()) if pod.revision else ()
    return replace(pod, namespace=workload.namespace, images=images)


def _tell(workload: Workload, window: Window | None, in_force: Sequence[InForce]) -> Iterator[str]:
    if window is not None and workload.created_ns is not None and workload.created_ns >= window.end_ns:
        yield "made after the window"
    elif not in_force:
        yield "its revisions are not known"
    if any(one.told and not one.name for one in in_force):
        yield UNMATCHED


def _by_name(workload: Workload) -> tuple[str, str, str]:
    return workload.namespace, workload.name, workload.kind


def _by_pod(pod: PodView) -> tuple[str, int, str]:
    return pod.namespace, pod.since_ns or 0, pod.name
