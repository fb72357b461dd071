"""The status of a pod, out of what was seen of its containers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.local.kubelet.observations import ContainerSeen, Running, Terminated, Waiting, to_exit_code
from pipeline.local.kubelet.recovery import recover
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec
from pipeline.local.kubelet.status import PodSeen, build_status

NOW = 1_795_421_146.0
CREATING = ContainerSeen(Waiting("ContainerCreating"))
UP = ContainerSeen(Running(NOW), started=True, ready=True, container_id="containerd://1")


def ended(exit_code: int) -> Terminated:
    return Terminated(exit_code, "Error" if exit_code else "Completed", NOW - 5, NOW, "containerd://0")


def status_of(
    *containers: ContainerSeen,
    policy: str = "Always",
    init: tuple[ContainerSeen, ...] = (),
    known: dict[str, Any] | None = None,
    now: float = NOW,
    is_ending: bool = False,
) -> dict[str, Any]:
    names = {f"c{index}": seen for index, seen in enumerate(containers)}
    init_names = {f"i{index}": seen for index, seen in enumerate(init)}
    pod = PodSpec(
        "voice-agent",
        "pod",
        "uid",
        restart_policy=policy,
        containers=tuple(ContainerSpec(name, "image:1") for name in names),
        init_containers=tuple(ContainerSpec(name, "image:1") for name in init_names),
        manifest={"metadata": {"generation": 3}},
    )
    seen = PodSeen(names | init_names, "127.0.0.1", "10.244.1.2", NOW, is_ending)
    return build_status(pod, seen, known or {}, now)


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in status["conditions"]}


@pytest.mark.parametrize(
    ("seen", "policy", "phase"),
    [
        (CREATING, "Always", "Pending"),
        (replace(CREATING, state=Waiting("ErrImagePull")), "Always", "Pending"),
        (UP, "Always", "Running"),
        (replace(UP, state=ended(1)), "Always", "Running"),
        (ContainerSeen(Waiting("CrashLoopBackOff"), last=ended(1), restarts=1), "Always", "Running"),
        (replace(UP, state=ended(0)), "Never", "Succeeded"),
        (replace(UP, state=ended(0)), "OnFailure", "Succeeded"),
        (replace(UP, state=ended(1)), "OnFailure", "Running"),
        (replace(UP, state=ended(1)), "Never", "Failed"),
    ],
)
def test_the_phase_follows_the_container_and_the_restart_policy(
    seen: ContainerSeen, policy: str, phase: str
) -> None:
    """As the kubelet's getPhase has it."""
    assert status_of(seen, policy=policy)["phase"] == phase


def test_a_pod_is_pending_until_each_of_its_containers_has_run() -> None:
    """One that runs does not hide one that cannot start."""
    assert status_of(UP, CREATING)["phase"] == "Pending"


def test_a_pod_that_ends_is_over_when_nothing_runs() -> None:
    """No container comes back, whatever the policy says."""
    assert status_of(replace(UP, state=ended(0)), is_ending=True)["phase"] == "Succeeded"
    assert status_of(replace(UP, state=ended(137)), is_ending=True)["phase"] == "Failed"


def test_an_unready_container_is_named_and_takes_the_pod_out() -> None:
    """Ready and ContainersReady say which, in Go's words."""
    status = status_of(UP, replace(UP, ready=False))
    ready = next(one for one in status["conditions"] if one["type"] == "Ready")

    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [c1]"
    assert conditions(status)["ContainersReady"] == "False"
    assert conditions(status)["PodScheduled"] == "True"


def test_an_init_container_holds_the_pod_until_it_has_ended_well() -> None:
    """Initialized is false, the phase Pending; then both turn."""
    before = status_of(CREATING, init=(UP,))
    after = status_of(UP, init=(replace(UP, state=ended(0)),))

    assert (before["phase"], conditions(before)["Initialized"]) == ("Pending", "False")
    assert (after["phase"], conditions(after)["Initialized"]) == ("Running", "True")
    assert after["initContainerStatuses"][0]["ready"]


def test_a_condition_keeps_its_time_until_it_turns() -> None:
    """The time is when its status changed, not when it was written."""
    first = status_of(UP)
    same = status_of(UP, known=first, now=NOW + 60)
    turned = status_of(replace(UP, ready=False), known=first, now=NOW + 60)

    times = {one["type"]: one["lastTransitionTime"] for one in turned["conditions"]}
    assert same == first
    assert times["Ready"] == "2026-11-23T08:06:46Z" != times["Initialized"]


def test_a_crashed_container_tells_its_last_end() -> None:
    """State, last state, exit code, count and ID stand as GKE has them."""
    crashed = ContainerSeen(
        Waiting("CrashLoopBackOff", "back-off 10s restarting"),
        ended(3),
        2,
        "containerd://0",
        "image@sha256:0",
    )
    [container] = status_of(crashed)["containerStatuses"]

    assert container["state"] == {
        "waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}
    }
    assert container["lastState"]["terminated"] == {
        "exitCode": 3,
        "reason": "Error",
        "startedAt": "2026-11-23T08:05:41Z",
        "finishedAt": "2026-11-23T08:05:46Z",
        "containerID": "containerd://0",
    }
    assert (container["restartCount"], container["started"], container["ready"]) == (2, False, False)


def test_what_a_kubelet_before_has_left_is_known_again() -> None:
    """A container that ran is one that has ended; the count and the last end stay."""
    status = status_of(replace(UP, restarts=4, last=ended(1)))

    seen = recover(status, "c0", NOW + 9)

    assert isinstance(seen.state, Terminated)
    assert (seen.state.exit_code, seen.state.reason) == (137, "ContainerStatusUnknown")
    assert (seen.restarts, seen.last) == (4, ended(1))
    assert recover({}, "c0", NOW) == CREATING


def test_an_end_by_a_signal_has_the_code_of_the_runtime() -> None:
    """128 and the number of the signal."""
    assert [to_exit_code(code) for code in (0, 3, -9, -15)] == [0, 3, 137, 143]
