"""Which pods lived in a window, and what became of their containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from diag.model.cluster import ClusterEvent, Pod
from diag.model.cluster_view import PodView, Restart
from diag.model.containers import ContainerStatus
from diag.model.instants import format_clock
from diag.model.window import Window

_UNKNOWN_THEN = "not known then"


def lived_in(pod: Pod, window: Window | None) -> bool:
    """Whether the pod was there at any time of the window; what has no times may have been."""
    if window is None:
        return True
    born = pod.created_ns is None or pod.created_ns < window.end_ns
    return born and (pod.deleted_ns is None or pod.deleted_ns >= window.start_ns)


def view_pod(pod: Pod, window: Window | None) -> PodView:
    """One pod that the cluster still has."""
    state, notes = _find_state(pod, window)
    return PodView(
        namespace=pod.namespace,
        name=pod.name,
        pod=pod,
        revision=pod.revision,
        state=state,
        images=tuple(_image_of(pod)),
        since_ns=pod.started_ns or pod.created_ns,
        restarts=pod.restarts,
        restarted=tuple(_find_restarts(pod, window)),
        notes=notes,
    )


def view_gone(namespace: str, name: str, told_by: str) -> PodView:
    """One that only a log or an event names."""
    note = f"the cluster does not have it any more; {told_by}"
    return PodView(namespace, name, None, revision_of(name), "gone", notes=(note,))


def revision_of(pod_name: str) -> str:
    """The replica set that a pod's name names: all but the last part."""
    return pod_name.rpartition("-")[0]


def find_named(events: Iterable[ClusterEvent]) -> Iterator[tuple[str, str]]:
    """Namespace and name of every pod that events tell of."""
    seen = set[tuple[str, str]]()
    for event in events:
        key = event.namespace, event.name
        if event.kind == "pod" and event.name and key not in seen:
            seen.add(key)
            yield key


def _image_of(pod: Pod) -> Iterator[str]:
    """The image as it was ordered, with the digest that the node runs."""
    told = {status.name: status for status in pod.statuses}
    for container in pod.containers:
        digest = told[container.name].digest if container.name in told else ""
        yield f"{container.image}@{digest}" if digest and "@" not in container.image else container.image


def _find_state(pod: Pod, window: Window | None) -> tuple[str, tuple[str, ...]]:
    """What it was in the window, and how that is meant. Its readiness tells since when it holds."""
    now = _state_now(pod)
    since = next((one.since_ns for one in pod.conditions if one.kind == "Ready"), None)
    if window is None or since is None or since <= window.start_ns:
        return now, ()
    if since >= window.end_ns:
        return _UNKNOWN_THEN, (f"{now} since {format_clock(since, 0)}, after the window",)
    return now, (f"{now} since {format_clock(since, 0)}",)


def _state_now(pod: Pod) -> str:
    """As ``kubectl get pods`` would sum it up."""
    if pod.deleted_ns is not None:
        return "terminating"
    if not pod.initialized:
        return _find_initial_state(pod.initial)
    for status in pod.statuses:
        if status.state != "running" and status.reason and status.reason != "Completed":
            return status.reason
    if pod.reason:
        return pod.reason
    if pod.phase == "Running":
        return "ready" if pod.ready else "not ready"
    return pod.phase.lower() or "unknown"


def _find_initial_state(initial: Sequence[ContainerStatus]) -> str:
    """Of the first init container that is not through: the others wait for it, and so do all containers."""
    for done, status in enumerate(initial):
        if status.ending is not None and status.ending.exit_code == 0:
            continue
        if status.ready and status.state == "running":  # a sidecar
            continue
        if status.reason not in ("", "PodInitializing"):
            return f"Init:{status.reason}"
        return f"Init:{done}/{len(initial)}"
    return f"Init:{len(initial)}/{len(initial)}"


def _find_restarts(pod: Pod, window: Window | None) -> Iterator[Restart]:
    """The cluster remembers the last ending of each container, and the one that it is in."""
    told = [("containerStatuses", one) for one in pod.statuses]
    told += [("initContainerStatuses", one) for one in pod.initial]
    for place, status in told:
        for field, ending in (("lastState", status.last), ("state", status.ending)):
            at_ns = None if ending is None else ending.finished_ns
            if ending is None or at_ns is None or (window is not None and not window.contains(at_ns)):
                continue
            if field == "state" and ending.reason == "Completed":
                continue
            ref = f"{pod.ref}:status.{place}[{status.name}].{field}"
            yield Restart(status.name, at_ns, ending.reason, ending.exit_code, ref)
