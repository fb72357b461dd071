"""What is there before anybody deploys: the node, the namespace of the voice agent, the viewer's role."""

from __future__ import annotations

from pipeline.local.control_plane.access import VIEWER
from pipeline.local.control_plane.api import Api, Object
from pipeline.local.control_plane.programs import read_version
from pipeline.local.readiness import LOOPBACK
from pipeline.local.state import LOCATION, NAMESPACE, PROJECT

POD_NETWORK = "10.244.0.0/16"
_POOL = "default-pool"
_RESOURCES = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}


def build_node(name: str, kubelet_port: int) -> Object:
    """A node that is ready, as its kubelet registers it, with the labels of a node of GKE.

    The API server asks for logs at the loopback address and `kubelet_port`.
    """
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "cloud.google.com/gke-nodepool": _POOL,
                "topology.kubernetes.io/region": LOCATION,
                "topology.kubernetes.io/zone": LOCATION,
            },
        },
        "spec": {"podCIDR": POD_NETWORK, "providerID": f"gce://{PROJECT}/{LOCATION}/{name}"},
        "status": {
            "capacity": _RESOURCES,
            "allocatable": _RESOURCES,
            "conditions": [_READY],
            "addresses": [
                {"type": "InternalIP", "address": LOOPBACK},
                {"type": "Hostname", "address": name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
            "nodeInfo": _describe_system(),
        },
    }


def build_foundation() -> list[Object]:
    """The namespace of the voice agent, and the right of `VIEWER` to read."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "viewers"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": VIEWER.name}],
        },
    ]


async def is_founded(api: Api) -> bool:
    """Whether a controller has gathered the rules of the cluster role ``view``: it begins empty."""
    role = await api.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/view")
    return bool(role.get("rules"))


_READY = {
    "type": "Ready",
    "status": "True",
    "reason": "KubeletReady",
    "message": "kubelet is posting ready status",
}


def _describe_system() -> Object:
    """What a kubelet says of its machine; every field is required."""
    return {
        "architecture": "amd64",
        "bootID": "",
        "containerRuntimeVersion": "process://1",
        "kernelVersion": "",
        "kubeProxyVersion": "",
        "kubeletVersion": read_version(),
        "machineID": "",
        "operatingSystem": "linux",
        "osImage": "local stack",
        "systemUUID": "",
    }
