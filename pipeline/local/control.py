"""What another process does to a running stack."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from pipeline.local.errors import StackError
from pipeline.local.readiness import POLL_S, answers_ok
from pipeline.local.state import PodState, read_state


def restart_service(folder: Path, service: str, deadline_s: float = 60.0) -> PodState:
    """End the service's process, as a node would, and wait until its supervisor has a new one ready.

    Raises:
        StackError: no stack runs in `folder`, it has no such service, or no new one became ready.
    """
    return asyncio.run(_restart(folder, service, deadline_s))


async def _restart(folder: Path, service: str, deadline_s: float) -> PodState:
    old = read_state(folder).pod_of(service)
    if old.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(old.pid, signal.SIGTERM)
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        new = read_state(folder).pod_of(service)
        if new.pid not in (None, old.pid) and await answers_ok(new.port, "/readyz"):
            return new
        await asyncio.sleep(POLL_S)
    raise StackError(f"{service} is not ready {deadline_s:g} s after its restart")
