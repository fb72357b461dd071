"""Pods run on the kubelet of the stack as they run on a node of GKE."""

from __future__ import annotations

import pytest

from tests.contract.control_plane import until
from tests.contract.kubelet import Node, http_probe, is_true, pod

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]


async def test_a_pod_runs_and_becomes_ready(node: Node) -> None:
    """Phase, conditions, address, image by digest, and the events of its start."""
    await node.apply(pod("runs", "server", readinessProbe=http_probe("unready")))

    async def is_ready() -> bool:
        return is_true((await node.pods("runs"))[0], "Ready")

    await until(is_ready)
    [found] = await node.pods("runs")
    [container] = found["status"]["containerStatuses"]
    assert found["status"]["phase"] == "Running"
    assert found["status"]["podIP"].startswith("10.244.")
    assert container["imageID"].startswith("voice-agent/test-server@sha256:")
    assert container["containerID"].startswith("containerd://")
    assert (container["ready"], container["started"], container["restartCount"]) == (True, True, 0)
    reasons = [reason for reason, _ in await node.events(found)]
    assert {"Scheduled", "Pulling", "Pulled", "Created", "Started"} <= set(reasons)
