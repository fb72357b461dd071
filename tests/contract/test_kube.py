"""The cluster as a real API server tells it, with the rights that a viewer has, and without any."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from diag.errors import SourceError
from diag.model.cluster import ClusterFacts, Endpoints
from diag.model.settings import KubernetesSettings
from diag.sources.kube.listing import ALL
from diag.sources.kube.source import read_cluster
from pipeline.local.control_plane import access
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.control_plane.keys import make_keys
from tests.contract.control_plane import Kubectl, deployment, until

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]

NAMESPACE = "read-by-diag"
MANIFEST = Path(__file__).parents[2] / "docs/diag-job.yaml"
PLANTED = "sk-live-51H8xQ2eZvKYlo2C"
DIGEST = "sha256:" + "0123456789abcdef" * 4
NOWHERE = {"is": "nowhere"}
"""The kubelet that other files start would run the pods, and tell of them itself."""


def settings(plane: ControlPlane, user: access.User = access.VIEWER, **more: Any) -> KubernetesSettings:
    return KubernetesSettings(kubeconfig=str(plane.kubeconfig(user)), **{"timeout_s": 60.0, **more})


async def read(plane: ControlPlane, user: access.User = access.VIEWER, *namespaces: str) -> ClusterFacts:
    return await read_cluster(settings(plane, user), "", namespaces or (NAMESPACE,), time.time_ns())


def orchestrator(image: str = "voice-agent/orchestrator:1") -> dict[str, Any]:
    """A deployment with what a container can have; its variable holds a secret."""
    made = deployment("orchestrator", 2, image)
    made["metadata"]["namespace"] = NAMESPACE
    made["spec"]["template"]["spec"]["nodeSelector"] = NOWHERE
    made["spec"]["template"]["spec"]["containers"][0] |= {
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "API_KEY", "value": PLANTED}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": 8080}, "initialDelaySeconds": 7},
    }
    return made


def named(kind: str, version: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


REASONS = {"ScalingReplicaSet", "SuccessfulCreate"}
OBJECTS = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": NAMESPACE},
        "stringData": {"password": PLANTED},
    },
    orchestrator(),
    named(
        "Service", "v1", "orchestrator",
        selector={"app": "orchestrator"}, sessionAffinity="ClientIP", ports=[{"port": 80, "targetPort": "http"}],
    ),
    named("Service", "v1", "kafka", ports=[{"port": 9092}]),
    {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {
            "name": "kafka-1", "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": "kafka"}
        },
        "ports": [{"port": 9092}],
        "endpoints": [
            {"addresses": ["10.244.1.1"]},
            {"addresses": ["10.244.1.2"], "conditions": {"ready": False}},
            {"addresses": ["10.244.1.3"], "conditions": {"ready": False, "serving": True, "terminating": True}},
        ],
    },
    named(
        "HorizontalPodAutoscaler", "autoscaling/v2", "orchestrator", minReplicas=1, maxReplicas=3,
        scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "orchestrator"},
    ),
    named(
        "StatefulSet", "apps/v1", "redpanda", replicas=1, serviceName="redpanda",
        selector={"matchLabels": {"app": "redpanda"}},
        template={
            "metadata": {"labels": {"app": "redpanda"}},
            "spec": {
                "nodeSelector": NOWHERE,
                "containers": [{"name": "redpanda", "image": "redpanda/redpanda:v25"}],
            },
        },
    ),
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(control_plane: ControlPlane) -> AsyncIterator[ControlPlane]:
    """With a namespace of our own, whose pods have come, and the events of that; no kubelet runs them."""
    async with control_plane.api() as api:
        for item in OBJECTS:
            await api.apply(item)

        async def all_is_there() -> bool:
            pods, events = [
                (await api.get(f"/api/v1/namespaces/{NAMESPACE}/{kind}"))["items"]
                for kind in ("pods", "events")
            ]
            return len(pods) == 3 and {one["reason"] for one in events} >= REASONS

        await until(all_is_there)
    yield control_plane
    await Kubectl(control_plane)("delete", "namespace", NAMESPACE, "--wait=false")


async def patch_status(plane: ControlPlane, name: str, status: Mapping[str, Any]) -> None:
    """What the node would tell of a pod."""
    await Kubectl(plane)(
        "patch", "pod", name, "-n", NAMESPACE, "--subresource=status", "-p", json.dumps({"status": status})
    )


async def test_a_viewer_reads_every_kind_of_object(cluster: ControlPlane) -> None:
    """The role view is enough for all that is listed."""
    facts = await read(cluster)

    assert facts.unread == ()
    assert facts.version == "v1.36.3"
    assert [(one.kind, one.name, one.wanted) for one in facts.workloads] == [
        ("deployment", "orchestrator", 2),
        ("statefulset", "redpanda", 1),
    ]
    assert [(one.name, one.affinity, one.selector) for one in facts.services] == [
        ("kafka", "None", {}),
        ("orchestrator", "ClientIP", {"app": "orchestrator"}),
    ]
    (scaler,) = facts.autoscalers
    assert (scaler.target, scaler.least, scaler.most) == ("deployment/orchestrator", 1, 3)
    assert {event.reason for event in facts.events} >= REASONS
    assert len(facts.pods) == 3


async def test_revisions_and_probes_are_those_that_were_ordered(cluster: ControlPlane) -> None:
    """The replica set with its image, the stateful set's own revision, both probes."""
    workload, broker = (await read(cluster)).workloads

    (revision,) = workload.revisions
    assert (revision.number, revision.images) == (1, ("voice-agent/orchestrator:1",))
    assert revision.created_ns is not None
    (container,) = workload.containers
    assert [(p.role, p.handler, p.port, p.path, p.delay_s, p.period_s) for p in container.probes] == [
        ("liveness", "tcp", "8080", "", 7, 10),
        ("readiness", "http", "http", "/readyz", 0, 5),
    ]
    assert broker.revisions[0].images == ("redpanda/redpanda:v25",)


