"""A pod's object at the API server, as its kubelet writes to it."""

from __future__ import annotations

import asyncio
import sys
import time
from http import HTTPStatus
from typing import Any

from pipeline.local.control_plane.api import Api, ApiError
from pipeline.local.errors import StackError
from pipeline.local.kubelet.spec import PodSpec
from pipeline.local.kubelet.status import PodSeen, build_patch, build_status

_RETRY_S = 0.5
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_STRATEGIC_MERGE = "application/strategic-merge-patch+json"


class PodObject:
    """One pod's object; another of the same name is left alone. `status` is what it has."""

    def __init__(self, api: Api, status: dict[str, Any]) -> None:
        self._api = api
        self._known = status
        self._sent: dict[str, Any] | None = None

    async def report(self, pod: PodSpec, seen: PodSeen) -> bool:
        """Patch the status if it is another than before; whether the server has it, or needs it no more."""
        status = build_status(pod, seen, self._known, time.time())
        if status == self._sent:
            return True
        try:
            patch = build_patch(pod, status)
            await self._api.request("PATCH", f"{_path(pod)}/status", patch, _STRATEGIC_MERGE)
        except ApiError as error:
            if error.status in _GONE:
                return True
            sys.stderr.write(f"status of {pod.full_name} refused: {error}\n")
            return False
        except StackError:
            return False
        self._sent = self._known = status
        return True

    async def delete(self, pod: PodSpec) -> None:
        """Let the object go: nothing of the pod is left on the node."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.uid}}
        while True:
            try:
                await self._api.request("DELETE", _path(pod), body)
            except ApiError as error:
                if error.status in _GONE:
                    return
            except StackError:
                pass  # the API server is away
            else:
                return
            await asyncio.sleep(_RETRY_S)


def _path(pod: PodSpec) -> str:
    return f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
