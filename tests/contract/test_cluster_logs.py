"""What a cluster says of itself arrives in Cloud Logging as it does from GKE."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from diag.app.cluster_events import read_logged_events
from diag.catalogue import load_catalogue
from diag.cluster import look_back
from diag.model.cluster import ClusterFacts
from diag.model.settings import ClusterSettings
from diag.model.window import Window
from diag.sources.cloud_logging import CloudLogging
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.processes import Daemon, base_environment
from tests.contract.control_plane import Kubectl, deployment, until
from tests.contract.logging_server import PROJECT, Server

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]

CLUSTER = {"project_id": PROJECT, "location": "europe-west4", "cluster_name": "voice"}
ACTIVITY = f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Factivity"


@pytest_asyncio.fixture(loop_scope="session")
async def logs(
    control_plane: ControlPlane, serve: Callable[..., Server], tmp_path: Path
) -> AsyncIterator[Server]:
    """A logging server that the cluster's exporter writes to."""
    server = serve()
    environment = base_environment(tmp_path) | {
        "KUBECONFIG": str(control_plane.kubeconfig()),
        "AUDIT_LOG": str(control_plane.audit_log),
        "LOGGING_ENDPOINT": f"http://{server.address}",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "CLUSTER_LOCATION": CLUSTER["location"],
        "CLUSTER_NAME": CLUSTER["cluster_name"],
    }
    argv = (sys.executable, "-m", "pipeline.local.cluster_logs")
    exporter = await Daemon.start("cluster-logs", argv, environment, tmp_path / "cluster-logs.log")
    yield server
    await exporter.stop(10)
    assert exporter.tail() == []


async def find(server: Server, filter_: str, count: int = 1) -> list[dict[str, Any]]:
    """The first `count` entries that match, in the REST form, once there are so many."""
    found: list[dict[str, Any]] = []

    async def are_there() -> bool:
        found[:] = await asyncio.to_thread(server.list, filter_)
        return len(found) >= count

    await until(are_there)
    return found


async def test_a_changed_image_is_told_with_who_changed_it(control_plane: ControlPlane, logs: Server) -> None:
    """The audit entry of a rollout: method, object, person, program, and what was asked for."""
    kubectl = Kubectl(control_plane)
    await kubectl("apply", "-f", "-", stdin=deployment("audited", replicas=0))
    await kubectl("set", "image", "deployment/audited", "audited=voice-agent/stand-in:2")

    (entry,) = await find(
        logs,
        f'logName="{ACTIVITY}" protoPayload.methodName="io.k8s.apps.v1.deployments.patch"'
        ' protoPayload.resourceName="apps/v1/namespaces/voice-agent/deployments/audited"',
    )

    assert entry["resource"] == {"type": "k8s_cluster", "labels": CLUSTER}
    assert entry["severity"] == "NOTICE"
    assert entry["labels"]["authorization.k8s.io/decision"] == "allow"
    payload = entry["protoPayload"]
    assert payload["serviceName"] == "k8s.io"
    assert payload["authenticationInfo"] == {"principalEmail": "admin@voice-agent.example"}
    assert payload["requestMetadata"]["callerIp"] == "127.0.0.1"
    assert payload["requestMetadata"]["callerSuppliedUserAgent"].startswith("kubectl/v1.36.3 ")
    assert payload["request"]["@type"] == "k8s.io/Patch"
    (container,) = payload["request"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "voice-agent/stand-in:2"
    assert payload["response"]["@type"] == "apps.k8s.io/v1.Deployment"


async def test_a_rollout_of_a_deployment_that_is_gone_is_known_by_its_audit_lines(
    control_plane: ControlPlane, logs: Server
) -> None:
    """Made, rolled out, deleted: nothing is left of it in the cluster, and diag tells both revisions with images."""
    kubectl, begun_ns = Kubectl(control_plane), time.time_ns()
    sets = f'logName="{ACTIVITY}" protoPayload.methodName="io.k8s.apps.v1.replicasets.create"'
    await kubectl("apply", "-f", "-", stdin=deployment("fleeting", replicas=0))
    await find(logs, f'{sets} protoPayload.resourceName:"fleeting"')
    await kubectl("set", "image", "deployment/fleeting", "fleeting=voice-agent/stand-in:2")
    await find(logs, f'{sets} protoPayload.resourceName:"fleeting"', 2)
    await kubectl("delete", "deployment", "fleeting")
    method = "io.k8s.apps.v1.deployments.delete"
    await find(logs, f'logName="{ACTIVITY}" protoPayload.methodName="{method}" "deployments/fleeting"')

    window = Window(begun_ns, time.time_ns())
    cluster = ClusterSettings(CLUSTER["cluster_name"], CLUSTER["location"], "voice-agent")
    source = CloudLogging(logs.settings().logging, cluster, load_catalogue())
    logged = await read_logged_events(source, window, window.end_ns + 3600 * 10**9)
    facts = ClusterFacts("local", window.end_ns, ("voice-agent",))
    seen = look_back(facts, window, changes=logged.changes, is_ours=lambda name: name == "fleeting")

    (gone,) = seen.workloads
    first, second = gone.in_force
    assert second.images == ("voice-agent/stand-in:2",)
    assert first.images != second.images
    assert (first.certain, second.certain) == (True, True)
    assert second.until_ns is not None
    assert any(note.startswith("deleted ") for note in gone.notes)


async def test_an_event_becomes_an_entry_of_its_pod(control_plane: ControlPlane, logs: Server) -> None:
    """A pod that no node takes: the scheduler's warning, with the pod as the resource."""
    kubectl = Kubectl(control_plane)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "nowhere", "namespace": "voice-agent"},
        "spec": {
            "nodeSelector": {"is": "nowhere"},
            "containers": [{"name": "c", "image": "voice-agent/c:1"}],
        },
    }
    await kubectl("apply", "-f", "-", stdin=pod)

    its_own = (
        'resource.type="k8s_pod" resource.labels.pod_name="nowhere"'  # other tests' pods have events, too
    )
    entry, *_ = await find(logs, f'log_id("events") {its_own} jsonPayload.reason="FailedScheduling"')

    assert entry["resource"]["labels"] == CLUSTER | {"namespace_name": "voice-agent", "pod_name": "nowhere"}
    assert entry["severity"] == "WARNING"
    assert entry["jsonPayload"]["kind"] == "Event"
    assert entry["jsonPayload"]["involvedObject"]["name"] == "nowhere"
    assert "available" in entry["jsonPayload"]["message"]
    assert not {"count", "firstTimestamp"} & entry["jsonPayload"].keys()
    await kubectl("delete", "pod", "nowhere")


async def test_reading_leaves_no_entry(control_plane: ControlPlane, logs: Server) -> None:
    """Admin Activity is what was changed: a read before a change is not in it."""
    kubectl = Kubectl(control_plane)
    await kubectl("get", "configmaps", "-A")
    await kubectl("create", "configmap", "after", "--from-literal=secret=none-of-yours")

    (change,) = await find(
        logs,
        f'logName="{ACTIVITY}" protoPayload.methodName:"configmaps.create" protoPayload.resourceName:"after"',
    )

    assert "none-of-yours" not in str(change)
    assert not await asyncio.to_thread(
        logs.list, f'logName="{ACTIVITY}" protoPayload.methodName=~"[.](get|list|watch)$"'
    )
    await kubectl("delete", "configmap", "after")