async def test_no_secret_is_asked_for_and_of_variables_only_the_names_are_kept(cluster: ControlPlane) -> None:
    """Even where whoever asks may read all of it."""
    facts = await read(cluster, access.ADMIN)

    assert facts.workloads[0].containers[0].variables == ("API_KEY",)
    assert PLANTED not in repr(facts)


async def test_what_the_node_tells_of_a_container_is_read(cluster: ControlPlane) -> None:
    """Digest, state, restarts, and how it ended the last time."""
    name = next(pod.name for pod in (await read(cluster)).pods if pod.owner.startswith("orchestrator"))
    await patch_status(
        cluster,
        name,
        {
            "phase": "Running",
            "startTime": "2026-11-23T10:00:00Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-23T10:05:00Z"}],
            "containerStatuses": [
                {
                    "name": "orchestrator",
                    "image": "voice-agent/orchestrator:1",
                    "imageID": f"voice-agent/orchestrator@{DIGEST}",
                    "ready": True,
                    "restartCount": 2,
                    "state": {"running": {"startedAt": "2026-11-23T10:04:00Z"}},
                    "lastState": {
                        "terminated": {
                            "exitCode": 137, "reason": "OOMKilled",
                            "startedAt": "2026-11-23T10:00:01Z", "finishedAt": "2026-11-23T10:03:00Z",
                        }
                    },
                }
            ],
        },
    )  # fmt: skip

    pod = next(pod for pod in (await read(cluster)).pods if pod.name == name)
    (status,) = pod.statuses
    assert (status.digest, status.state, status.restarts, pod.ready) == (DIGEST, "running", 2, True)
    assert status.last is not None
    assert (status.last.reason, status.last.exit_code) == ("OOMKilled", 137)


async def test_what_stands_behind_a_service_is_counted(cluster: ControlPlane) -> None:
    """A condition that is not told means yes; what is on its way out still answers."""
    behind = {one.name: one.endpoints for one in (await read(cluster)).services}

    assert behind["kafka"] == Endpoints(1, 2, 2, 1)


