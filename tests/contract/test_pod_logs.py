"""Logs of pods as a real kubelet keeps them, through a real API server, with a viewer's rights."""

from __future__ import annotations

import time

import pytest

from diag.model.coverage import State
from diag.model.queries import LogQuery
from diag.model.records import LogRecord
from diag.model.settings import KubernetesSettings
from diag.model.window import MINUTE_NS, Window
from diag.sources.kube.logs import PodLogs
from pipeline.local.control_plane import access
from pipeline.local.state import NAMESPACE
from tests.contract.control_plane import until
from tests.contract.kubelet import Node, pod

pytestmark = [pytest.mark.part("control-plane"), pytest.mark.asyncio(loop_scope="session")]


def source(node: Node, name: str, user: access.User = access.VIEWER) -> PodLogs:
    settings = KubernetesSettings(kubeconfig=str(node.plane.kubeconfig(user)), timeout_s=60.0)
    return PodLogs(settings, "", (NAMESPACE,), lambda pod_name: pod_name == name)


def until_now() -> Window:
    now_ns = time.time_ns()
    return Window(now_ns - 10 * MINUTE_NS, now_ns)


async def read(logs: PodLogs, window: Window) -> list[LogRecord]:
    return [record async for batch in logs.read(LogQuery(window)) for record in batch]


async def test_the_log_and_the_one_before_it_are_read_with_their_times(node: Node) -> None:
    """A container that ends again and again: what it said this time, and the time before."""
    await node.apply(pod("logs-of-crash", "crash"))

    async def has_restarted() -> bool:
        return (await node.container("logs-of-crash")).get("restartCount", 0) >= 2

    await until(has_restarted)
    stem = f"pod/{NAMESPACE}/logs-of-crash/logs-of-crash"
    records, row = list[LogRecord](), source(node, "logs-of-crash").coverage()

    async def has_the_one_before() -> bool:
        """It ends again and again: just then neither of its logs may be there."""
        nonlocal records, row
        logs = source(node, "logs-of-crash")
        records, row = await read(logs, until_now()), logs.coverage()
        return any(record.origin.startswith(f"{stem}/previous") for record in records)

    await until(has_the_one_before)
    await node.kubectl("delete", "pod", "logs-of-crash", "--wait=false")

    names = {record.origin.rpartition(":")[0] for record in records}
    assert {f"{stem}/previous"} <= names <= {stem, f"{stem}/previous"}
    assert all(record.data.endswith(" about to crash") for record in records)
    assert all(record.data.startswith("[pod/logs-of-crash/logs-of-crash] 20") for record in records)
    assert "before the last two are lost" in " ".join(row.notes)
    assert row.entries == len(records)


async def test_a_later_window_gives_only_what_is_new(node: Node) -> None:
    """Line by line, none twice and none left out, though the node's own times are cut to seconds."""
    await node.apply(pod("logs-of-lines", "lines"))
    logs = source(node, "logs-of-lines")

    async def has_lines() -> bool:
        return "line 5" in (await node.kubectl.run("logs", "logs-of-lines")).stdout

    await until(has_lines)
    window = until_now()
    first = await read(logs, window)
    assert await read(logs, window) == []

    async def has_more() -> bool:
        return f"line {len(first) + 5}" in (await node.kubectl.run("logs", "logs-of-lines")).stdout

    await until(has_more)
    second = await read(logs, Window(window.start_ns, time.time_ns()))
    await node.kubectl("delete", "pod", "logs-of-lines", "--wait=false")

    told = [record.data.split(" ", 2)[2] for record in (*first, *second)]
    assert len(second) > 0
    assert told == [f"line {number}" for number in range(len(told))]
    assert len({record.origin for record in (*first, *second)}) == len(told)
    assert logs.coverage().state is State.COMPLETE


async def test_who_may_not_read_logs_hears_which_right_is_missing(node: Node) -> None:
    """Not even the pods can be listed."""
    logs = source(node, "any", access.OUTSIDER)

    assert await read(logs, until_now()) == []
    row = logs.coverage()
    assert row.state is not State.COMPLETE
    assert f"pods in {NAMESPACE}: not allowed" in row.notes[0]
    assert "grant list pods" in row.notes[0]
