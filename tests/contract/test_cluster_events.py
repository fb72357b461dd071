"""Events that a cluster has forgotten come from the log service; a real one holds the filter to its language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diag.app.cluster import ClusterRequest, look_at_cluster
from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.model.coverage import State
from diag.model.diagnosis import Diagnosis
from diag.model.instants import NS_PER_S, format_instant
from diag.model.settings import ClusterSettings, KubernetesSettings, LoggingSettings, Settings
from diag.render.cluster import render_cluster
from diag.render.cluster_rows_v1 import to_cluster_rows
from diag.render.cluster_v1 import render_cluster_json
from diag.render.markdown.cluster import render_cluster_markdown
from diag.render.terminal_cluster import cluster_lines
from tests.cases import START_NS
from tests.contract.logging_server import PROJECT, Server
from tests.kube_api import CONTEXT, ApiServer, run_api_server

GONE = "orchestrator-7d9f8c6b5d-x2k4p"
LATER_NS = START_NS + 5 * 3600 * NS_PER_S
SESSION = "session_1753615601372_cz4gw0fl5"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with run_api_server() as server:
        yield server


def event(
    at_s: int, name: str = GONE, *, namespace: str = "voice", kind: str = "Pod", **more: Any
) -> dict[str, Any]:
    """As GKE's exporter writes it."""
    labels = {"project_id": PROJECT, "location": "europe-west1", "cluster_name": "voice"}
    pod = {"type": "k8s_pod", "labels": {**labels, "namespace_name": namespace, "pod_name": name}}
    when = format_instant(START_NS + at_s * NS_PER_S, 0)
    return {
        "logName": f"projects/{PROJECT}/logs/events",
        "resource": pod if kind == "Pod" else {"type": "k8s_cluster", "labels": labels},
        "timestamp": when,
        "insertId": f"e{at_s}{name[-3:]}{namespace}",
        "severity": "WARNING",
        "jsonPayload": {
            "kind": "Event", "type": "Warning", "reason": "BackOff", "message": "Back-off restarting",
            "metadata": {"name": f"{name}.{at_s}", "namespace": namespace}, "lastTimestamp": when,
            "involvedObject": {"kind": kind, "namespace": namespace, "name": name}, **more,
        },
    }  # fmt: skip


def settings(server: Server, kubeconfig: str) -> Settings:
    return Settings(
        logging=LoggingSettings(project=PROJECT, endpoint=f"http://{server.address}"),
        cluster=ClusterSettings(name="voice", location="europe-west1", namespace="voice"),
        kubernetes=KubernetesSettings(kubeconfig=kubeconfig, timeout_s=30),
    )


async def test_a_pod_that_is_gone_and_its_events_are_of_the_window(
    serve: Callable[..., Server], api: ApiServer, tmp_path
) -> None:
    """Those of another namespace, another time or a container's line are not."""
    server = serve()
    scaled = {"reason": "ScalingReplicaSet", "type": "Normal"}
    server.write([
        event(10), event(20), event(30, "billing-1-x", namespace="billing"), event(-90_000), event(9_000),
        event(15, "orchestrator", kind="Deployment", **scaled, message="Scaled up replica set x from 0 to 1"),
    ])  # fmt: skip
    request = ClusterRequest(
        settings=settings(server, api.kubeconfig(tmp_path / "kube")),
        now_ns=LATER_NS, since_ns=START_NS, until_ns=START_NS + 60 * NS_PER_S,
    )  # fmt: skip

    report = await look_at_cluster(request)

    assert [(one.reason, one.name, one.source) for one in report.view.events] == [
        ("BackOff", GONE, "cloud-logging"),
        ("ScalingReplicaSet", "orchestrator", "cloud-logging"),
        ("BackOff", GONE, "cloud-logging"),
    ]
    assert [(pod.name, pod.state) for pod in report.view.pods] == [(GONE, "gone")]
    whole_second = START_NS // NS_PER_S * NS_PER_S
    assert report.view.events[0].ref == f"{GONE}@{format_instant(whole_second + 10 * NS_PER_S)}#e10k4pvoice"
    logs = next(one for one in report.sources if one.source == "cloud-logging")
    assert (logs.state, logs.entries) == (State.COMPLETE, 0)


