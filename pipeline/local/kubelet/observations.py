"""What was seen of a container: its state now, how it last ended, and what its probes say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.local.kubelet.times import to_rfc3339

COMPLETED, ERROR, OOM_KILLED = "Completed", "Error", "OOMKilled"


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


def to_reason(exit_code: int, *, out_of_memory: bool = False) -> str:
    """The reason of an end, as the container runtime gives it."""
    if out_of_memory:
        return OOM_KILLED
    return COMPLETED if exit_code == 0 else ERROR


def to_exit_code(returncode: int) -> int:
    """What a runtime reports for the code of a process: an end by signal n is 128 + n."""
    return returncode if returncode >= 0 else 128 - returncode
