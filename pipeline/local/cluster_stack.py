"""The stack as a cluster: its services are pods on a real control plane, on one node of this machine.

Kafka and the Cloud Logging server stand beside the cluster, as Google's managed ones do; the Service
``kafka`` has an EndpointSlice that says so.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.local import state as local
from pipeline.local.control_plane import access
from pipeline.local.control_plane.api import Api, Object
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.control_plane.network import to_loopback
from pipeline.local.control_plane.programs import KUBECTL
from pipeline.local.errors import StackError
from pipeline.local.kafka_admin import to_toml
from pipeline.local.manifests import (
    build_kafka_slice,
    is_workload,
    read_manifests,
    select,
    write_images,
)
from pipeline.local.plan import Plan
from pipeline.local.processes import base_environment
from pipeline.local.readiness import LOOPBACK, wait_until
from pipeline.local.stack import LOGGING, Stack, all_at_once
from pipeline.local.state import StackState, StateFolder

KUBELET, EXPORTER = "kubelet", "cluster-logs"
_NAMESPACED = f"namespaces/{local.NAMESPACE}"
_DEPLOYMENTS = f"/apis/apps/v1/{_NAMESPACED}/deployments"
_SERVICES = f"/api/v1/{_NAMESPACED}/services"
# the pods get 5 s each, side by side
_GRACE_S = {KUBELET: 12.0, EXPORTER: 6.0}


class ClusterStack(Stack):
    """One stack as a cluster; see `Stack`."""

    def __init__(self, plan: Plan, report: Callable[[str], None] = lambda _: None) -> None:
        super().__init__(replace(plan, services=()), report)
        self._services = plan.services
        self._addresses: dict[str, str] = {}
        self._plane: ControlPlane | None = None
        self._manifests: list[Object] = []
        self._has_node = asyncio.Event()

    @property
    def state(self) -> StackState:
        """The stack as ``stack.json`` has it."""
        kubectl = str(self._folder.kubectl) if self._folder else ""
        return replace(super().state, services=self._addresses, kubectl=kubectl)

    def kill(self) -> None:
        """End everything at once."""
        super().kill()
        if self._plane:
            self._plane.kill()

    async def _start(self, folder: StateFolder) -> None:
        if self._plan.bootstrap:
            build_kafka_slice(self._plan.bootstrap)  # refuses a broker that no pod could reach
        self._plane = ControlPlane(
            folder.cluster / "control-plane", logs=folder.root / "logs", ready_s=self._plan.ready_s
        )
        await super()._start(folder)

    def _write_settings(self, folder: StateFolder) -> None:
        kubeconfig = self._control_plane.kubeconfig(access.VIEWER)
        folder.write_diag_toml(self.state, kubeconfig, topics=to_toml(self._plan.wanted))

    async def _start_independent(self, folder: StateFolder) -> None:
        """The control plane, the node's kubelet, and what tells Cloud Logging of both."""
        plane = await self._control_plane.__aenter__()
        self._daemons |= plane.daemons
        self._report("the control plane is ready")
        _write_kubectl(folder.kubectl, plane)
        await self._start_daemon(folder, KUBELET, "pipeline.local.kubelet", self._kubelet_environment(folder))
        await self._start_daemon(
            folder, EXPORTER, "pipeline.local.cluster_logs", self._exporter_environment(folder)
        )
        self._manifests = select(await read_manifests(plane.programs.path(KUBECTL)), self._services)
        write_images(folder.cluster / "images.json", self._manifests, self._services)
        async with plane.api() as api:
            await self._await("the node", partial(_has_ready_node, api))
        self._has_node.set()

    async def _start_dependent(self, _folder: StateFolder) -> None:
        """The pods, which need Kafka and a node, and what they refer to before them."""
        await self._has_node.wait()
        workloads = [item for item in self._manifests if is_workload(item)]
        others = [item for item in self._manifests if not is_workload(item)]
        async with self._control_plane.api() as api:
            for items in ([build_kafka_slice(self._bootstrap), *others], workloads):
                await asyncio.gather(*map(api.apply, items))
            self._addresses = await _read_addresses(api)
            names = (item["metadata"]["name"] for item in workloads)
            await all_at_once(*(self._await_workload(api, name) for name in names))

    async def _await_workload(self, api: Api, name: str) -> None:
        async def is_available() -> bool:
            return _is_available(await api.get(f"{_DEPLOYMENTS}/{name}"))

        await self._await(name, is_available)
        self._report(f"{name} is ready")

    async def _await(self, what: str, is_so: Callable[[], Awaitable[bool]]) -> None:
        kubelet = self._daemons[KUBELET]

        async def is_so_or_ended() -> bool:
            return not kubelet.running or await is_so()

        in_time = await wait_until(is_so_or_ended, self._plan.ready_s)
        if not kubelet.running:
            raise StackError(f"{KUBELET} has ended: {kubelet.last_line()}")
        if not in_time:
            raise StackError(f"{what} is not ready after {self._plan.ready_s:g} s: {kubelet.last_line()}")

    async def _stop_services(self) -> None:
        """The pods first, while somebody hears of it; the control plane last."""
        for name in (KUBELET, EXPORTER):
            if name in self._daemons:
                await self._daemons[name].stop(_GRACE_S[name])
        if self._plane:
            await self._plane.stop()

    @property
    def _control_plane(self) -> ControlPlane:
        if self._plane is None:
            raise StackError("the cluster has not been started")
        return self._plane

    def _kubelet_environment(self, folder: StateFolder) -> dict[str, str]:
        keys = self._control_plane.keys
        return base_environment(folder.temporary) | {
            "KUBECONFIG": str(self._control_plane.kubeconfig(access.KUBELET)),
            "NODE_NAME": local.NODE_NAME,
            "PODS_DIR": str(folder.pods),
            "KUBELET_DIR": str(folder.cluster / "kubelet"),
            "IMAGES": str(folder.cluster / "images.json"),
            "TLS_CERT_FILE": str(keys.certificate),
            "TLS_PRIVATE_KEY_FILE": str(keys.key),
        }

    def _exporter_environment(self, folder: StateFolder) -> dict[str, str]:
        return base_environment(folder.temporary) | {
            "KUBECONFIG": str(self._control_plane.kubeconfig(access.EXPORTER)),
            "AUDIT_LOG": str(self._control_plane.audit_log),
            "LOGGING_ENDPOINT": f"http://{LOOPBACK}:{self._ports[LOGGING]}",
            "GOOGLE_CLOUD_PROJECT": local.PROJECT,
            "CLUSTER_LOCATION": local.LOCATION,
            "CLUSTER_NAME": local.CLUSTER,
        }