def change(at_s: int, verb: str, namespace: str = "voice") -> dict[str, Any]:
    """An audit line as GKE has it."""
    labels = {"project_id": PROJECT, "location": "europe-west1", "cluster_name": "voice"}
    spec = {"template": {"spec": {"containers": [{"name": "tts", "image": "voice-agent/tts:2"}]}}}
    return {
        "logName": f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Factivity",
        "resource": {"type": "k8s_cluster", "labels": labels},
        "timestamp": format_instant(START_NS + at_s * NS_PER_S, 0),
        "insertId": f"a{at_s}{namespace}",
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "methodName": f"io.k8s.apps.v1.deployments.{verb}",
            "resourceName": f"apps/v1/namespaces/{namespace}/deployments/tts",
            "authenticationInfo": {"principalEmail": "maria.schmidt@shop.example"},
            "request": {"@type": "k8s.io/Patch", "spec": spec},
            "response": {"@type": "apps.k8s.io/v1.Deployment", "metadata": {"name": "tts"}, "spec": spec},
        },
    }


def of_another_cluster(entry: dict[str, Any]) -> dict[str, Any]:
    labels = {**entry["resource"]["labels"], "cluster_name": "staging"}
    return {**entry, "insertId": "other", "resource": {**entry["resource"], "labels": labels}}


async def test_where_nobody_says_which_cluster_it_is_no_change_is_told(
    serve: Callable[..., Server], api: ApiServer, tmp_path
) -> None:
    """Another cluster's deployment would look like one that was deleted here."""
    server = serve()
    server.write([change(10, "patch"), of_another_cluster(change(20, "delete"))])
    path = Path(api.kubeconfig(tmp_path / "kube"))
    path.write_text(path.read_text().replace(CONTEXT, "of-no-form"))
    given = settings(server, str(path))
    request = ClusterRequest(
        settings=replace(given, cluster=ClusterSettings(namespace="voice")),
        now_ns=LATER_NS, since_ns=START_NS, until_ns=START_NS + 60 * NS_PER_S,
    )  # fmt: skip

    report = await look_at_cluster(request)

    assert (report.view.workloads, report.view.events) == ((), ())
    logs = next(one for one in report.sources if one.source == "cloud-logging")
    assert any("several clusters" in note for note in logs.notes)


async def test_a_deployment_that_is_gone_is_told_by_the_audit_log(
    serve: Callable[..., Server], api: ApiServer, tmp_path
) -> None:
    """With the events, in their one request; of the cluster's namespaces alone, and nobody's address."""
    server = serve()
    server.write([
        event(10), change(-3600, "patch"), change(30, "delete"), change(20, "patch", "billing"),
        change(25, "get"), of_another_cluster(change(35, "patch")),
    ])  # fmt: skip
    request = ClusterRequest(
        settings=settings(server, api.kubeconfig(tmp_path / "kube")),
        now_ns=LATER_NS, since_ns=START_NS, until_ns=START_NS + 60 * NS_PER_S,
    )  # fmt: skip

    report = await look_at_cluster(request)

    (gone,) = report.view.workloads
    assert (gone.workload.ref, gone.workload.wanted) == ("deployment/voice/tts", 0)
    (stretch,) = gone.in_force
    assert (stretch.images, stretch.certain) == (("voice-agent/tts:2",), False)
    assert [(one.reason, one.audited) for one in report.view.events] == [
        ("BackOff", False),
        ("Deleted", True),
    ]
    assert len(server.filters) == 1
    shown = render_cluster_json(report) + render_cluster_markdown(report) + render_cluster(report).plain
    assert "maria" not in shown
    assert "voice-agent/tts:2, by the audit log" in render_cluster(report).plain
    assert "by the audit log" in render_cluster_markdown(report)
    of_session = "\n".join(line.plain for line in cluster_lines(report.view))
    assert "voice-agent/tts:2, by the audit log" in of_session
    assert "images by the audit log" in str(to_cluster_rows(report.view))


