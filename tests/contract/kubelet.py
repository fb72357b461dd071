"""A kubelet for the tests' control plane, and programs for it to run as containers."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.local.control_plane import access
from pipeline.local.control_plane.api import Api, Object
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.processes import Daemon, base_environment
from pipeline.local.state import NAMESPACE, NODE_NAME
from tests.contract.control_plane import Kubectl, until

GRACE_S = 10.0
_PROGRAM = Path(__file__).with_name("kubelet_programs.py")
_TAGS = ("1", "2")


def write_images(file: Path) -> None:
    """``voice-agent/test-NAME`` runs the program NAME of `kubelet_programs`."""
    names = ("server", "crash", "lines", "stubborn", "hungry", "task", "relay")
    images = {
        f"voice-agent/test-{name}": {"tags": _TAGS, "argv": (sys.executable, "-S", str(_PROGRAM), name)}
        for name in names
    }
    file.write_text(json.dumps(images), "utf-8")


@dataclass(frozen=True)
class Node:
    """A kubelet that runs, and its folder."""

    plane: ControlPlane
    api: Api
    kubelet: Daemon
    folder: Path

    @property
    def kubectl(self) -> Kubectl:
        """Kubectl in the hands of the administrator."""
        return Kubectl(self.plane)

    def state_dir(self, pod: Object) -> Path:
        """The volume ``state`` of a pod on this machine."""
        return self.folder / "kubelet" / "volumes" / pod["metadata"]["uid"] / "state"

    async def apply(self, item: Object) -> Object:
        """Apply an object."""
        return await self.api.apply(item)

    async def pods(self, app: str) -> list[Object]:
        """The pods of `app`, the oldest first."""
        found = await self.api.get(f"/api/v1/namespaces/{NAMESPACE}/pods", labelSelector=f"app={app}")
        return sorted(found["items"], key=lambda pod: pod["metadata"]["creationTimestamp"])

    async def container(self, app: str) -> Object:
        """The status of the one container of the one pod of `app`; empty before there is one."""
        statuses = [one for pod in await self.pods(app) for one in pod["status"].get("containerStatuses", ())]
        return statuses[0] if statuses else {}

    async def until_told(self, pod: Object, reason: str, message: str = "", times: int = 1) -> None:
        """Wait for an event about `pod`: the kubelet writes them after what they tell of."""
        about = f"involvedObject.uid={pod['metadata']['uid']},reason={reason}"

        async def is_told() -> bool:
            found = await self.api.get(f"/api/v1/namespaces/{NAMESPACE}/events", fieldSelector=about)
            return any(
                message in one["message"] and (one.get("count") or 1) >= times for one in found["items"]
            )

        await until(is_told)


@asynccontextmanager
async def run_node(plane: ControlPlane, folder: Path, name: str = NODE_NAME) -> AsyncIterator[Node]:
    """A node of `plane` that is ready; its crash loop begins with half a second."""
    write_images(folder / "images.json")
    environment = base_environment(folder) | {
        "KUBECONFIG": str(plane.kubeconfig(access.KUBELET)),
        "NODE_NAME": name,
        "PODS_DIR": str(folder / "pods"),
        "KUBELET_DIR": str(folder / "kubelet"),
        "IMAGES": str(folder / "images.json"),
        "TLS_CERT_FILE": str(plane.keys.certificate),
        "TLS_PRIVATE_KEY_FILE": str(plane.keys.key),
        "BACK_OFF_FIRST_S": "0.5",
        "BACK_OFF_LONGEST_S": "2",
    }
    argv = (sys.executable, "-m", "pipeline.local.kubelet")
    daemon = await Daemon.start("kubelet", argv, environment, folder / "kubelet.log")
    try:
        async with plane.api() as api:

            async def is_ready() -> bool:
                assert daemon.running, daemon.tail()
                nodes = (await api.get("/api/v1/nodes", fieldSelector=f"metadata.name={name}"))["items"]
                return any(is_true(node, "Ready") and not node["spec"].get("taints") for node in nodes)

            await until(is_ready)
            yield Node(plane, api, daemon, folder)
    finally:
        await daemon.stop(GRACE_S)


def is_true(item: dict[str, Any], condition: str) -> bool:
    """Whether `condition` of an object is true."""
    found = item.get("status", {}).get("conditions") or ()
    return any(one["type"] == condition and one["status"] == "True" for one in found)


def pod_template(app: str, program: str, *, tag: str = "1", **container: Any) -> Object:
    """A pod with one container that runs a program of `kubelet_programs`; its address and its volume are given."""
    env = [
        {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "STATE_DIR", "value": "/state"},
    ]
    spec = {
        "name": app,
        "image": f"voice-agent/test-{program}:{tag}",
        "env": env,
        "volumeMounts": [{"name": "state", "mountPath": "/state"}],
        **container,
    }
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {
            "terminationGracePeriodSeconds": 5,
            "containers": [spec],
            "volumes": [{"name": "state", "emptyDir": {}}],
        },
    }


def pod(app: str, program: str, restart_policy: str = "Always", **container: Any) -> Object:
    """A pod called like its label."""
    template = pod_template(app, program, **container)
    template["metadata"] |= {"name": app, "namespace": NAMESPACE}
    template["spec"]["restartPolicy"] = restart_policy
    return {"apiVersion": "v1", "kind": "Pod", **template}


def http_probe(path: str, **more: Any) -> Object:
    """A probe of the program ``server`` that asks every second, and waits as long as a slow machine needs."""
    get = {"httpGet": {"path": path, "port": 8080}}
    return get | {"periodSeconds": 1, "timeoutSeconds": 30, "failureThreshold": 1, **more}
