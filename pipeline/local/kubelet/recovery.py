"""What a kubelet that has just started knows of a pod that ran before: its status. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.local.kubelet.observations import ContainerSeen, Terminated, Waiting
from pipeline.local.kubelet.times import from_rfc3339

_LOST = "ContainerStatusUnknown"
_LOST_MESSAGE = "The container could not be located when the pod was terminated"
_LOST_EXIT_CODE = 137
CREATING = "ContainerCreating"


def recover(status: Mapping[str, Any], name: str, now: float) -> ContainerSeen:
    """The container `name` as it stands before its next run.

    A container that ran when the kubelet before this one ended died with it: it has ended without
    anybody seeing how.
    """
    both = (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ()))
    known = next((one for one in both if one["name"] == name), None)
    if known is None:
        return ContainerSeen(Waiting(CREATING))
    last = _read_end(known.get("lastState", {}))
    end = _read_end(known.get("state", {}), lost_at=now)
    container_id, image_id = known.get("containerID", ""), known.get("imageID", "")
    state = end or Waiting(CREATING)
    return ContainerSeen(state, last, known.get("restartCount", 0), container_id, image_id)


def _read_end(state: Mapping[str, Any], lost_at: float | None = None) -> Terminated | None:
    match state:
        case {"terminated": end}:
            return Terminated(
                exit_code=end["exitCode"],
                reason=end.get("reason", ""),
                started_at=from_rfc3339(end["startedAt"]) if end.get("startedAt") else 0.0,
                finished_at=from_rfc3339(end["finishedAt"]) if end.get("finishedAt") else 0.0,
                container_id=end.get("containerID", ""),
                message=end.get("message", ""),
            )
        case {"running": {"startedAt": started_at}} if lost_at is not None:
            return Terminated(
                _LOST_EXIT_CODE,
                _LOST,
                from_rfc3339(started_at),
                lost_at,
                container_id="",
                message=_LOST_MESSAGE,
            )
    return None
