"""However a kubelet ends, no process of its pods is left; the next one takes them up."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pipeline.local.control_plane.control_plane import ControlPlane
from tests.contract.control_plane import Kubectl, until
from tests.contract.kubelet import Node, pod, run_node

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]

NODE = "short-lived"


@pytest_asyncio.fixture(loop_scope="session")
async def kubectl(control_plane: ControlPlane) -> AsyncIterator[Kubectl]:
    """The administrator's; the node of these tests is gone afterwards."""
    kubectl = Kubectl(control_plane)
    yield kubectl
    await kubectl("delete", "node", NODE)


async def test_a_killed_kubelet_takes_its_processes_along_and_the_next_restarts_them(
    control_plane: ControlPlane, kubectl: Kubectl, tmp_path: Path
) -> None:
    """SIGKILL leaves nothing; then the count goes up, and the last state says that nobody saw the end."""
    bound = pod("kept", "server")
    bound["spec"]["nodeName"] = NODE
    async with run_node(control_plane, tmp_path, NODE) as node:
        await node.apply(bound)
        first = await find_process(node, restarts=0)
        os.kill(node.kubelet.pid, signal.SIGKILL)
        await until(lambda: is_gone(first))

    async with run_node(control_plane, tmp_path, NODE) as node:
        second = await find_process(node, restarts=1)
        last = (await node.container("kept"))["lastState"]["terminated"]
        assert (last["exitCode"], last["reason"]) == (137, "ContainerStatusUnknown")

    assert await is_gone(second)
    assert (await kubectl.get("pod", "kept"))["spec"]["nodeName"] == NODE


async def find_process(node: Node, restarts: int) -> int:
    """The process ID that the container says in its log, once its status says that it runs."""
    found: list[str] = []

    async def runs() -> bool:
        container = await node.container("kept")
        if not container.get("started") or container["restartCount"] != restarts:
            return False
        found[:] = (await node.kubectl.run("logs", "kept")).stdout.split()
        return len(found) == 3

    await until(runs)
    return int(found[-1])


async def is_gone(process: int) -> bool:
    """Whether it runs no more."""
    return not Path(f"/proc/{process}").exists()