async def test_a_rollout_and_the_way_back_are_seen_as_revisions(cluster: ControlPlane) -> None:
    """The old replica set comes back under a new number, and says that it was there before."""
    kubectl = Kubectl(cluster)
    where = ("-n", "default", "deployment/rolled-by-diag")
    first, second = ("voice-agent/orchestrator:1",), ("voice-agent/orchestrator:2",)
    made = deployment("rolled-by-diag", 0, *first)
    made["metadata"]["namespace"] = "default"
    async with cluster.api() as api:
        await api.apply(made)

    async def numbers() -> list[tuple[int, tuple[str, ...], bool]]:
        workloads = (await read(cluster, access.VIEWER, "default")).workloads
        own = next(one for one in workloads if one.name == "rolled-by-diag")
        return [(one.number, one.images, one.returned) for one in own.revisions]

    await until(lambda: _equals(numbers, [(1, first, False)]))
    await kubectl("set", "image", *where, f"rolled-by-diag={second[0]}")
    await until(lambda: _equals(numbers, [(1, first, False), (2, second, False)]))
    await kubectl("rollout", "undo", *where)
    await until(lambda: _equals(numbers, [(2, second, False), (3, first, True)]))
    await kubectl("delete", *where)


async def _equals(ask: Any, expected: Any) -> bool:
    return bool(await ask() == expected)


