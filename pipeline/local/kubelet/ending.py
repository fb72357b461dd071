"""How a run is ended: the preStop hook, SIGTERM, and when the grace is used up SIGKILL."""

from __future__ import annotations

import asyncio
import time

from pipeline.local.kubelet.handlers import Target, find_failure
from pipeline.local.kubelet.spec import Handler
from pipeline.local.runs import Run

_SHORTEST_GRACE_S = 2.0  # the kubelet's, even for no grace at all


async def end_run(run: Run, pre_stop: Handler | None, target: Target, grace_s: float) -> None:
    """Return when the process has ended; the hook's time is part of `grace_s`."""
    deadline = time.monotonic() + grace_s
    if pre_stop and grace_s > 0:
        await _run_hook(run, pre_stop, target, grace_s)
    await run.stop(max(deadline - time.monotonic(), _SHORTEST_GRACE_S))


async def _run_hook(run: Run, hook: Handler, target: Target, grace_s: float) -> None:
    """Run the hook, as long as there is a process that it could prepare."""
    tasks = (
        asyncio.create_task(find_failure(hook, target, grace_s)),
        asyncio.create_task(run.wait_exit()),
    )
    try:
        await asyncio.wait(tasks, timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
