"""The phase and the conditions of a pod, out of what was seen of its containers. Pure.

Source: Kubernetes 1.36, ``getPhase`` in pkg/kubelet/kubelet_pods.go and pkg/kubelet/status/generate.go;
sidecars (init containers that restart) are left out, the stack has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.local.kubelet.observations import ContainerSeen, Running, State, Terminated, Waiting
from pipeline.local.kubelet.spec import NEVER, ContainerSpec, PodSpec

PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"

_FINAL_REASONS = {SUCCEEDED: "PodCompleted", FAILED: "PodFailed"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a pod."""

    type: str
    holds: bool
    reason: str = ""
    message: str = ""


def judge_phase(pod: PodSpec, seen: Mapping[str, ContainerSeen], *, is_ending: bool) -> str:
    """The phase; `is_ending` says that no container of the pod will be started again."""
    if _has_init_failed(pod, seen):
        return FAILED
    states = [seen[container.name].state for container in pod.containers]
    if _list_incomplete(pod, seen) or any(_never_ran(seen[container.name]) for container in pod.containers):
        is_over = is_ending and not any(isinstance(state, Running) for state in states)
        return FAILED if is_over else PENDING
    if any(isinstance(state, Running) for state in states):
        return RUNNING
    ends = [_last_end(seen[container.name]) for container in pod.containers]
    if not is_ending and any(pod.should_restart(end.exit_code) for end in ends if end):
        return RUNNING
    return SUCCEEDED if all(end and end.exit_code == 0 for end in ends) else FAILED


def list_conditions(pod: PodSpec, seen: Mapping[str, ContainerSeen], phase: str) -> list[Condition]:
    """All conditions that the kubelet owns, in its order."""
    ready = _judge_ready(pod, seen, phase)
    return [
        Condition("PodReadyToStartContainers", phase not in _FINAL_REASONS),
        _judge_initialized(pod, seen, phase),
        Condition("Ready", *ready),
        Condition("ContainersReady", *ready),
        Condition("PodScheduled", holds=True),
    ]


def _judge_ready(pod: PodSpec, seen: Mapping[str, ContainerSeen], phase: str) -> tuple[bool, str, str]:
    if phase in _FINAL_REASONS:
        return False, _FINAL_REASONS[phase], ""
    unready = _names(container for container in pod.containers if not seen[container.name].ready)
    if unready:
        return False, "ContainersNotReady", f"containers with unready status: {unready}"
    return True, "", ""


def _judge_initialized(pod: PodSpec, seen: Mapping[str, ContainerSeen], phase: str) -> Condition:
    if phase == SUCCEEDED:
        return Condition("Initialized", holds=True, reason="PodCompleted")
    incomplete = _names(_list_incomplete(pod, seen))
    if incomplete:
        message = f"containers with incomplete status: {incomplete}"
        return Condition("Initialized", holds=False, reason="ContainersNotInitialized", message=message)
    return Condition("Initialized", holds=True)


def _list_incomplete(pod: PodSpec, seen: Mapping[str, ContainerSeen]) -> list[ContainerSpec]:
    """The init containers that have not ended well yet."""
    return [container for container in pod.init_containers if not _is_done(seen[container.name].state)]


def _is_done(state: State) -> bool:
    return isinstance(state, Terminated) and state.exit_code == 0


def _has_init_failed(pod: PodSpec, seen: Mapping[str, ContainerSeen]) -> bool:
    """Whether an init container has failed for good."""
    ends = (_last_end(seen[container.name]) for container in pod.init_containers)
    return pod.restart_policy == NEVER and any(end and end.exit_code != 0 for end in ends)


def _never_ran(container: ContainerSeen) -> bool:
    return isinstance(container.state, Waiting) and container.last is None


def _last_end(container: ContainerSeen) -> Terminated | None:
    return container.state if isinstance(container.state, Terminated) else container.last


def _names(containers: Iterable[ContainerSpec]) -> str:
    """Names as Go prints a slice, ``[a b]``; empty for none."""
    names = " ".join(container.name for container in containers)
    return f"[{names}]" if names else ""
