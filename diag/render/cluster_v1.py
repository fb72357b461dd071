"""``diag cluster`` for machines, version 1; ``cluster_v1.schema.json`` describes it."""

from __future__ import annotations

from diag.model.cluster import Autoscaler, ClusterEvent, Service
from diag.model.cluster_view import ClusterReport, InForce, PodView, WorkloadView
from diag.model.containers import Container
from diag.render.json_v1 import SCHEMA_VERSION, Json, dump, instant, to_coverage


def render_cluster_json(report: ClusterReport) -> str:
    """One object with a newline at its end: what held in the window, each kind in its own form."""
    view = report.view
    since, until = view.window.to_rfc3339() if view.window else (None, None)
    export = view.export
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "diag", "version": report.version},
            "query": {
                "cluster": view.place,
                "namespaces": list(view.namespaces),
                "since": since,
                "until": until,
                "collected_at": instant(view.read_ns),
            },
            "version": view.version or None,
            "workloads": [_workload(one) for one in view.workloads],
            "pods": [_pod(pod) for pod in view.pods],
            "services": [_service(one) for one in view.services],
            "autoscalers": [_autoscaler(one) for one in view.autoscalers],
            "events": [_event(event) for event in view.events],
            "log_export": None
            if export is None
            else {
                "state": export.state.value,
                "components": list(export.components),
                "inferred": export.inferred,
                "note": export.note,
            },
            "coverage": [to_coverage(source) for source in report.sources],
        }
    )


def _workload(one: WorkloadView) -> Json:
    workload = one.workload
    current = workload.current
    return {
        "kind": workload.kind,
        "namespace": workload.namespace,
        "name": workload.name,
        "wanted": workload.wanted,
        "ready": workload.ready,
        "updated": workload.updated,
        "created_at": instant(workload.created_ns),
        "revision_now": current.name if current else None,
        "in_force": [_stretch(stretch) for stretch in one.in_force],
        "containers": [_container(container) for container in workload.containers],
        "pods": [pod.name for pod in one.pods],
        "notes": list(one.notes),
    }


def _stretch(stretch: InForce) -> Json:
    return {
        "revision": stretch.name or None,
        "number": stretch.revision.number if stretch.revision else None,
        "images": list(stretch.images),
        "since": instant(stretch.since_ns),
        "until": instant(stretch.until_ns),
        "certain": stretch.certain,
        "evidence": list(stretch.evidence),
    }


def _container(container: Container) -> Json:
    return {
        "name": container.name,
        "image": container.image,
        "pull_policy": container.pull_policy or None,
        "ports": [{"number": one.number, "name": one.name or None} for one in container.ports],
        "variables": list(container.variables),
        "probes": [
            {
                "role": probe.role,
                "handler": probe.handler,
                "port": probe.port or None,
                "path": probe.path or None,
                "delay_s": probe.delay_s,
                "period_s": probe.period_s,
                "timeout_s": probe.timeout_s,
                "failures": probe.failures,
            }
            for probe in container.probes
        ],
    }


def _pod(view: PodView) -> Json:
    pod = view.pod
    return {
        "namespace": view.namespace or None,
        "name": view.name,
        "revision": view.revision or None,
        "state": view.state,
        "gone": pod is None,
        "phase": pod.phase if pod else None,
        "ready_now": pod.ready if pod else None,
        "node": pod.node or None if pod else None,
        "started_at": instant(view.since_ns),
        "images": list(view.images),
        "restarts": view.restarts,
        "restarted": [
            {
                "container": one.container,
                "at": instant(one.at_ns),
                "reason": one.reason,
                "exit_code": one.exit_code,
                "ref": one.ref,
            }
            for one in view.restarted
        ],
        "notes": list(view.notes),
    }


def _service(one: Service) -> Json:
    behind = one.endpoints
    return {
        "namespace": one.namespace,
        "name": one.name,
        "kind": one.kind,
        "selector": dict(one.selector),
        "affinity": one.affinity,
        "ports": [
            {"number": port.number, "target": port.target or None, "protocol": port.protocol}
            for port in one.ports
        ],
        "ingress": one.ingress,
        "endpoints": None
        if behind is None
        else {
            "ready": behind.ready,
            "not_ready": behind.not_ready,
            "serving": behind.serving,
            "terminating": behind.terminating,
        },
    }


def _autoscaler(one: Autoscaler) -> Json:
    return {
        "namespace": one.namespace,
        "name": one.name,
        "target": one.target,
        "least": one.least,
        "most": one.most,
        "current": one.current,
        "desired": one.desired,
        "limited": one.limited or None,
    }


def _event(event: ClusterEvent) -> Json:
    return {
        "type": "Warning" if event.warning else "Normal",
        "reason": event.reason,
        "object": f"{event.kind}/{event.namespace}/{event.name}",
        "message": event.text,
        "count": event.count,
        "first": instant(event.first_ns),
        "last": instant(event.last_ns),
        "source": event.source,
        "ref": event.ref,
    }
