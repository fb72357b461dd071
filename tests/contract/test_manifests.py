"""The reference manifests against a real API server: what it fills in by itself is no difference."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from diag.cluster import look_back
from diag.drift import compare
from diag.model.manifests import Drift
from diag.model.settings import KubernetesSettings
from diag.sources.kube.source import read_cluster
from diag.sources.manifests import read_manifests
from pipeline.local.control_plane import access
from pipeline.local.control_plane.control_plane import ControlPlane
from tests.contract.control_plane import Kubectl, until

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]

DEPLOY = Path(__file__).parents[2] / "pipeline/deploy"
NAMESPACE = "held-against-files"
KINDS = ("Deployment", "Service", "StatefulSet", "HorizontalPodAutoscaler")
# The broker stands in two files, of which a cluster has one.
LEFT_OUT = ("redpanda.yaml", "gke.yaml", "compose.yaml", "kustomization.yaml")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference manifests, in a namespace of our own."""
    folder = tmp_path_factory.mktemp("manifests")
    for path in DEPLOY.glob("*.yaml"):
        if path.name not in LEFT_OUT:
            (folder / path.name).write_text(
                path.read_text().replace("namespace: voice-agent", f"namespace: {NAMESPACE}")
            )
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def plane(control_plane: ControlPlane, files: Path) -> AsyncIterator[ControlPlane]:
    """With all of them applied."""
    async with control_plane.api() as api:
        await api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for path in sorted(files.glob("*.yaml")):
            for item in yaml.safe_load_all(path.read_text()):
                if item and item["kind"] in KINDS:
                    await api.apply(item)
    yield control_plane
    await Kubectl(control_plane)("delete", "namespace", NAMESPACE, "--wait=false")


async def drift(plane: ControlPlane, files: Path) -> Drift:
    settings = KubernetesSettings(kubeconfig=str(plane.kubeconfig(access.VIEWER)), timeout_s=60.0)
    facts = await read_cluster(settings, "", (NAMESPACE,), time.time_ns())
    return compare(read_manifests(str(files)), look_back(facts, None, heard=[], is_ours=lambda _: True))


async def test_what_was_applied_does_not_differ(plane: ControlPlane, files: Path) -> None:
    """Defaults of ports, selectors and affinity, and replicas that an autoscaler has a say in."""
    found = await drift(plane, files)

    assert found.differences == ()
    assert found.not_compared == ()
    assert found.compared > 10


async def test_what_somebody_changes_by_hand_is_told(plane: ControlPlane, files: Path) -> None:
    """With the line of the file and the field of the object; and put back, nothing differs."""
    line = next(
        n
        for n, text in enumerate((files / "orchestrator.yaml").read_text().splitlines(), 1)
        if " image: " in text
    )
    applied = next(
        item
        for item in yaml.safe_load_all((files / "orchestrator.yaml").read_text())
        if item["kind"] == "Deployment"
    )
    box = applied["spec"]["template"]["spec"]["containers"][0]
    wanted = box["image"]
    async with plane.api() as api:
        box["image"] = "voice-agent/orchestrator:by-hand"
        await api.apply(applied)
        (found,) = (await drift(plane, files)).differences
        box["image"] = wanted
        await api.apply(applied)

    assert (found.name, found.what, found.wanted, found.live) == (
        "orchestrator", "image of orchestrator", wanted, "voice-agent/orchestrator:by-hand",
    )  # fmt: skip
    assert found.file_ref == f"orchestrator.yaml:{line}"
    assert found.live_ref == f"deployment/{NAMESPACE}/orchestrator:image"

    async def is_as_before() -> bool:
        return not (await drift(plane, files)).differences

    await until(is_as_before)