async def test_pages_are_followed_to_the_last(cluster: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server hands out a token as long as there is more."""
    monkeypatch.setattr("diag.sources.kube.listing.PAGE", 1)

    facts = await read(cluster)

    assert {one.what for one in facts.unread} <= {"events"}  # the controllers write ever more of them
    assert len(facts.services) == 2


async def test_more_pages_than_we_read_are_said(
    cluster: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came stays, and what is missing has its name."""
    monkeypatch.setattr("diag.sources.kube.listing.PAGE", 1)
    monkeypatch.setattr("diag.sources.kube.listing._MOST_PAGES", 1)

    facts = await read(cluster)

    assert len(facts.services) == 1
    assert "services" in {one.what for one in facts.unread}


async def test_who_may_do_nothing_hears_which_right_is_missing(cluster: ControlPlane) -> None:
    """By the words of the role, for the namespace."""
    with pytest.raises(SourceError) as refused:
        await read(cluster, access.OUTSIDER)

    assert f"deployments in {NAMESPACE}: not allowed" in str(refused.value)
    assert "grant list deployments" in refused.value.hint


async def test_who_lacks_one_right_gets_the_rest_and_hears_what_is_missing(cluster: ControlPlane) -> None:
    """A role of one's own that forgot the events and the pods' revisions."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "pods-alone", "namespace": NAMESPACE},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "pods-alone", "namespace": NAMESPACE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "pods-alone"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": access.OUTSIDER.name}],
    }
    kubectl = Kubectl(cluster)
    async with cluster.api() as api:
        for item in (role, binding):
            await api.apply(item)
    try:
        await until(lambda: _lists(cluster, access.OUTSIDER))
        facts = await read(cluster, access.OUTSIDER)
    finally:
        await kubectl("delete", "rolebinding", "pods-alone", "-n", NAMESPACE)

    assert len(facts.pods) >= 3
    assert {one.what for one in facts.unread} >= {"events", "deployments", "endpoint slices"}
    assert "pods" not in {one.what for one in facts.unread}
    events = next(one for one in facts.unread if one.what == "events")
    assert (
        events.reason.startswith(f"events in {NAMESPACE}: not allowed"),
        "list events" in events.remedy,
    ) == (True, True)


async def _lists(plane: ControlPlane, user: access.User) -> bool:
    """Whether a right that was just given is known to the server by now."""
    try:
        await read(plane, user)
    except SourceError:
        return False
    return True


async def test_all_namespaces_are_read_but_for_the_platform_s_own(cluster: ControlPlane) -> None:
    """A kubeconfig whose context names none."""
    path = cluster.kubeconfig(access.VIEWER)
    kubeconfig = json.loads(path.read_text("utf-8"))
    del kubeconfig["contexts"][0]["context"]["namespace"]
    other = path.with_name("everywhere.kubeconfig")
    other.write_text(json.dumps(kubeconfig), "utf-8")

    facts = await read_cluster(KubernetesSettings(kubeconfig=str(other), timeout_s=60.0), "", (), 0)

    assert facts.namespaces == ()
    spaces = {pod.namespace for pod in facts.pods} | {one.namespace for one in facts.services}
    assert NAMESPACE in spaces
    assert not any(one.startswith("kube-") for one in spaces)


def changed(path: Path, **fields: Any) -> KubernetesSettings:
    """The kubeconfig with other words for the server or the user."""
    kubeconfig = json.loads(path.read_text("utf-8"))
    kubeconfig["clusters"][0]["cluster"] |= fields.pop("cluster", {})
    if "user" in fields:
        kubeconfig["users"][0]["user"] = fields.pop("user")
    other = path.with_name("changed.kubeconfig")
    other.write_text(json.dumps(kubeconfig), "utf-8")
    return KubernetesSettings(kubeconfig=str(other), timeout_s=60.0)


async def refusal(given: KubernetesSettings) -> SourceError:
    with pytest.raises(SourceError) as refused:
        await read_cluster(given, "", (NAMESPACE,), 0)
    return refused.value


async def test_a_token_that_is_none_any_more_is_said_to_be_so(cluster: ControlPlane) -> None:
    """401, with what to do."""
    error = await refusal(changed(cluster.kubeconfig(access.VIEWER), user={"token": "long-gone-token"}))

    assert "credentials are refused or have expired" in str(error)
    assert "get-credentials" in error.hint
    assert "long-gone-token" not in f"{error} {error.hint}"


async def test_a_certificate_of_another_authority_is_not_trusted(
    cluster: ControlPlane, tmp_path: Path
) -> None:
    """A cluster that was made anew under its old name."""
    authority = tmp_path / "other.pem"
    await asyncio.to_thread(_make_authority, authority)
    error = await refusal(
        changed(cluster.kubeconfig(access.VIEWER), cluster={"certificate-authority": str(authority)})
    )

    assert "signed by an authority that the kubeconfig does not name" in str(error)


def _make_authority(path: Path) -> None:
    path.write_bytes(make_keys(path.with_suffix("")).authority.read_bytes())


async def test_the_manifest_s_account_may_do_what_diag_asks_for_and_no_more(cluster: ControlPlane) -> None:
    """Every list and the pods' logs, in its own namespace; no secret, and no change."""
    kubectl = Kubectl(cluster)
    await kubectl("apply", "--dry-run=server", "-f", str(MANIFEST))
    rights = [one for one in yaml.safe_load_all(MANIFEST.read_text("utf-8")) if one["kind"] != "Job"]
    for one in rights:
        await kubectl("apply", "-f", "-", stdin=one)
    namespace = rights[0]["metadata"]["namespace"]

    async def may(verb: str, *resource: str, where: str = namespace) -> bool:
        who = f"--as=system:serviceaccount:{namespace}:diag"
        return (await kubectl.run("auth", "can-i", verb, *resource, "-n", where, who)).stdout.strip() == "yes"

    await until(lambda: may("list", "pods"))
    groups = {"apis/apps/v1": ".apps", "api/v1": ""}
    lists = [f"{one.resource}{groups.get(one.group, '.' + one.group.split('/')[1])}" for one in ALL]
    needed = [*(("list", one) for one in lists), ("get", "pods", "--subresource=log")]
    refused = [("list", "secrets"), ("delete", "pods"), ("create", "pods"), ("patch", "deployments")]
    given = await asyncio.gather(*(may(*words) for words in (*needed, *refused)))
    assert dict(zip((*needed, *refused), given, strict=True)) == {
        **dict.fromkeys(needed, True), **dict.fromkeys(refused, False),
    }  # fmt: skip
    assert not await may("list", "pods", where="default")
    for one in rights:
        await kubectl("delete", one["kind"], one["metadata"]["name"], "-n", namespace)
