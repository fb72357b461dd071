"""What all pods of the node share."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from pipeline.local.back_off import RestartPolicy
from pipeline.local.control_plane.api import Api, ApiError
from pipeline.local.kubelet.addresses import PodAddresses
from pipeline.local.kubelet.environment import CONFIG_MAP, Reference, Surroundings, list_references
from pipeline.local.kubelet.events import Events
from pipeline.local.kubelet.images import ImageStore
from pipeline.local.kubelet.names import ClusterIps
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec

_COLLECTIONS = {CONFIG_MAP: "configmaps"}


@dataclass(frozen=True, slots=True)
class Host:
    """The node, as its pods need it.

    Attributes:
        logs: the folder of the CRI log files.
        volumes: the folder of the pods' volumes.
        base: what every process gets in its environment.
        cluster_ips: the addresses of Services as they are now.
    """

    name: str
    ip: str
    api: Api
    events: Events
    images: ImageStore
    addresses: PodAddresses
    restarts: RestartPolicy
    logs: Path
    volumes: Path
    base: Mapping[str, str]
    cluster_ips: Callable[[], ClusterIps]

    async def look_around(self, pod: PodSpec, spec: ContainerSpec, pod_ip: str) -> Surroundings:
        """What the environment of a container is made of; raises `StackError`."""
        references = sorted(list_references(spec))
        found = await asyncio.gather(*(self._read(pod.namespace, one) for one in references))
        return Surroundings(
            node=self.name,
            host_ip=self.ip,
            pod_ip=pod_ip,
            base=self.base,
            configs={one: data for one, data in zip(references, found, strict=True) if data is not None},
            cluster_ips=self.cluster_ips(),
            volumes={name: self.volume(pod, name) for name in list_volumes(pod)},
        )

    def volume(self, pod: PodSpec, name: str) -> Path:
        """The folder of one volume of `pod`."""
        return self.volumes / pod.uid / name

    async def _read(self, namespace: str, reference: Reference) -> Mapping[str, str] | None:
        """The texts of a ConfigMap or Secret; None if there is none."""
        kind, name = reference
        collection = _COLLECTIONS.get(kind, "secrets")
        try:
            found = await self.api.get(f"/api/v1/namespaces/{namespace}/{collection}/{name}")
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None
        data: Mapping[str, str] = found.get("data") or {}
        return data if kind == CONFIG_MAP else {key: _decode(value) for key, value in data.items()}


def list_volumes(pod: PodSpec) -> list[str]:
    """The volumes of `pod` that begin empty and can be written."""
    return [volume["name"] for volume in pod.manifest["spec"].get("volumes", ()) if "emptyDir" in volume]


def _decode(value: str) -> str:
    return base64.b64decode(value).decode("utf-8", "replace")