async def test_what_the_cluster_still_knows_is_not_asked_of_the_log_service(
    serve: Callable[..., Server], api: ApiServer, tmp_path
) -> None:
    """The quota is for lines."""
    server = serve()
    request = ClusterRequest(
        settings=settings(server, api.kubeconfig(tmp_path / "kube")),
        now_ns=LATER_NS, since_ns=LATER_NS - 1800 * NS_PER_S,
    )  # fmt: skip

    report = await look_at_cluster(request)

    assert server.filters == []
    assert [one.source for one in report.sources] == ["kubernetes"]


def line(at_s: int) -> dict[str, Any]:
    labels = {
        "project_id": PROJECT, "location": "europe-west1", "cluster_name": "voice", "namespace_name": "voice",
        "pod_name": GONE, "container_name": "orchestrator",
    }  # fmt: skip
    return {
        "logName": f"projects/{PROJECT}/logs/stdout",
        "resource": {"type": "k8s_container", "labels": labels},
        "timestamp": format_instant(START_NS + at_s * NS_PER_S),
        "insertId": f"l{at_s}",
        "jsonPayload": {"msg": "Received session info from frontend", "sessionID": SESSION, "connID": "ws_1753615602114220410"},
    }  # fmt: skip


async def test_a_session_has_the_pod_that_is_gone_and_counts_no_event_as_a_line(
    serve: Callable[..., Server], api: ApiServer, tmp_path
) -> None:
    """The pod from its lines, the events beside them, one account of the log service."""
    server = serve()
    server.write([line(2), event(3)])
    request = SessionRequest(
        asked=SESSION, settings=settings(server, api.kubeconfig(tmp_path / "kube")), now_ns=LATER_NS
    )

    diagnosis = await diagnose_session(request)

    assert isinstance(diagnosis, Diagnosis)
    assert diagnosis.cluster is not None
    assert [(pod.name, pod.state) for pod in diagnosis.cluster.pods] == [(GONE, "gone")]
    assert [one.reason for one in diagnosis.cluster.events] == ["BackOff"]
    logs = [one for one in diagnosis.coverage.sources if one.source == "cloud-logging"]
    assert [(one.state, one.entries) for one in logs] == [(State.COMPLETE, 1)]


async def test_where_the_log_service_has_nothing_the_pods_are_read(
    serve: Callable[..., Server], api: ApiServer, tmp_path
) -> None:
    """A cluster whose containers do not log there; both are told."""
    server = serve()
    pods = "/api/v1/namespaces/voice/pods"
    running = {"name": "orchestrator", "state": {"running": {}}}
    api.lists(
        pods, {"metadata": {"name": GONE, "namespace": "voice"}, "status": {"containerStatuses": [running]}}
    )
    entry = line(2)
    payload = f'{{"msg": "Received session info from frontend", "sessionID": "{SESSION}"}}'
    api.says(f"{pods}/{GONE}/log", f"{entry['timestamp']} {payload}\n".encode())
    request = SessionRequest(
        asked=SESSION, settings=settings(server, api.kubeconfig(tmp_path / "kube")), now_ns=LATER_NS
    )

    diagnosis = await diagnose_session(request)

    assert isinstance(diagnosis, Diagnosis)
    assert [(e.name, e.entry.pod) for e in diagnosis.session.events] == [("ws.bind", GONE)]
    logs = diagnosis.coverage.find("cloud-logging")
    nodes = diagnosis.coverage.find("pod-logs")
    assert logs is not None
    assert nodes is not None
    assert (logs.entries, nodes.entries) == (0, 1)
    assert "were read from their nodes instead" in logs.notes[-1]
