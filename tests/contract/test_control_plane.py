"""The control plane is a real one: what it says is what Kubernetes says."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from pipeline.local.control_plane import access
from pipeline.local.control_plane.api import ApiError
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.processes import REPOSITORY
from pipeline.local.state import NAMESPACE, NODE_NAME
from tests.contract.control_plane import READY_S, Kubectl, deployment, until
from tests.contract.kubelet import Node
from tests.processes import is_alive

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]

_HELD = """
import asyncio, sys
from pathlib import Path
from pipeline.local.control_plane.control_plane import ControlPlane

async def main():
    async with ControlPlane(Path(sys.argv[1]), ready_s=90) as plane:
        print(*(daemon.pid for daemon in plane.daemons.values()), flush=True)
        await asyncio.get_running_loop().create_future()

asyncio.run(main())
"""


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


async def test_a_deployment_becomes_a_replica_set_and_pods_on_the_node(
    control_plane: ControlPlane, node: Node
) -> None:
    """Controllers and scheduler work: pods that nobody named are bound to the one node."""
    kubectl = Kubectl(control_plane)
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


async def test_every_manifest_is_accepted(control_plane: ControlPlane) -> None:
    """All of pipeline/deploy; only what GKE adds to Kubernetes is unknown to a plain API server."""
    kubectl, folder = Kubectl(control_plane), REPOSITORY / "pipeline" / "deploy"
    dry_run = ("apply", "--dry-run=server")

    accepted = await kubectl(*dry_run, "-k", str(folder))
    await kubectl(*dry_run, "-f", str(folder / "redpanda.yaml"))
    for_gke = await kubectl.run(*dry_run, "-f", str(folder / "gke.yaml"))

    assert accepted.count("deployment.apps/") >= 6
    assert "ingress.networking.k8s.io/voice-agent created" in for_gke.stdout
    assert set(re.findall(r'no matches for kind "(\w+)"', for_gke.stderr)) == {
        "BackendConfig",
        "ManagedCertificate",
    }
    assert "invalid" not in for_gke.stderr


async def test_it_ends_with_whoever_holds_it(control_plane: ControlPlane, tmp_path: Path) -> None:
    """A holder that is killed leaves no process, and everything that was written is in the one folder."""
    folder, home = tmp_path / "plane", tmp_path / "home"
    home.mkdir()
    cache = control_plane.programs.root.parents[2]
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": str(REPOSITORY),
    }
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HELD, str(folder)), cwd=home, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout
    pids = [int(pid) for pid in (await asyncio.wait_for(holder.stdout.readline(), READY_S)).split()]
    holder.kill()
    await holder.wait()

    async def are_gone() -> bool:
        return not any(is_alive(pid) for pid in pids)

    assert len(pids) == 4
    await until(are_gone)
    assert list(home.iterdir()) == []
    secret = [path for path in folder.rglob("*") if path.suffix in {".key", ".kubeconfig", ".csv"}]
    assert len(secret) == 2 + len(access.USERS) + 1
    assert not [path for path in secret if path.stat().st_mode & 0o077]