def _write_kubectl(path: Path, plane: ControlPlane) -> None:
    """A program that is kubectl for this cluster, whatever the user's own kubeconfig says."""
    variables = (f"{name}={shlex.quote(value)}" for name, value in plane.kubectl_environment().items())
    program = shlex.quote(str(plane.programs.path(KUBECTL)))
    path.write_text(f'#!/bin/sh\n{" ".join(variables)} exec {program} "$@"\n', "utf-8")
    path.chmod(0o755)


async def _has_ready_node(api: Api) -> bool:
    """Whether there is a node that pods are bound to."""
    nodes = (await api.get("/api/v1/nodes"))["items"]
    return any(_has_condition(node, "Ready") and not node["spec"].get("taints") for node in nodes)


async def _read_addresses(api: Api) -> dict[str, str]:
    """``address:port`` of each Service that has pods, where this machine serves it."""
    services = (await api.get(_SERVICES))["items"]
    return {
        service["metadata"]["name"]: "{}:{}".format(
            to_loopback(service["spec"]["clusterIP"]), service["spec"]["ports"][0]["port"]
        )
        for service in services
        if "selector" in service["spec"]
    }


def _is_available(deployment: Object) -> bool:
    """Whether the whole deployment is, and in its present form."""
    status, metadata = deployment.get("status", {}), deployment["metadata"]
    seen = status.get("observedGeneration") == metadata["generation"]
    wanted = deployment["spec"]["replicas"]
    return bool(seen and status.get("updatedReplicas") == status.get("availableReplicas") == wanted)


def _has_condition(item: Object, type_: str) -> bool:
    conditions = item.get("status", {}).get("conditions", ())
    return any(one["type"] == type_ and one["status"] == "True" for one in conditions)
