"""Whether a pod uses more of the node's disk than it may, for which the kubelet evicts it.

Source: Kubernetes 1.36, ``localStorageEviction`` in pkg/kubelet/eviction/eviction_manager.go.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from pipeline.local.kubelet.spec import PodSpec, read_bytes

_KIND = "ephemeral-storage"


def find_excess(pod: PodSpec, volumes: Mapping[str, int], logs: int) -> str | None:
    """The kubelet's message for what is too much; None if nothing is.

    `volumes` has the bytes of each volume by name, `logs` those of the pod's logs.
    """
    for name, limit in _volume_limits(pod).items():
        if volumes.get(name, 0) > read_bytes(limit):
            return f'Usage of EmptyDir volume "{name}" exceeds the limit "{limit}". '
    limits = _container_limits(pod)
    total = sum(map(read_bytes, limits))
    if len(limits) == len(pod.containers) and sum(volumes.values()) + logs > total:
        allowed = limits[0] if len(limits) == 1 else str(total)
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {allowed}. "
    return None


def has_limits(pod: PodSpec) -> bool:
    """Whether anything of the pod's disk use is limited."""
    return bool(_volume_limits(pod) or _container_limits(pod))


def measure(folder: Path) -> int:
    """The bytes of all files below `folder`; what vanishes meanwhile has none."""
    total = 0
    for path in folder.rglob("*"):
        try:
            found = path.lstat()
        except OSError:
            continue
        total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total


def _volume_limits(pod: PodSpec) -> dict[str, str]:
    volumes = pod.manifest.get("spec", {}).get("volumes", ())
    sizes = ((volume["name"], (volume.get("emptyDir") or {}).get("sizeLimit")) for volume in volumes)
    return {name: size for name, size in sizes if size}


def _container_limits(pod: PodSpec) -> list[str]:
    all_limits = (container.manifest.get("resources", {}).get("limits", {}) for container in pod.containers)
    return [limits[_KIND] for limits in all_limits if _KIND in limits]
