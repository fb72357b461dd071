"""A container is held to its memory, a pod to its disk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.kubelet.memory import exceed, measure
from pipeline.local.kubelet.spec import ContainerSpec, PodSpec
from pipeline.local.kubelet.storage import find_excess, has_limits
from pipeline.local.kubelet.storage import measure as measure_folder

MIB = 2**20


def pod(*limits: str, size_limit: str | None = None) -> PodSpec:
    def container(limit: str) -> ContainerSpec:
        manifest: dict[str, Any] = {"resources": {"limits": {"ephemeral-storage": limit}}} if limit else {}
        return ContainerSpec("c", "image", manifest=manifest)

    volume = {"name": "state", "emptyDir": {"sizeLimit": size_limit} if size_limit else {}}
    manifest = {"spec": {"volumes": [volume, {"name": "other", "configMap": {}}]}}
    return PodSpec("n", "p", "u", containers=tuple(map(container, limits)), manifest=manifest)


@pytest.mark.parametrize(
    ("limited", "volume", "logs", "message"),
    [
        (pod("", size_limit="1Mi"), MIB, MIB, None),
        (pod("", size_limit="1Mi"), MIB + 1, 0, 'Usage of EmptyDir volume "state" exceeds the limit "1Mi". '),
        (
            pod("1Mi"),
            MIB,
            1,
            "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ",
        ),
        (pod("1Mi", "1Mi"), MIB, MIB, None),
        (pod("1Mi", ""), MIB, MIB, None),
    ],
)
def test_a_pod_is_evicted_for_what_is_limited_only(
    limited: PodSpec, volume: int, logs: int, message: str | None
) -> None:
    """A volume by its own limit; all together by the containers', if each has one."""
    assert find_excess(limited, {"state": volume}, logs) == message


def test_without_limits_nothing_is_measured() -> None:
    """Neither a volume's nor a container's."""
    assert not has_limits(pod(""))
    assert has_limits(pod("1Mi"))
    assert has_limits(pod("", size_limit="1Mi"))


def test_a_folder_is_as_large_as_its_files(tmp_path: Path) -> None:
    """One that is not there has no bytes."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(1000))

    assert measure_folder(tmp_path) == 1000
    assert measure_folder(tmp_path / "none") == 0


async def test_a_process_that_uses_too_much_is_found() -> None:
    """One within its limit never is."""
    assert measure(os.getpid()) > MIB
    await asyncio.wait_for(exceed(os.getpid(), MIB), 30)
    within = asyncio.create_task(exceed(os.getpid(), 2**50))
    _, pending = await asyncio.wait((within,), timeout=0)
    within.cancel()
    assert pending
