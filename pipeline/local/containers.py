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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pipeline.local.cri import Piece, PieceSplitter, format_line, log_path
from pipeline.local.pods import Pod
from pipeline.local.processes import kill_group, launch, output_pipe, stop

_READ_BYTES = 64 * 1024
_DRAIN_S = 1.0
_LAST_LINE_BYTES = 300


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What to run: the pod, the command, and the whole environment of the process."""

    pod: Pod
    argv: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a container that has ended is started again.

    Attributes:
        first_s: the wait before the second restart in a row; doubles with each further one.
        longest_s: the wait never grows beyond this (the kubelet: 300 s).
        stable_s: a run at least this long forgives what was before (the kubelet: 600 s).
        grace_s: between SIGTERM and SIGKILL.
    """

    first_s: float = 1.0
    longest_s: float = 30.0
    stable_s: float = 10.0
    grace_s: float = 5.0


@dataclass(slots=True)
class BackOff:
    """The waits between the restarts of one container."""

    policy: RestartPolicy
    _unstable: int = field(default=0, init=False)

    def wait_s(self, ran_s: float) -> float:
        """Seconds to wait after a run that took `ran_s`."""
        if ran_s >= self.policy.stable_s:
            self._unstable = 0
        doublings, self._unstable = self._unstable - 1, self._unstable + 1
        if doublings < 0:
            return 0.0
        return min(self.policy.longest_s, self.policy.first_s * 2.0**doublings)


class Container:
    """One container under its restart policy.

    `on_change` is called whenever a run has begun or ended. All methods belong to one event loop.

    Attributes:
        restarts: the number of the present run, from 0.
        exit_code: of the last run that ended, set when its log is complete; None before that.
        last_line: the last line that the service has written, cut to what fits an error message.
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
        self.last_line = "no output"
        self._logs = logs
        self._policy = policy
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None
        self._began = asyncio.Event()
        self._hurry = asyncio.Event()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process ID of the present run; None between two runs."""
        return self._process.pid if self._process else None

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
        if self._process:
            await stop(self._process, self._policy.grace_s)
        return await self._begin(self._life)

    async def stop(self) -> None:
        """End the present run; no other follows. Its log is complete when this returns."""
        if self._life is None:
            return
        self._stopping = True
        self._hurry.set()
        if self._process:
            await stop(self._process, self._policy.grace_s)
        await self._life

    def kill(self) -> None:
        """End the present run without grace."""
        if self._process:
            kill_group(self._process)

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
            await self._run()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), back_off.wait_s(time.monotonic() - start))
            self.restarts += 1

    async def _run(self) -> None:
        """One run, from the start of the process to the last line of its log."""
        path = log_path(self._logs, self.spec.pod, self.restarts)
        path.parent.mkdir(parents=True, exist_ok=True)
        async with output_pipe() as (stdout, stdout_end), output_pipe() as (stderr, stderr_end):
            with path.open("ab", buffering=0) as log, stdout_end, stderr_end:
                process = await launch(
                    self.spec.argv, self.spec.environment, stdout=stdout_end, stderr=stderr_end
                )
                stdout_end.close()
                stderr_end.close()
                copies = [
                    asyncio.create_task(self._copy(stdout, "stdout", log)),
                    asyncio.create_task(self._copy(stderr, "stderr", log)),
                ]
                exit_code = await self._attend(process)
                _, late = await asyncio.wait(copies, timeout=_DRAIN_S)
                for copy in late:
                    copy.cancel()
        self.exit_code = exit_code

    async def _attend(self, process: asyncio.subprocess.Process) -> int:
        """Be the process's keeper until it has ended; its exit code."""
        self._process = process
        self._began.set()
        self._on_change(self)
        if self._stopping:
            kill_group(process)
        exit_code = await process.wait()
        kill_group(process)
        self._process = None
        self._on_change(self)
        return exit_code

    async def _copy(self, pipe: asyncio.StreamReader, stream: str, log: IO[bytes]) -> None:
        splitter = PieceSplitter()
        while data := await pipe.read(_READ_BYTES):
            self._write(log, stream, splitter.feed(data))
        self._write(log, stream, splitter.finish())

    def _write(self, log: IO[bytes], stream: str, pieces: list[Piece]) -> None:
        """Append the pieces in one write, each with the time of its arrival."""
        log.write(b"".join(format_line(time.time_ns(), stream, piece) for piece in pieces))
        said = [piece.content for piece in pieces if piece.content.strip()]
        if said:
            self.last_line = said[-1][:_LAST_LINE_BYTES].decode("utf-8", "replace").strip()
