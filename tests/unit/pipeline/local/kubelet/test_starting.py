"""What cannot be run: a program that is not there, and a pod that asks for what this kubelet does not know."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.local.back_off import RestartPolicy
from pipeline.local.kubelet.containers import ContainerWorker
from pipeline.local.kubelet.environment import Surroundings
from pipeline.local.kubelet.images import Image
from pipeline.local.kubelet.kubelet import Kubelet
from pipeline.local.kubelet.observations import Terminated, Waiting
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec
from pipeline.local.kubelet.status import to_rfc3339

POD = PodSpec("voice-agent", "p", "u")
IMAGE = Image("voice-agent/x@sha256:0", ("no-such-program",), 1)
PATIENCE_S = 60


class Told:
    """Takes events."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def tell(self, _pod: PodSpec, reason: str, message: str, **_about: Any) -> None:
        self.rows.append((reason, message))

    def count(self, reason: str) -> int:
        return [one for one, _ in self.rows].count(reason)


def host(told: Told, folder: Path) -> SimpleNamespace:
    async def look_around(*_about: object) -> Surroundings:
        return Surroundings("node", "127.0.0.1", "10.244.0.2", base={"PATH": str(folder)})

    return SimpleNamespace(
        events=told,
        images=SimpleNamespace(find=lambda _name: IMAGE),
        look_around=look_around,
        restarts=RestartPolicy(first_s=30, longest_s=30),
        logs=folder,
    )


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("no-such-program", "executable file not found in $PATH: unknown"),
        ("/no/such/program", "stat /no/such/program: no such file or directory: unknown"),
    ],
)
async def test_a_program_that_is_not_there_is_a_start_error(tmp_path: Path, program: str, why: str) -> None:
    """Code 128, begun at no time, without a log; tried again at once, and then ever later."""
    told, seen = Told(), []
    worker = ContainerWorker(
        *(POD, ContainerSpec("c", "voice-agent/x:1", command=(program,)), host(told, tmp_path), "10.244.0.2"),
        restarts=lambda _code: True,
        on_change=lambda: seen.append(worker.seen),
    )
    living = asyncio.create_task(worker.live())
    async with asyncio.timeout(PATIENCE_S):
        while not told.count("BackOff"):
            await asyncio.sleep(0)
    await worker.stop(0, with_hook=False)
    await living

    states = [one.state for one in seen]
    waits = [state.reason for state in states if isinstance(state, Waiting)]
    assert waits == ["RunContainerError", "RunContainerError", "CrashLoopBackOff"]
    last = seen[-1].last
    assert isinstance(last, Terminated)
    assert (last.exit_code, last.reason, to_rfc3339(last.started_at)) == (
        128,
        "StartError",
        "1970-01-01T00:00:00Z",
    )
    assert last.message.endswith(f'exec: "{program}": {why}')
    assert (seen[-1].restarts, told.count("Created"), told.count("Started")) == (1, 2, 0)
    assert worker.logs == {}


async def test_one_that_is_not_restarted_has_ended(tmp_path: Path) -> None:
    """Its state says why."""
    worker = ContainerWorker(
        *(POD, ContainerSpec("c", "voice-agent/x:1"), host(Told(), tmp_path), "10.244.0.2"),
        restarts=lambda _code: False,
        on_change=lambda: None,
    )
    await worker.live()

    assert isinstance(worker.seen.state, Terminated)
    assert worker.seen.state.reason == "StartError"


def test_a_pod_that_cannot_be_run_says_why_in_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    """It stays Pending: whoever waits for it looks there."""
    told = Told()
    kubelet = Kubelet.__new__(Kubelet)
    kubelet._pods, kubelet._host = {}, SimpleNamespace(events=told)  # type: ignore[assignment]
    probe = {"grpc": {"port": 1}, "periodSeconds": 1}
    containers = [{"name": "c", "image": "voice-agent/x:1", "readinessProbe": probe}]
    kubelet._take_up(
        {"metadata": {"namespace": "n", "name": "p", "uid": "u"}, "spec": {"containers": containers}}
    )

    [(reason, message)] = told.rows
    assert reason == "Failed"
    assert message.endswith("it knows no handler of the kind grpc")
    assert "p is not run" in capsys.readouterr().err
