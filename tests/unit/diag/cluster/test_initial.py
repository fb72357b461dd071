"""Init containers: while one of them hinders a pod it is what the pod's state tells, as kubectl has it."""

from __future__ import annotations

from typing import Any

import pytest

from diag.cluster.pods import view_pod
from diag.model.cluster_view import PodView
from diag.sources.kube.pods import to_pods

AT = "2026-11-23T08:00:00Z"


def status(name: str, restarts: int = 0, *, ready: bool = False, **state: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "image": "i", "restartCount": restarts, "ready": ready, "state": state}


def ended(code: int, reason: str) -> dict[str, Any]:
    return {"exitCode": code, "reason": reason, "startedAt": AT, "finishedAt": AT}


THROUGH = status("migrate", 2, ready=True, terminated=ended(0, "Completed"))
WAITS = status("main", waiting={"reason": "PodInitializing"})
RUNS = status("main", 1, ready=True, running={"startedAt": AT})


def view(*initial: dict[str, Any], main: dict[str, Any] = WAITS, initialized: bool = False) -> PodView:
    """Of a pod as the API gives it."""
    conditions = [
        {"type": "Initialized", "status": str(initialized), "lastTransitionTime": AT},
        {"type": "Ready", "status": str(main is RUNS), "lastTransitionTime": AT},
    ]
    found = {
        "metadata": {"namespace": "voice", "name": "tts-0", "creationTimestamp": AT},
        "status": {
            "phase": "Running" if main is RUNS else "Pending",
            "conditions": conditions,
            "initContainerStatuses": list(initial),
            "containerStatuses": [main],
        },
    }
    (pod,) = to_pods([found])
    return view_pod(pod, None)


@pytest.mark.parametrize(
    ("initial", "state"),
    [
        ([status("wait", terminated=ended(3, "Error"))], "Init:Error"),
        ([status("wait", 4, waiting={"reason": "CrashLoopBackOff"})], "Init:CrashLoopBackOff"),
        ([THROUGH, status("pull", waiting={"reason": "ImagePullBackOff"})], "Init:ImagePullBackOff"),
        ([THROUGH, status("wait", running={"startedAt": AT})], "Init:1/2"),
        ([status("wait", waiting={"reason": "PodInitializing"})], "Init:0/1"),
        ([status("proxy", ready=True, running={"startedAt": AT}), status("wait", waiting={})], "Init:1/2"),
    ],
)
def test_what_hinders_it_is_its_state(initial: list[dict[str, Any]], state: str) -> None:
    """Not that its containers wait, which they do for this."""
    assert view(*initial).state == state


def test_what_is_through_is_of_no_weight() -> None:
    """Neither for its state nor for its restarts; a sidecar that runs counts on."""
    sidecar = status("proxy", 5, ready=False, running={"startedAt": AT})
    alone, beside = view(THROUGH, main=RUNS, initialized=True), view(sidecar, main=RUNS, initialized=True)

    assert (alone.state, alone.restarts, alone.restarted) == ("ready", 1, ())
    assert (beside.state, beside.restarts) == ("ready", 6)


def test_how_an_init_container_ended_is_told_with_its_place() -> None:
    """The last time, too."""
    crash = status("wait", 4, waiting={"reason": "CrashLoopBackOff"}) | {
        "lastState": {"terminated": ended(137, "OOMKilled")}
    }
    found = view(crash)

    assert found.restarts == 4
    assert [(one.container, one.reason, one.exit_code, one.ref) for one in found.restarted] == [
        ("wait", "OOMKilled", 137, "pod/voice/tts-0:status.initContainerStatuses[wait].lastState")
    ]
