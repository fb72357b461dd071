"""What was seen of a container: its state now, how it last ended, and what its probes say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.local.kubelet.times import to_rfc3339

COMPLETED, ERROR, OOM_KILLED, START_ERROR = "Completed", "Error", "OOMKilled", "StartError"

_START_ERROR_CODE = 128  # containerd's, of a run that never began: at the beginning of all time


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not started yet, or between two runs."""

    reason: str
    message: str = ""

    def to_manifest(self) -> dict[str, Any]:
        """As ``containerStatuses`` has it."""
        said = {"message": self.message} if self.message else {}
        return {"waiting": {"reason": self.reason, **said}}


@dataclass(frozen=True, slots=True)
class Running:
    """A process runs since `started_at` (seconds since the epoch)."""

    started_at: float

    def to_manifest(self) -> dict[str, Any]:
        """As ``containerStatuses`` has it."""
        return {"running": {"startedAt": to_rfc3339(self.started_at)}}


@dataclass(frozen=True, slots=True)
class Terminated:
    """A run that has ended. An end by signal n has the exit code 128 + n."""

    exit_code: int
    reason: str
    started_at: float
    finished_at: float
    container_id: str
    message: str = ""

    @property
    def ran_s(self) -> float:
        """How long it ran; not at all, if it never began."""
        return self.finished_at - self.started_at if self.started_at else 0.0

    def to_manifest(self) -> dict[str, Any]:
        """As ``containerStatuses`` has it."""
        said = {"message": self.message} if self.message else {}
        return {
            "terminated": {
                "exitCode": self.exit_code,
                "reason": self.reason,
                "startedAt": to_rfc3339(self.started_at),
                "finishedAt": to_rfc3339(self.finished_at),
                "containerID": self.container_id,
                **said,
            }
        }


State = Waiting | Running | Terminated


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """One container of a pod.

    Attributes:
        state: what it does.
        last: how the run before the present state ended; None in the first.
        restarts: how many runs have followed the first.
        container_id: of the latest run, ``containerd://<64 hex digits>``.
        image_id: the image's reference by digest; empty before it is pulled.
        started: its startup probe has passed, or it has none and runs.
        ready: its readiness probe passes, or it has none and has started.
    """

    state: State
    last: Terminated | None = None
    restarts: int = 0
    container_id: str = ""
    image_id: str = ""
    started: bool = False
    ready: bool = False


def never_started(container_id: str, why: str, now: float) -> Terminated:
    """The end of a run whose program could not be started."""
    return Terminated(_START_ERROR_CODE, START_ERROR, 0.0, now, container_id, why)


def to_reason(exit_code: int, *, out_of_memory: bool = False) -> str:
    """The reason of an end, as the container runtime gives it."""
    if out_of_memory:
        return OOM_KILLED
    return COMPLETED if exit_code == 0 else ERROR


def to_exit_code(returncode: int) -> int:
    """What a runtime reports for the code of a process: an end by signal n is 128 + n."""
    return returncode if returncode >= 0 else 128 - returncode
