"""What the report says of the deployment: from log lines, and from the cluster where it was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from diag.model.cluster_view import ClusterView, PodView, Restart, WorkloadView
from diag.model.diagnosis import Diagnosis
from diag.model.events import Event
from diag.model.findings import Evidence
from diag.render.cluster_words import count, describe_restart
from diag.render.markdown.cluster import build_pod_table, build_service_table, build_workload_table
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.markdown.statements import COVERAGE, Statement, searched
from diag.render.neutral import to_code, to_prose

_MOST_PODS = 4

_NOT_READ = "*not checked: Kubernetes was not read*"
_NO_REPOSITORY = "*not provable: no repository was named*"
_NO_LABEL = "*not provable: an image does not say which commit it holds; how old the commit is stands below*"


def deployment(diagnosis: Diagnosis, index: EvidenceIndex) -> Iterator[Statement]:
    """Section "GKE deployment status"."""
    yield _running(diagnosis.cluster, index)
    own, pods = _own_pods(diagnosis), dict(diagnosis.coverage.pods)
    for service, number in diagnosis.coverage.services:
        named = _name_pods(sorted(pods.get(service, ()), key=lambda pod: pod not in own))
        yield Statement(
            "",
            f"{to_code(service)} wrote to the log",
            f"yes, {number} {'entry' if number == 1 else 'entries'}; {named}",
            COVERAGE,
        )
    yield _restarts(diagnosis, index)
    fixes = _NOT_READ if diagnosis.cluster is None else _NO_LABEL if diagnosis.code else _NO_REPOSITORY
    yield Statement("", "the running images contain the session ID fixes", fixes)
    yield _errors(diagnosis, index)


def _own_pods(diagnosis: Diagnosis) -> set[str]:
    return {event.entry.pod for event in diagnosis.session.events if event.entry.pod}


def _name_pods(pods: Sequence[str]) -> str:
    """The first of them: of a large deployment nobody reads more, and all bury the session's own."""
    more = f" and {len(pods) - _MOST_PODS} more" if len(pods) > _MOST_PODS else ""
    return ", ".join(map(to_code, pods[:_MOST_PODS])) + more or "pods not named"


def _running(view: ClusterView | None, index: EvidenceIndex) -> Statement:
    claim = "all core services are running and ready"
    if view is None:
        return Statement("Deployment", claim, _NOT_READ)
    if not view.workloads:
        return Statement("Deployment", claim, "*not checked: no workload of a known service was found*")
    ill = [one for one in view.workloads if not any(pod.well for pod in one.pods)]
    weak = [pod for one in view.workloads for pod in one.pods if not pod.well and pod.pod is not None]
    if not ill and not weak:
        pods = count(len(view.pods), "pod")
        told = f"yes, {count(len(view.workloads), 'workload')} with {pods}"
        return Statement("Deployment", claim, told, index.cite(_of_workload(one) for one in view.workloads))
    named = [to_code(one.workload.name) for one in ill] or [
        f"{to_code(pod.name)} {to_prose(pod.state)}" for pod in weak
    ]
    evidence = [*map(_of_pod, weak), *map(_of_workload, ill)]
    return Statement("Deployment", claim, f"**no**: {', '.join(named)}", index.cite(evidence))


def _of_workload(one: WorkloadView) -> Evidence:
    workload = one.workload
    told = f"{workload.ready} of {workload.wanted} ready when it was read"
    return Evidence(0, f"{workload.ref}:status.readyReplicas", "kubernetes", told)


def _of_pod(pod: PodView) -> Evidence:
    return Evidence(0, f"{pod.ref}:status", "kubernetes", "; ".join((pod.state, *pod.notes)))


def _of_restart(restart: Restart) -> Evidence:
    return Evidence(restart.at_ns, restart.ref, "kubernetes", describe_restart(restart))


def _restarts(diagnosis: Diagnosis, index: EvidenceIndex) -> Statement:
    claim = "no process of the session's pods started while it ran"
    pods = _own_pods(diagnosis)
    if not pods:
        return Statement("", claim, "*not checked: the lines name no pods*")
    starts = [event.to_evidence() for event in _starts(diagnosis, pods)]
    views = diagnosis.cluster.pods if diagnosis.cluster else ()
    seen = [pod for pod in views if pod.name in pods and pod.pod is not None]
    first, last = diagnosis.session.first_ns or 0, diagnosis.session.last_ns or 0
    ended = [_of_restart(one) for pod in seen for one in pod.restarted if first < one.at_ns <= last]
    if starts or ended:
        told = [count(len(starts), "start line")] if starts else []
        told += [f"{count(len(ended), 'container')} ended"] if ended else []
        return Statement("", claim, f"**no**: {', '.join(told)}", index.cite([*starts, *ended]))
    counted = (
        f"{len(seen)} of them still in the cluster, none ended then"
        if seen
        else "restart counts were not read"
    )
    return Statement("", claim, f"no start line of {count(len(pods), 'pod')}; {counted}", COVERAGE)


def _starts(diagnosis: Diagnosis, pods: set[str]) -> Iterator[Event]:
    first, last = diagnosis.session.first_ns or 0, diagnosis.session.last_ns or 0
    for event in diagnosis.session.neighbours.named("proc.start"):
        if event.entry.pod in pods and first < event.time_ns <= last:
            yield event


def _errors(diagnosis: Diagnosis, index: EvidenceIndex) -> Statement:
    errors = [event for event in diagnosis.session.events if event.level in ("error", "fatal")]
    if not errors:
        return Statement("", "no error lines in this session", f"none in {searched(diagnosis)}", COVERAGE)
    told = f"**no**: {count(len(errors), 'line')} at error or above"
    evidence = index.cite(event.to_evidence() for event in errors)
    return Statement("", "no error lines in this session", told, evidence)


def build_configuration(view: ClusterView | None) -> str:
    """The tables of the section "Current Deployment Configuration"; empty where nothing was read."""
    if view is None or not view.workloads:
        return ""
    tables = (build_workload_table, build_pod_table, build_service_table)
    blocks = ["\n".join(build(view)) for build in tables]
    return "\n\n".join(block for block in blocks if block.count("\n") > 1)
