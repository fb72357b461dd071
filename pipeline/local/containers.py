"""Runs a service as what a pod's container is: own environment, CRI log file, restart policy.

What ends is started again (``restartPolicy: Always``) under the same pod name, with the next restart
number and the next log file. As with the kubelet the first restart after a stable run comes at once,
and each further one waits twice as long as the one before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.back_off import BackOff, RestartPolicy
from pipeline.local.cri import log_path
from pipeline.local.pods import Pod
from pipeline.local.runs import Run


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What to run: the pod, the command, and the whole environment of the process."""

    pod: Pod
    argv: tuple[str, ...]
    environment: Mapping[str, str]


class Container:
    """One container under its restart policy.

    `on_change` is called whenever a run has begun or ended. All methods belong to one event loop.

    Attributes:
        restarts: the number of the present run, from 0.
        exit_code: of the last run that ended, set when its log is complete; None before that.
    """

    def __init__(
        self,
        spec: ContainerSpec,
        logs: Path,
        policy: RestartPolicy,
        on_change: Callable[[Container], None] = lambda _: None,
    ) -> None:
        self.spec = spec
        self.restarts = 0
        self.exit_code: int | None = None
        self._logs = logs
        self._policy = policy
        self._on_change = on_change
        self._said = "no output"
        self._run: Run | None = None
        self._life: asyncio.Task[None] | None = None
        self._began = asyncio.Event()
        self._hurry = asyncio.Event()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process ID of the present run; None between two runs."""
        return self._run.pid if self._run else None

    @property
    def last_line(self) -> str:
        """The last line that the service has written, cut to what fits an error message."""
        return (self._run.last_line if self._run else "") or self._said

    async def start(self) -> None:
        """Begin the first run; returns when its process exists."""
        self._life = asyncio.create_task(self._live(), name=self.spec.pod.name)
        await self._begin(self._life)

    async def restart(self) -> None:
        """End the present run and begin the next without waiting; returns when its process exists."""
        if self._life is None:
            return await self.start()
        self._began.clear()
        self._hurry.set()
        if self._run:
            await self._run.stop(self._policy.grace_s)
        return await self._begin(self._life)

    async def stop(self) -> None:
        """End the present run; no other follows. Its log is complete when this returns."""
        if self._life is None:
            return
        self._stopping = True
        self._hurry.set()
        if self._run:
            await self._run.stop(self._policy.grace_s)
        await self._life

    def kill(self) -> None:
        """End the present run without grace."""
        if self._run:
            self._run.kill()

    async def _begin(self, life: asyncio.Task[None]) -> None:
        """Wait for the next process; raises what keeps it from being started."""
        began = asyncio.create_task(self._began.wait())
        try:
            await asyncio.wait((began, life), return_when=asyncio.FIRST_COMPLETED)
        finally:
            began.cancel()
        if life.done():
            life.result()

    async def _live(self) -> None:
        back_off = BackOff(self._policy)
        while not self._stopping:
            self._hurry.clear()
            start = time.monotonic()
            await self._run_once()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), back_off.wait_s(time.monotonic() - start))
            self.restarts += 1

    async def _run_once(self) -> None:
        """One run, from the start of the process to the last line of its log."""
        log = log_path(self._logs, self.spec.pod, self.restarts)
        run = self._run = await Run.start(self.spec.argv, self.spec.environment, log)
        self._began.set()
        self._on_change(self)
        if self._stopping:
            run.kill()
        await run.wait_exit()
        self._run = None
        self._on_change(self)
        exit_code = await run.wait()
        self._said = run.last_line or self._said
        self.exit_code = exit_code
