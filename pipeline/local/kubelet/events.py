"""Events about pods, as the kubelet writes them; the same one again counts up the first."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass

from pipeline.local.control_plane.api import Api, Object
from pipeline.local.errors import StackError
from pipeline.local.kubelet.spec import PodSpec
from pipeline.local.kubelet.times import to_rfc3339

NORMAL, WARNING = "Normal", "Warning"
_COMPONENT = "kubelet"


@dataclass(frozen=True, slots=True)
class Happening:
    """What makes two events the same. `container` is empty for one about the whole pod."""

    namespace: str
    pod: str
    uid: str
    container: str
    type: str
    reason: str
    message: str


@dataclass(slots=True)
class _Written:
    """An event that the API server has."""

    name: str
    count: int


class Events:
    """Writes events in the order in which they happen, without keeping anybody waiting."""

    def __init__(self, api: Api, node: str) -> None:
        self._api = api
        self._node = node
        self._queue: asyncio.Queue[tuple[Happening, float]] = asyncio.Queue()
        self._written: dict[Happening, _Written] = {}

    def tell(
        self, pod: PodSpec, reason: str, message: str, *, container: str = "", type_: str = NORMAL
    ) -> None:
        """Something has happened to `pod`, or to its `container`."""
        happening = Happening(pod.namespace, pod.name, pod.uid, container, type_, reason, message)
        self._queue.put_nowait((happening, time.time()))

    async def run(self) -> None:
        """Write until cancelled. An event that the server does not take is lost, as with any kubelet."""
        while True:
            happening, at = await self._queue.get()
            try:
                await self._write(happening, at)
            except StackError:
                self._written.pop(happening, None)

    def forget(self, uid: str) -> None:
        """The pod `uid` is no more."""
        for happening in [one for one in self._written if one.uid == uid]:
            del self._written[happening]

    async def _write(self, happening: Happening, at: float) -> None:
        path = f"/api/v1/namespaces/{happening.namespace}/events"
        written = self._written.get(happening)
        if written is None:
            name = f"{happening.pod}.{secrets.token_hex(8)}"
            await self._api.request("POST", path, self._build(name, happening, at))
            self._written[happening] = _Written(name, 1)
            return
        written.count += 1
        body = {"count": written.count, "lastTimestamp": to_rfc3339(at)}
        await self._api.request("PATCH", f"{path}/{written.name}", body, "application/merge-patch+json")

    def _build(self, name: str, happening: Happening, at: float) -> Object:
        field = {"fieldPath": f"spec.containers{{{happening.container}}}"} if happening.container else {}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": happening.namespace},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": happening.namespace,
                "name": happening.pod,
                "uid": happening.uid,
                **field,
            },
            "type": happening.type,
            "reason": happening.reason,
            "message": happening.message,
            "count": 1,
            "firstTimestamp": to_rfc3339(at),
            "lastTimestamp": to_rfc3339(at),
            "source": {"component": _COMPONENT, "host": self._node},
            "reportingComponent": _COMPONENT,
            "reportingInstance": self._node,
        }
