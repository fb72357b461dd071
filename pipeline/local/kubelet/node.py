"""Says that the node is there, and that it lives, so that its pods are not taken for lost."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus

from pipeline.local.control_plane.api import Api, ApiError, Object
from pipeline.local.control_plane.node import build_node
from pipeline.local.errors import StackError
from pipeline.local.kubelet.times import to_micro_time, to_rfc3339

# the kubelet's: a lease is renewed every 10 s, and the node is lost 40 s after the last time
_RENEW_S = 10.0
_LEASE_S = 40
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_NODES = "/api/v1/nodes"
_MERGE = "application/merge-patch+json"

_HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}
# what the API server may ask of this kubelet: to take a caller's WebSocket as it is (new in 1.36)
_FEATURES = ["ExtendWebSocketsToKubelet"]


class Node:
    """The node's object and its lease. `port` is where its kubelet serves."""

    def __init__(self, api: Api, name: str, port: int) -> None:
        self._api = api
        self._name = name
        self._node = build_node(name, port)

    async def register(self) -> None:
        """Make the object, or take over one that is there; raises `StackError`."""
        await self._create(_NODES, self._node)
        await self._create(_LEASES, self._build_lease())
        await self._renew()

    async def heartbeat(self) -> None:
        """Renew the lease and the conditions until cancelled."""
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                await self._renew()
            except StackError:
                continue  # tried again soon enough

    async def _renew(self) -> None:
        await self._api.request("PATCH", f"{_LEASES}/{self._name}", self._build_lease(), _MERGE)
        await self._api.request("PATCH", f"{_NODES}/{self._name}/status", self._build_status(), _MERGE)

    async def _create(self, collection: str, item: Object) -> None:
        try:
            await self._api.request("POST", collection, item)
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise

    def _build_status(self) -> Object:
        now = to_rfc3339(time.time())
        conditions = [
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": now,
                "lastTransitionTime": self._node["metadata"].setdefault("creationTimestamp", now),
            }
            for kind, (status, reason, message) in _HEALTHY.items()
        ]
        own = {"conditions": conditions, "declaredFeatures": _FEATURES}
        return {"status": self._node["status"] | own}

    def _build_lease(self) -> Object:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name},
            "spec": {
                "holderIdentity": self._name,
                "leaseDurationSeconds": _LEASE_S,
                "renewTime": to_micro_time(time.time()),
            },
        }
