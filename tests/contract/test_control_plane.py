"""The control plane is a real one: what it says is what Kubernetes says."""

from __future__ import annotations

import pytest

from pipeline.local.control_plane import access
from pipeline.local.control_plane.api import ApiError
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.state import NAMESPACE, NODE_NAME
from tests.contract.control_plane import Kubectl, deployment, until

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]


async def test_it_says_the_version_that_it_was_built_from(control_plane: ControlPlane) -> None:
    """/version states the release, as that of GKE does, and not a build of nobody's."""
    async with control_plane.api() as api:
        version = await api.get("/version")

    assert (version["gitVersion"], version["major"], version["minor"]) == ("v1.36.3", "1", "36")


async def test_an_outsider_is_refused_in_kubernetes_words(control_plane: ControlPlane) -> None:
    """403, with who may not do what to which resource in which namespace."""
    async with control_plane.api(access.OUTSIDER) as api:
        with pytest.raises(ApiError) as refusal:
            await api.get(f"/api/v1/namespaces/{NAMESPACE}/pods")

    assert refusal.value.status == 403
    assert str(refusal.value) == (
        'pods is forbidden: User "outsider@voice-agent.example" cannot list resource "pods" in API group ""'
        ' in the namespace "voice-agent"'
    )


async def test_a_viewer_reads_and_changes_nothing(control_plane: ControlPlane) -> None:
    """Kubectl lists as the viewer does, and may neither delete nor see secrets."""
    kubectl = Kubectl(control_plane, access.VIEWER)

    assert (await kubectl.run("get", "deployments")).returncode == 0
    for words in (("delete", "pod", "any"), ("get", "secrets")):
        assert "(Forbidden)" in (await kubectl.run(*words)).stderr


async def test_a_deployment_becomes_a_replica_set_and_pods_on_the_node(control_plane: ControlPlane) -> None:
    """Controllers and scheduler work: pods that nobody named are bound to the one node."""
    kubectl = Kubectl(control_plane)
    await control_plane.register_node(kubelet_port=1)
    async with control_plane.api() as api:
        await api.apply(deployment("scheduled", replicas=2))

    async def nodes_of_pods() -> list[str]:
        pods = (await kubectl.get("pods", "-l", "app=scheduled"))["items"]
        return [pod["spec"].get("nodeName", "") for pod in pods]

    async def are_scheduled() -> bool:
        return await nodes_of_pods() == [NODE_NAME] * 2

    await until(are_scheduled)
    (replica_set,) = (await kubectl.get("replicasets", "-l", "app=scheduled"))["items"]
    assert replica_set["metadata"]["ownerReferences"][0]["name"] == "scheduled"
    assert "kubectl apply" not in await kubectl("rollout", "history", "deployment/scheduled")
    await kubectl("delete", "deployment", "scheduled")


async def test_what_is_applied_twice_is_changed_once(control_plane: ControlPlane) -> None:
    """Server-side apply: the same manifest leaves the object alone, and a dry run makes none."""
    async with control_plane.api() as api:
        first = await api.apply(deployment("applied", replicas=0))
        again = await api.apply(deployment("applied", replicas=0))
        dry = await api.apply(deployment("dry", replicas=0), dry_run=True)
        names = [one["metadata"]["name"] for one in (await api.get("/apis/apps/v1/deployments"))["items"]]

    assert first["metadata"]["generation"] == again["metadata"]["generation"] == 1
    assert dry["metadata"]["name"] == "dry"
    assert "dry" not in names
