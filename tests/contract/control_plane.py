"""A real control plane for the tests: one for the whole session, without a kubelet."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from pipeline.local.control_plane import access
from pipeline.local.control_plane.control_plane import ControlPlane
from pipeline.local.control_plane.programs import KUBECTL
from pipeline.local.readiness import wait_until

READY_S = 90.0
"""On a machine that does much else."""


@dataclass(frozen=True)
class Kubectl:
    """The kubectl that was built beside the control plane, in the hands of one user."""

    plane: ControlPlane
    user: access.User = access.ADMIN

    async def run(self, *words: str, stdin: object = None) -> subprocess.CompletedProcess[str]:
        """One command; `stdin` is an object for ``-f -``."""
        return await asyncio.to_thread(
            subprocess.run,
            (str(self.plane.programs.path(KUBECTL)), *words),
            input=None if stdin is None else json.dumps(stdin),
            env={"PATH": os.environ["PATH"], **self.plane.kubectl_environment(self.user)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def __call__(self, *words: str, stdin: object = None) -> str:
        """The output of a command that succeeds."""
        done = await self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def get(self, *words: str) -> Any:
        """What ``kubectl get`` gives, as an object."""
        return json.loads(await self("get", *words, "-o", "json"))


def deployment(name: str, replicas: int = 1, image: str = "voice-agent/stand-in:1") -> dict[str, Any]:
    """A small deployment in the namespace that the kubeconfig names."""
    labels = {"app": name}
    container = {"name": name, "image": image}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "voice-agent"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


async def until(condition: Any, deadline_s: float = READY_S) -> None:
    """Wait until the coroutine function `condition` gives something true."""

    async def is_so() -> bool:
        return bool(await condition())

    assert await wait_until(is_so, deadline_s), f"not so within {deadline_s} s"
