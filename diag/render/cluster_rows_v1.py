"""The cluster in a session's answer for machines, version 1: one row for each object, alike for all kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from diag.model.cluster import Autoscaler, ClusterEvent, Service
from diag.model.cluster_view import ClusterView, PodView, WorkloadView
from diag.model.instants import format_clock, format_instant
from diag.render.cluster_words import (
    describe_endpoints,
    describe_export,
    describe_restart,
    describe_scale,
    describe_since,
)


@dataclass(frozen=True, slots=True)
class _Row:
    """What is told of any object; empty notes are none."""

    kind: str
    name: str
    state: str
    notes: Iterable[str]
    since_ns: int | None = None
    image: str = ""
    restarts: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "image": self.image,
            "restarts": self.restarts,
            "since": None if self.since_ns is None else format_instant(self.since_ns),
            "notes": [note for note in self.notes if note],
        }


def to_cluster_rows(view: ClusterView | None) -> list[dict[str, Any]]:
    """Workloads, their pods, services, autoscalers, and what the cluster warned of."""
    return [] if view is None else [row.to_json() for row in _list_rows(view)]


def _list_rows(view: ClusterView) -> Iterator[_Row]:
    if view.export is not None:
        yield _Row("cluster", view.place, f"log export {view.export.state}", (describe_export(view.export),))
    yield from map(_of_workload, view.workloads)
    yield from map(_of_pod, view.pods)
    yield from map(_of_service, view.services)
    yield from map(_of_autoscaler, view.autoscalers)
    yield from (_of_event(event) for event in view.events if event.warning)


def _of_workload(one: WorkloadView) -> _Row:
    workload = one.workload
    images = dict.fromkeys(image for stretch in one.in_force for image in stretch.images)
    return _Row(
        kind=workload.kind,
        name=f"{workload.namespace}/{workload.name}",
        state=f"{workload.ready} of {workload.wanted} ready now",
        notes=(*_tell_revisions(one), *one.notes),
        since_ns=one.in_force[0].since_ns if one.in_force else None,
        image=", ".join(images),
    )


def _tell_revisions(one: WorkloadView) -> Iterator[str]:
    for stretch in one.in_force:
        number = f" {stretch.revision.number}" if stretch.revision else ""
        by = ", images by the audit log" if stretch.is_told_alone else ""
        yield f"revision{number} {stretch.name or 'not kept'} {describe_since(stretch)}{by}"
    current = one.workload.current
    if current is not None and all(current.name != stretch.name for stretch in one.in_force):
        yield f"now: revision {current.number} {current.name}"


def _of_pod(pod: PodView) -> _Row:
    return _Row(
        kind="pod",
        name=f"{pod.namespace}/{pod.name}".removeprefix("/"),
        state=pod.state,
        notes=(
            f"revision {pod.revision}" if pod.revision else "",
            *(f"{format_clock(one.at_ns, 0)} {describe_restart(one)}" for one in pod.restarted),
            *pod.notes,
        ),
        since_ns=pod.since_ns,
        image=", ".join(pod.images),
        restarts=pod.restarts,
    )


def _of_service(one: Service) -> _Row:
    affinity = "" if one.affinity == "None" else f"session affinity {one.affinity}"
    name = f"{one.namespace}/{one.name}"
    return _Row("service", name, describe_endpoints(one), (affinity,), one.created_ns)


def _of_autoscaler(one: Autoscaler) -> _Row:
    state = "limited" if one.limited else "free"
    return _Row("autoscaler", f"{one.namespace}/{one.name}", state, (describe_scale(one),), one.created_ns)


def _of_event(event: ClusterEvent) -> _Row:
    times = f"{event.count} times" if event.count > 1 else ""
    name = f"{event.kind}/{event.namespace}/{event.name}"
    return _Row("event", name, event.reason, (event.text, times), event.first_ns)
